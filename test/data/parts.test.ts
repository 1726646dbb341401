import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addImageNoise,
  addSoundNoise,
  changeSpeed,
  DataError,
  decodeMuLaw,
  dropOut,
  encodeMuLaw,
  encodeWav,
  hideBand,
  imageFromBytes,
  normalizeImage,
  PADDING,
  Random,
  Tokenizer,
  UNKNOWN,
} from "../../src/data/index.ts";

const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

describe("Tokenizer", () => {
  const tokenizer = new Tokenizer(["one", "more", "than"]);

  test("ids from 2 on, unknown words 1, padding 0 at the end", () => {
    expect(tokenizer.size).toBe(5);
    expect([...tokenizer.encode("One more  than\tzero", 6)]).toEqual([2, 3, 4, UNKNOWN, PADDING, PADDING]);
    expect([...tokenizer.encode("", 2)]).toEqual([PADDING, PADDING]);
    expect([...tokenizer.encode("more more more", 2)]).toEqual([3, 3]);
    expect(tokenizer.decode(tokenizer.encode("more than zero", 8))).toBe("more than <unknown>");
  });

  test("goes through JSON", () => {
    const copy = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(copy.vocabulary).toEqual(tokenizer.vocabulary);
    expect(() => Tokenizer.fromJSON({ words: 3 })).toThrow(DataError);
    expect(() => Tokenizer.fromJSON(null)).toThrow("expected { words: string[] }");
  });

  test("a vocabulary that cannot be reached by splitting texts is refused", () => {
    expect(() => new Tokenizer(["a", "a"])).toThrow('"a" occurs twice');
    for (const word of ["", "two words", "Capital"]) expect(() => new Tokenizer([word])).toThrow(`"${word}"`);
  });

  test("of its own texts no word is unknown", () => {
    const words = fc.array(fc.constantFrom("a", "b", "c", "dd"), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1 }), (lists) => {
        const texts = lists.map((list) => list.join(" "));
        const own = Tokenizer.of(texts);
        for (const text of texts) expect(own.decode(own.encode(text, 6))).toBe(text);
      }),
    );
  });
});

describe("µ-law", () => {
  test("known values of G.711", () => {
    const known = { 255: 0, 254: 8, 239: 132, 224: 372, 207: 924, 128: 32124, 0: -32124, 111: -132 };
    for (const [code, sample] of Object.entries(known)) {
      expect(decodeMuLaw(Uint8Array.of(Number(code)))[0]! * 32768).toBe(sample);
    }
  });

  test("a sample comes back to within half a step, which is about 1/32 of it", () => {
    fc.assert(
      fc.property(fc.double({ min: -0.98, max: 0.98, noNaN: true }), (x) => {
        const back = decodeMuLaw(encodeMuLaw([x]))[0]!;
        expect(Math.abs(back - x)).toBeLessThanOrEqual((Math.abs(x) + 132 / 32768) / 32);
      }),
    );
    expect(decodeMuLaw(encodeMuLaw([2, -2, Number.NaN])).map((x) => x * 32768)).toEqual(
      Float32Array.of(32124, -32124, 0),
    );
  });
});

describe("what a bad camera and a bad line do", () => {
  test("a hidden band is so many whole rows or columns, begins where it may, and nothing else changes", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const image = hideBand(new Float32Array(784).fill(1), new Random("band", seed), 9, 5, 13);
      const rows = image.subarray(0, 28).every((x) => x === 1) && image.subarray(756).every((x) => x === 1);
      const columns = Array.from({ length: 28 }, (_, r) => image[r * 28]!).every((x) => x === 1);
      expect(image.filter((x) => x === 0)).toHaveLength(9 * 28);
      expect(rows !== columns).toBe(true);
      const at = image.indexOf(0);
      seen.add(at % 28 === 0 ? `row ${at / 28}` : `column ${at}`);
    }
    const places = Array.from({ length: 9 }, (_, i) => i + 5).flatMap((i) => [`row ${i}`, `column ${i}`]);
    expect([...seen].sort()).toEqual(places.sort());
  });

  test("image noise has its deviation and stays in 0 to 1", () => {
    const image = addImageNoise(new Float32Array(100_000).fill(0.5), new Random("image"), 0.1);
    expect(rms(image.map((x) => x - 0.5))).toBeCloseTo(0.1, 2);
    const loud = addImageNoise(new Float32Array(1000), new Random("image"), 5);
    expect(loud.every((x) => x >= 0 && x <= 1)).toBe(true);
  });

  test("speed: a straight line stays one, at another slope and length", () => {
    const line = Float32Array.from({ length: 1001 }, (_, i) => i / 1024);
    for (const speed of [0.87, 1, 1.15]) {
      const changed = changeSpeed(line, speed);
      expect(changed.length).toBe(Math.floor(1000 / speed) + 1);
      changed.forEach((x, n) => {
        expect(x).toBeCloseTo((n * speed) / 1024, 5);
      });
    }
  });

  test.each([-5, 0, 10])("noise at %i dB is that far below the sound", (snr) => {
    const clean = Float32Array.from({ length: 50_000 }, (_, i) => 0.3 * Math.sin(i / 5));
    const noise = addSoundNoise(clean.slice(), new Random("sound"), snr).map((x, i) => x - clean[i]!);
    expect(20 * Math.log10(rms(clean) / rms(noise))).toBeCloseTo(snr, 1);
  });

  test("a gap is one stretch of its share, anywhere in the sound", () => {
    const starts = Array.from({ length: 1500 }, (_, seed) => {
      const sound = dropOut(new Float32Array(100).fill(1), new Random("gap", seed), 0.3);
      expect(sound.filter((x) => x === 0)).toHaveLength(30);
      expect(sound.lastIndexOf(0) - sound.indexOf(0)).toBe(29);
      return sound.indexOf(0);
    });
    expect([Math.min(...starts), Math.max(...starts)]).toEqual([0, 70]);
  });
});

test("images: bytes over 255, and mean and deviation taken off", () => {
  const image = imageFromBytes(Uint8Array.of(0, 51, 255));
  expect(image).toEqual(Float32Array.of(0, 0.2, 1));
  expect([...normalizeImage(image, 0.5, 0.5)].map((x) => Number(x.toFixed(5)))).toEqual([-1, -0.6, 1]);
  expect(() => normalizeImage(image, 0, 0)).toThrow(
    "normalizeImage: deviation is 0, expected a finite number above 0.",
  );
});

test("WAV: a header that says what follows, and a loud sound turned down as a whole", () => {
  const bytes = encodeWav(Float32Array.of(0, 1, -2, 0.5), 8000);
  const view = new DataView(bytes.buffer);
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  expect([0, 8, 12, 36].map(text)).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect([4, 16, 24, 28, 40].map((at) => view.getUint32(at, true))).toEqual([44, 16, 8000, 16000, 8]);
  expect([20, 22, 32, 34].map((at) => view.getUint16(at, true))).toEqual([1, 1, 2, 16]);
  expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, 16384, -32767, 8192]);
});
