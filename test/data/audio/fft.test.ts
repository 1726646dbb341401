import { describe, expect, test } from "vitest";
import { Fft, MelSpectrogram, PowerSpectrum, Random } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { sound } from "../sound.ts";

describe("Fourier transform", () => {
  const random = new Random("fft");
  const numbers = (n: number) => Float64Array.from({ length: n }, () => random.normal());

  /** The sum as it is written. */
  function dft(re: Float64Array, im: Float64Array): [Float64Array, Float64Array] {
    const n = re.length;
    const [x, y] = [new Float64Array(n), new Float64Array(n)];
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        x[j]! += re[k]! * Math.cos(angle) - im[k]! * Math.sin(angle);
        y[j]! += re[k]! * Math.sin(angle) + im[k]! * Math.cos(angle);
      }
    }
    return [x, y];
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 12, 15, 16, 25, 97, 100, 200, 240, 400, 441, 480, 500, 513, 1009])(
    "of %i numbers is the sum",
    (n) => {
      const [re, im] = [numbers(n), numbers(n)];
      const [x, y] = dft(re, im);
      new Fft(n).transform(re, im);
      expect(Math.max(apart(re, x), apart(im, y))).toBeLessThan(1e-11 * n);
      if (n < 2) return;
      const samples = numbers(n);
      const [a, b] = dft(samples, new Float64Array(n));
      const power = new PowerSpectrum(n).of(samples);
      expect(power).toHaveLength(Math.floor(n / 2) + 1);
      expect(
        apart(
          power,
          a.subarray(0, power.length).map((v, i) => v * v + b[i]! * b[i]!),
        ),
      ).toBeLessThan(1e-10 * n);
    },
  );

  test("mel of 400 and of 401 samples: bands of that sum", () => {
    for (const fft of [400, 401]) {
      const mel = new MelSpectrogram({ window: 400, fft, bands: 23 });
      const { filters, window } = mel.matrices();
      const x = sound(900);
      const bins = Math.floor(fft / 2) + 1;
      const found = mel.of(x);
      const expected = Float32Array.from({ length: mel.frames(900) * 23 }, (_, i) => {
        const [t, m] = [Math.floor(i / 23), i % 23];
        const [re, im] = dft(
          window.map((w, j) => w * x[t * 160 + j]!),
          new Float64Array(fft),
        );
        return re.subarray(0, bins).reduce((sum, v, j) => sum + filters[m * bins + j]! * (v * v + im[j]! ** 2), 0);
      });
      expect(found.length).toBeGreaterThan(0);
      expect(apart(found, expected)).toBeLessThan(1e-4);
    }
  });

  test("sizes that cannot be are named", () => {
    for (const size of [0, -1, 2.5, Number.NaN, 2 ** 25]) expect(() => new Fft(size)).toThrow("from 1 to 2^24");
    expect(() => new PowerSpectrum(1)).toThrow("PowerSpectrum: size is 1, expected a whole number from 2 to 2^24.");
  });
});
