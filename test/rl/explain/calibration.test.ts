import { describe, expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { calibration } from "../../../src/rl/index.ts";

describe("calibration", () => {
  it("is the error of the equation, worked out by hand", () => {
    const p = [
      [0.9, 0.1],
      [0.9, 0.1],
      [0.3, 0.7],
      [0.4, 0.6],
    ];
    // Of the two at 0.9 one is right, of those at 0.7 and 0.6 both are.
    const { ece, bins } = calibration(p, [0, 1, 1, 1], { bins: 5 });
    expect(ece).toBeCloseTo((2 / 4) * 0.4 + (1 / 4) * 0.3 + (1 / 4) * 0.4, 12);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 1, 1, 2]);
    expect(bins[4]).toMatchObject({ accuracy: 0.5, confidence: 0.9 });
    expect(calibration(p, [true, false, true, true], { bins: 5 }).ece).toBeCloseTo(ece, 12);
  });

  it("is near 0 for who is as often right as said, and large for who exaggerates", () => {
    const random = new Random("calibration");
    const rows = Array.from({ length: 20_000 }, () => {
      const p = 0.5 + 0.5 * random.uniform();
      return { p, right: random.uniform() < p };
    });
    const right = rows.map((row) => row.right);
    const ece = (sure: (p: number) => number) =>
      calibration(
        rows.map(({ p }) => [sure(p), 1 - sure(p)]),
        right,
      ).ece;
    expect(ece((p) => p)).toBeLessThan(0.02);
    expect(ece((p) => 0.9 + 0.1 * p)).toBeGreaterThan(0.2);
  });

  it("refuses what is not of one size", () => {
    expect(() => calibration([[1]], [])).toThrow(/1 rows of probabilities and 0 labels/);
    expect(() => calibration([], [])).toThrow(RangeError);
  });
});
