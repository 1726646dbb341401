import { describe, expect, test } from "vitest";
import { resample } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";

describe("resampling", () => {
  test("there and back again is the sound, where it holds no high frequencies", () => {
    const x = Float32Array.from({ length: 4000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 16000));
    const back = resample(resample(x, 16000, 22050), 22050, 16000);
    expect(apart(back.subarray(100, 3900), x.subarray(100, 3900))).toBeLessThan(2e-3);
  });

  test("rates without a common divisor cost no more memory than a rate of samples", () => {
    const x = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i / 20));
    const y = resample(x, 44101, 48000);
    expect(y).toHaveLength(Math.ceil((3000 * 48000) / 44101));
    const at = 1500;
    expect(y[at]).toBeCloseTo(Math.sin((at * 44101) / 48000 / 20), 2);
  });
});
