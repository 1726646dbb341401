import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countLabels, lowestRelativeCount, optimisticArgmax } from "../../../src/rl/algorithms/labelCounts.ts";

describe("confirmations", () => {
  it("count labels and judgements that said right, and no others", () => {
    const judged = [
      { action: 1, reward: 1 },
      { action: 1, reward: -1 },
      { action: 2, reward: 0.5 },
      { action: 0, reward: 0 },
    ];
    expect(countLabels([{ label: 2 }, { label: 2 }], judged, 4)).toEqual([0, 1, 3, 0]);
  });

  it("tell how far the least is from the mean", () => {
    expect(lowestRelativeCount([4, 4, 4])).toBe(1);
    expect(lowestRelativeCount([1, 5, 6])).toBe(0.25);
    expect(lowestRelativeCount([0, 9])).toBe(0);
    expect(lowestRelativeCount([0, 0])).toBe(0);
  });
});

describe("greedy", () => {
  it("is the likeliest answer where all were confirmed, where none was, and where nothing is known of that", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (p) => {
        const plain = p.indexOf(Math.max(...p));
        expect(optimisticArgmax(p)).toBe(plain);
        expect(
          optimisticArgmax(
            p,
            p.map(() => 0),
          ),
        ).toBe(plain);
        expect(
          optimisticArgmax(
            p,
            p.map((_, a) => 30 + (a % 2)),
          ),
        ).toBe(plain);
      }),
    );
  });

  it("tries what was never confirmed where nothing else is sure", () => {
    expect(optimisticArgmax([0.4, 0.35, 0.01, 0.24], [20, 20, 0, 20])).toBe(2);
    expect(optimisticArgmax([0.9, 0.05, 0.01, 0.04], [20, 20, 0, 20])).toBe(0);
    // The benefit shrinks as confirmations come: with 4 of 16 in the mean it is a quarter.
    expect(optimisticArgmax([0.4, 0.35, 0.01, 0.24], [20, 20, 4, 20])).toBe(0);
    expect(optimisticArgmax([0.25, 0.24, 0.01, 0.2], [20, 20, 4, 20])).toBe(2);
  });
});
