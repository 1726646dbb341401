import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTriDigits } from "../../demo/tridigits/load.ts";
import { setNames, type TriDigits } from "../../demo/tridigits/tridigits.ts";
import { batches, batchOf, decodeMuLaw, encodeMuLaw, LogMel, PowerSpectrum, Random } from "../../src/data/index.ts";

/* TriDigits by the protocol of its README. */

let data: TriDigits;
beforeAll(() => {
  data = loadTriDigits();
});

describe("the sets", () => {
  test.each([
    ["start", 300],
    ["stream", 5700],
    ["validation", 1000],
    ["test-seen", 1500],
    ["test-unseen", 1500],
    ["full", 6000],
  ] as const)("%s has %i examples, equally many of each digit", (name, length) => {
    const set = data.set(name, 1);
    expect(set.length).toBe(length);
    const counts = new Array(10).fill(0);
    for (const { label } of set.places) counts[label] += 1;
    expect(counts).toEqual(new Array(10).fill(length / 10));
  });

  test("pictures: those of the tests are in no other set, and stream and validation share none with the start", () => {
    const range = (name: (typeof setNames)[number]) => {
      const places = data.set(name, 1).places.map(({ index }) => index);
      return [Math.min(...places), Math.max(...places)];
    };
    expect(setNames.map(range)).toEqual([
      [0, 29],
      [30, 599],
      [600, 699],
      [700, 849],
      [700, 849],
      [0, 599],
    ]);
  });

  test("unseen speakers occur in test-unseen alone", () => {
    const speakers = (name: (typeof setNames)[number]) =>
      new Set(
        data
          .clipsOf(name)
          .flat()
          .map((clip) => clip.speaker),
      );
    const unseen = speakers("test-unseen");
    expect(unseen.size).toBe(5);
    expect(data.clipsOf("test-unseen").flat()).toHaveLength(50);
    for (const name of setNames) {
      if (name === "test-unseen") continue;
      for (const speaker of speakers(name)) expect(unseen.has(speaker)).toBe(false);
    }
    expect(data.clipsOf("stream").flat()).toHaveLength(108);
    expect(
      data
        .clipsOf("start")
        .flat()
        .every((clip) => clip.kind === "synthetic"),
    ).toBe(true);
  });

  test("a limit keeps the classes equal, and 0 is an empty set", () => {
    const labels = [...data.set("start", 1, 25)].map(({ label }) => label);
    expect(labels).toHaveLength(25);
    expect(Math.max(...labels.map((l) => labels.filter((x) => x === l).length))).toBe(3);
    expect([...data.set("start", 1, 0)]).toEqual([]);
  });
});

describe("an example", () => {
  test("follows from seed, set, digit and place alone", () => {
    const [a, b] = [data.set("stream", 7).at(123), loadTriDigits().set("stream", 7).at(123)];
    const whole = (e: typeof a) => ({ ...e, wave: e.wave(), clean: e.clean() });
    expect(whole(b)).toEqual(whole(a));
    expect(data.set("stream", 8).at(123).image).not.toEqual(a.image);
    expect(data.set("full", 7).at(0).image).not.toEqual(data.set("start", 7).at(0).image);
  });

  test("sizes, ranges and the padding after its frames", () => {
    for (const e of [...data.set("start", 3, 100)]) {
      expect([e.image.length, e.words.length, e.audio.length]).toEqual([784, 8, 1600]);
      expect(e.image.every((x) => x >= 0 && x <= 1)).toBe(true);
      expect(e.frames).toBeGreaterThan(0);
      expect(e.frames).toBeLessThanOrEqual(50);
      expect(e.audio.subarray(e.frames * 32).every((x) => x === 0)).toBe(true);
      const sound = e.audio.subarray(0, e.frames * 32);
      const mean = sound.reduce((a, b) => a + b, 0) / sound.length;
      expect(mean).toBeCloseTo(0, 4);
      expect(sound.reduce((a, b) => a + (b - mean) ** 2, 0) / sound.length).toBeCloseTo(1, 3);
      expect([...e.words].every((id) => id !== 1 && id < data.tokenizer.size)).toBe(true);
      expect(data.tokenizer.decode(e.words)).toBe(e.hint.toLowerCase());
    }
  });

  test("a band of 9 rows or columns has no ink: its mean is that of clipped noise", () => {
    // E max(0, N(0, 0.25)) is 0.0997; a band of 252 pixels strays from it by 0.01 or so.
    for (const e of [...data.set("start", 5, 30)]) {
      const line = (k: number, rows: boolean) => {
        let sum = 0;
        for (let j = 0; j < 28; j++) sum += e.image[rows ? k * 28 + j : j * 28 + k]!;
        return sum / 28;
      };
      const means = [true, false].flatMap((rows) =>
        Array.from({ length: 9 }, (_, i) => {
          const first = 5 + i;
          return Array.from({ length: 9 }, (_, k) => line(first + k, rows)).reduce((a, b) => a + b, 0) / 9;
        }),
      );
      expect(Math.min(...means.map((m) => Math.abs(m - 0.0997)))).toBeLessThan(0.035);
    }
  });

  test("a fifth of the hints is empty; the others are true of the digit", () => {
    const set = data.set("start", 1);
    const empty = [...set].filter((e) => e.hint === "").length / set.length;
    expect(empty).toBeGreaterThan(0.12);
    expect(empty).toBeLessThan(0.28);
  });

  test("a gap of three tenths is in the sound", () => {
    const wave = data.set("stream", 1).at(5).wave();
    let longest = 0;
    let run = 0;
    for (const x of wave) {
      run = x === 0 ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    expect(longest / wave.length).toBeCloseTo(0.3, 2);
  });
});

test("batches are the examples side by side, each once", () => {
  const set = data.set("start", 1, 33);
  const all = [...batches(set, 8, new Random("order"))];
  expect(all.map((b) => b.label.length)).toEqual([8, 8, 8, 8, 1]);
  const labels = all.flatMap((b) => [...b.label]);
  expect([...labels].sort()).toEqual([...set].map((e) => e.label).sort());
  expect(labels).not.toEqual([...set].map((e) => e.label));
  const two = batchOf([set.at(3), set.at(4)]);
  expect(two.image.subarray(784)).toEqual(set.at(4).image);
  expect([...two.frames]).toEqual([set.at(3).frames, set.at(4).frames]);
});

describe("sound", () => {
  test("µ-law: every code comes back, and the loudest is 32124", () => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const samples = decodeMuLaw(codes);
    expect(samples[0]! * 32768).toBe(-32124);
    expect(samples[128]! * 32768).toBe(32124);
    expect(samples[255]).toBe(0);
    // 127 is -0, and comes back as 0.
    expect([...encodeMuLaw(samples)]).toEqual([...codes].map((code) => (code === 127 ? 255 : code)));
  });

  test("the power spectrum is that of the Fourier sum", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(4, 8, 64),
        fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
        (n, numbers) => {
          const x = Float64Array.from([...numbers.take(n)]);
          const power = new PowerSpectrum(n).of(x);
          for (let k = 0; k <= n / 2; k++) {
            let [re, im] = [0, 0];
            x.forEach((v, t) => {
              re += v * Math.cos((2 * Math.PI * k * t) / n);
              im -= v * Math.sin((2 * Math.PI * k * t) / n);
            });
            expect(power[k]).toBeCloseTo(re * re + im * im, 9);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a tone of 1,000 Hz is loudest in the band that holds it", () => {
    const tone = Float32Array.from({ length: 4000 }, (_, t) => Math.sin((2 * Math.PI * 1000 * t) / 8000));
    const { data: features, frames, bands } = new LogMel({ standardize: false }).of(tone);
    expect(frames).toBe(Math.min(50, 1 + Math.floor((4000 - 256) / 160)));
    const mel = (f: number) => 2595 * Math.log10(1 + f / 700);
    const step = (mel(3800) - mel(60)) / (bands + 1);
    const expected = Math.round((mel(1000) - mel(60)) / step) - 1;
    const row = [...features.subarray(0, bands)];
    expect(Math.abs(row.indexOf(Math.max(...row)) - expected)).toBeLessThanOrEqual(1);
  });
});

test("an example of one's own is prepared as those of the sets are", () => {
  const { id, label, image, words, audio, frames, hint, wave } = data.set("stream", 1).at(7);
  expect(data.example({ id, label, image, wave: wave(), hint })).toEqual({ id, label, image, words, audio, frames });
  expect(data.example({ id })).toMatchObject({ label: 0, frames: 1 });
  expect(() => data.example({ id, image: new Float32Array(10) })).toThrow(/10 numbers, expected 784/);
});
