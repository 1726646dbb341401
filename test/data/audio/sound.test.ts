import { describe, expect, test } from "vitest";
import { DataError, frames, mono, normalizeLevel, normalizePeak, preEmphasis } from "../../../src/data/index.ts";
import { rms, sound } from "../sound.ts";

describe("sound", () => {
  test("mono is the mean, peak and level are what was asked for, silence stays", () => {
    const channels = [Float32Array.of(1, 0), Float32Array.of(0, -0.5)];
    expect(mono({ sampleRate: 8000, channels })).toEqual(Float32Array.of(0.5, -0.25));
    expect(normalizePeak(Float32Array.of(0.1, -0.25), 0.5)).toEqual(Float32Array.of(0.2, -0.5));
    expect(20 * Math.log10(rms(normalizeLevel(sound(500), -12)))).toBeCloseTo(-12, 4);
    for (const f of [normalizePeak, normalizeLevel]) expect(f(new Float32Array(3))).toEqual(new Float32Array(3));
    expect(() => mono({ sampleRate: 1, channels: [] })).toThrow(DataError);
  });

  test("pre-emphasis and frames", () => {
    expect(preEmphasis(Float32Array.of(1, 1, 0, 2), 0.5)).toEqual(Float32Array.of(1, 0.5, -0.5, 2));
    expect(frames(Float32Array.of(1, 2, 3, 4, 5), 3, 2)).toEqual({
      data: Float32Array.of(1, 2, 3, 3, 4, 5),
      frames: 2,
    });
    expect(frames(Float32Array.of(1), 3, 2)).toEqual({ data: Float32Array.of(1, 0, 0), frames: 1 });
    expect(frames(new Float32Array(0), 3, 2).frames).toBe(0);
    expect(() => frames(sound(5), 3, 0)).toThrow("frames: hop is 0, expected a whole number of at least 1.");
  });
});
