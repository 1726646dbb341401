import { describe, expect, it } from "vitest";
import { Random } from "../../src/data/random.ts";
import { blindAccuracy, type Judgement, rewarded, wilson } from "../../src/rl/index.ts";
import fixture from "../fixtures/intervals.json" with { type: "json" };

const judgement = (example: string, reward: number | null, changes: Partial<Judgement> = {}) =>
  ({
    kind: "judgement",
    example,
    action: 1,
    reward,
    judge: "a",
    model: "m",
    purpose: "evaluation",
    ...changes,
  }) as Judgement;

describe("blind evaluation", () => {
  it("counts answers, not judgements, and only those that were asked for evaluation", () => {
    const said = [
      judgement("1", 1),
      judgement("2", -1),
      judgement("3", 1),
      judgement("3", 1, { judge: "b" }),
      judgement("3", -1, { judge: "c" }),
      judgement("4", null),
      judgement("5", 1),
      judgement("5", -1, { judge: "b" }),
      judgement("6", -1, { purpose: "training" }),
      judgement("7", 1, { model: "other" }),
    ];
    expect(blindAccuracy(said, { model: "m" })).toMatchObject({ accuracy: 2 / 3, answers: 3, undecided: 2 });
    expect(blindAccuracy(said)).toMatchObject({ accuracy: 3 / 4, answers: 4 });
    expect(() => blindAccuracy(said, { model: "none" })).toThrow(/no answer of model none/);
    // And nothing of it is there to be learned from.
    expect(rewarded(said).map(({ example }) => example)).toEqual(["6"]);
  });

  it("has Wilson's interval", () => {
    // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const published = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [k, n, low, high] of published) {
      expect(wilson(k, n).low).toBeCloseTo(low, 4);
      expect(wilson(k, n).high).toBeCloseTo(high, 4);
    }
  });

  it.each(fixture.wilson)("has statsmodels' interval of $k of $n", ({ k, n, low, high }) => {
    expect(wilson(k, n).low).toBeCloseTo(low, 12);
    expect(wilson(k, n).high).toBeCloseTo(high, 12);
  });

  it("covers the true share in about 95 of 100", () => {
    const random = new Random("wilson");
    let covered = 0;
    for (let run = 0; run < 2000; run++) {
      let k = 0;
      for (let i = 0; i < 60; i++) if (random.uniform() < 0.85) k += 1;
      const { low, high } = wilson(k, 60);
      if (low <= 0.85 && 0.85 <= high) covered += 1 / 2000;
    }
    expect(covered).toBeGreaterThan(0.93);
    expect(covered).toBeLessThan(0.98);
  });
});
