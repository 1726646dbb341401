import { describe, expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import {
  directMethod,
  doublyRobust,
  effectiveSampleSize,
  fitRewards,
  ips,
  type LoggedAction,
  rowsOf,
  snips,
} from "../../../src/rl/estimate/index.ts";
import type { Judgement } from "../../../src/rl/judgement.ts";
import { drawLog, world } from "./world.ts";

describe("each method", () => {
  const row = (action: number, reward: number, target: number[], example = `${action}/${reward}`): LoggedAction => ({
    example,
    action,
    reward,
    propensity: 0.5,
    logged: [0.5, 0.5],
    target,
    weight: 1,
  });
  const rows = [row(0, 1, [0.9, 0.1]), row(1, -1, [0.4, 0.6])];

  it("gives the figure of its equation, worked out by hand", () => {
    // w = 1.8 and 1.2.
    expect(ips(rows).value).toBeCloseTo((1.8 - 1.2) / 2, 12);
    expect(snips(rows).value).toBeCloseTo((1.8 - 1.2) / 3, 12);
    expect(ips(rows).effectiveSampleSize).toBeCloseTo(9 / (1.8 ** 2 + 1.2 ** 2), 12);
    // se² = 2 / 1 · (1.5² + 1.5²) / 2², the two being 1.5 from their mean of 0.3.
    expect(ips(rows).standardError).toBeCloseTo(1.5, 12);
    expect(ips(rows).high - ips(rows).low).toBeCloseTo(2 * 1.959964 * 1.5, 5);
    const rewards = () => (_: LoggedAction, action: number) => (action === 0 ? 0.5 : -0.5);
    expect(directMethod(rows, { rewards }).value).toBeCloseTo((0.4 - 0.1) / 2, 12);
    // 0.4 + 1.8 (1 − 0.5) and −0.1 + 1.2 (−1 + 0.5).
    expect(doublyRobust(rows, { rewards }).value).toBeCloseTo((1.3 - 0.7) / 2, 12);
  });

  it("counts an example as many times as it stands for", () => {
    const twice = [rows[0]!, rows[0]!, rows[1]!].map((one, i) => ({ ...one, example: `e${i}` }));
    const weighted = [{ ...rows[0]!, weight: 2 }, rows[1]!];
    const rewards = () => () => 0.25;
    for (const method of [ips, snips, (r: LoggedAction[]) => doublyRobust(r, { rewards })]) {
      expect(method(weighted).value).toBeCloseTo(method(twice).value, 12);
    }
  });

  it("of the policy that answered itself is the mean reward, with all judgements effective", () => {
    const same = drawLog(world("d", "right"), 50, new Random(1)).map((one) => ({ ...one, target: one.logged }));
    const mean = same.reduce((sum, { reward }) => sum + reward, 0) / 50;
    for (const method of [ips, snips]) {
      expect(method(same).value).toBeCloseTo(mean, 12);
      expect(method(same).effectiveSampleSize).toBeCloseTo(50, 9);
    }
  });

  it("refuses to be sure of one example, and of answers that the policy never gives", () => {
    for (const method of [ips, snips, directMethod, doublyRobust]) {
      expect(() => method([rows[0]!, rows[0]!])).toThrow(RangeError);
    }
    expect(() => snips([row(0, 1, [0, 1], "a"), row(0, 1, [0, 1], "b")])).toThrow(/weights that are all 0/);
  });

  it("the effective size of equal weights is their number", () => {
    expect(effectiveSampleSize([2, 2, 2])).toBeCloseTo(3, 12);
    expect(effectiveSampleSize([1, 0, 0])).toBe(1);
    expect(effectiveSampleSize([])).toBe(0);
  });
});

describe("the reward model of the log alone", () => {
  it("finds the coefficients that a log was drawn with", () => {
    const kinds = world("e", "right");
    const rows = drawLog(kinds, 20_000, new Random(2));
    const model = fitRewards(rows);
    const error = kinds.map(({ logged, target, reward }) => {
      const one: LoggedAction = { ...rows[0]!, logged, target };
      return Math.max(...reward.map((r, a) => Math.abs(model(one, a) - r)));
    });
    expect(Math.max(...error)).toBeLessThan(0.1);
  });

  it("stays finite where all agree", () => {
    const rows = drawLog(world("f", "right"), 30, new Random(3)).map((one) => ({ ...one, reward: 1 }));
    const model = fitRewards(rows.map((one) => ({ ...one, target: one.logged })));
    expect(model(rows[0]!, 0)).toBeGreaterThan(0.9);
    expect(model(rows[0]!, 0)).toBeLessThanOrEqual(1);
  });
});

describe("rowsOf", () => {
  const judgement = (changes: Partial<Judgement>) =>
    ({
      kind: "judgement",
      example: "e",
      action: 0,
      reward: 1,
      propensity: 0.25,
      probabilities: [0.25, 0.75],
      inclusionProbability: 0.5,
      purpose: "training",
      ...changes,
    }) as Judgement;

  it("leaves out skips, evaluation and examples that the policy was not asked about", () => {
    const all = [
      judgement({}),
      judgement({ reward: null }),
      judgement({ purpose: "evaluation" }),
      judgement({ example: "other" }),
    ];
    const rows = rowsOf(all, (example) => (example === "e" ? [1, 0] : undefined));
    expect(rows).toEqual([
      { example: "e", action: 0, reward: 1, propensity: 0.25, logged: [0.25, 0.75], target: [1, 0], weight: 2 },
    ]);
  });

  it("weighs by the chance of being asked only where all are known", () => {
    const weights = (chances: (number | null)[]) =>
      rowsOf(
        chances.map((inclusionProbability) => judgement({ inclusionProbability })),
        () => [1, 0],
      ).map(({ weight }) => weight);
    expect(weights([0.5, 0.1])).toEqual([2, 10]);
    expect(weights([0.5, null])).toEqual([1, 1]);
  });

  it("refuses a policy of other actions", () => {
    expect(() => rowsOf([judgement({})], () => [1, 0, 0])).toThrow(/3 actions for example e, the log has 2/);
  });
});
