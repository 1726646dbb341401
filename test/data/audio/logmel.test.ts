import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fft, LogMel } from "../../../src/data/index.ts";
import { sound } from "../sound.ts";

/** By fixtures/make_logmel.py: numpy, in float64. */
const cases: { samples: number; frames: number; raw: number[]; standardized: number[] }[] = JSON.parse(
  readFileSync(new URL("../fixtures/logmel.json", import.meta.url), "utf8"),
);

describe("log-mel features", () => {
  test.each(cases)("of $samples samples are numpy's", ({ samples, frames, raw, standardized }) => {
    for (const [standardize, expected] of [
      [false, raw],
      [true, standardized],
    ] as const) {
      const features = new LogMel({ standardize }).of(sound(samples));
      expect([features.frames, features.data.length]).toEqual([frames, expected.length]);
      const worst = Math.max(...expected.map((x, i) => Math.abs(x - features.data[i]!)));
      expect(worst).toBeLessThan(2e-6);
    }
  });

  test("frames: none of nothing, one of little, never more than maxFrames", () => {
    const logMel = new LogMel();
    expect([0, 1, 255, 256, 415, 416, 8095, 8096, 8256, 80000].map((n) => logMel.frames(n))).toEqual([
      0, 1, 1, 1, 1, 2, 49, 50, 50, 50,
    ]);
    expect(logMel.of(sound(9000)).data).toHaveLength(50 * 32);
    expect(logMel.of(new Float32Array(0)).data).toHaveLength(0);
  });

  test("silence is 0 everywhere, not a number divided by 0", () => {
    expect(new LogMel().of(new Float32Array(1000)).data.every((x) => x === 0)).toBe(true);
  });

  test("what is left of the given array stays as it was", () => {
    const data = new Float32Array(50 * 32).fill(7);
    const { frames } = new LogMel().of(sound(1500), data);
    expect(data.subarray(frames * 32).every((x) => x === 7)).toBe(true);
    expect(() => new LogMel().of(sound(1500), new Float32Array(10))).toThrow("8 frames of 32 bands do not fit");
  });

  test("options out of their range say so", () => {
    expect(() => new LogMel({ fft: 300.5 })).toThrow("LogMel: fft is 300.5, expected a whole number");
    expect(() => new LogMel({ fft: 128 })).toThrow("a window of 256 samples does not fit into a spectrum of 128");
    expect(() => new LogMel({ hop: 0 })).toThrow("LogMel: hop is 0, expected a whole number of at least 1.");
    expect(() => new LogMel({ high: 5000 })).toThrow("high ≤ sampleRate / 2");
    expect(() => new LogMel({ bands: 200 })).toThrow("fewer bands");
  });
});

test("the Fourier transform is the sum that defines it", () => {
  const numbers = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 4, 32), numbers, (n, values) => {
      const [re, im] = [Float64Array.from(values.slice(0, n)), Float64Array.from(values.slice(32, 32 + n))];
      const [x, y] = [[...re], [...im]];
      new Fft(n).transform(re, im);
      for (let j = 0; j < n; j++) {
        let [a, b] = [0, 0];
        for (let t = 0; t < n; t++) {
          const [c, s] = [Math.cos((2 * Math.PI * j * t) / n), -Math.sin((2 * Math.PI * j * t) / n)];
          a += x[t]! * c - y[t]! * s;
          b += x[t]! * s + y[t]! * c;
        }
        expect(re[j]).toBeCloseTo(a, 10);
        expect(im[j]).toBeCloseTo(b, 10);
      }
    }),
    { numRuns: 40 },
  );
});
