import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DataError,
  decodeMuLaw,
  encodeMuLaw,
  encodeWav,
  imageFromBytes,
  normalizeImage,
  PADDING,
  Tokenizer,
  UNKNOWN,
} from "../../src/data/index.ts";

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
    expect(decodeMuLaw(encodeMuLaw([2, -2])).map((x) => x * 32768)).toEqual(Float32Array.of(32124, -32124));
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
