import { describe, expect, test } from "vitest";
import { addImageNoise, addSoundNoise, changeSpeed, dropOut, hideBand } from "../../demo/tridigits/corrupt.ts";
import { Random } from "../../src/data/index.ts";

const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

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
