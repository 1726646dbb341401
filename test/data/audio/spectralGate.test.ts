import { describe, expect, test } from "vitest";
import { Random, spectralGate } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { rms, sound } from "../sound.ts";

describe("spectral gate", () => {
  /** Half a second of tone between two quarters of silence, 16,000 Hz. */
  const clean = Float32Array.from({ length: 16000 }, (_, i) =>
    i >= 4000 && i < 12000 ? 0.3 * Math.sin((2 * Math.PI * 700 * i) / 16000) : 0,
  );
  const random = new Random("gate");
  /** Noise 10 dB below the RMS of the whole. */
  const deviation = rms(clean) * 10 ** (-10 / 20);
  const noisy = clean.map((x) => x + deviation * random.normal());
  const error = (x: Float32Array) => 20 * Math.log10(rms(x.map((v, i) => v - clean[i]!)));

  test("takes at least 10 dB of the noise off, and leaves the tone", () => {
    for (const noise of [undefined, noisy.slice(0, 3500)]) {
      const gated = spectralGate(noisy, noise ? { noise } : {});
      expect(error(noisy) - error(gated)).toBeGreaterThan(10);
      expect(rms(gated.subarray(5000, 11000)) / rms(clean.subarray(5000, 11000))).toBeCloseTo(1, 1);
    }
  });

  test("with no reduction the sound comes back, to its ends", () => {
    for (const n of [1, 100, 512, 3001]) {
      for (const hop of [64, 200, 256]) {
        expect(apart(spectralGate(sound(n), { reduction: 0, hop }), sound(n))).toBeLessThan(1e-6);
      }
    }
    expect(spectralGate(new Float32Array(0))).toHaveLength(0);
    expect(() => spectralGate(sound(99), { hop: 300 })).toThrow("from 1 to 256 (half of fft), is 300");
    expect(() => spectralGate(sound(99), { noise: sound(10) })).toThrow(
      "the noise has 10 samples, expected at least 512",
    );
  });
});
