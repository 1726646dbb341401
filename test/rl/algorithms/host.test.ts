import { describe, expect, test } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { Baseline, baselineDefaults, groupByExample } from "../../../src/rl/algorithms/baseline.ts";
import { estimateNoise } from "../../../src/rl/algorithms/noise.ts";
import { likelihood } from "../../../src/rl/algorithms/posterior.ts";
import { clipped, whitened } from "../../../src/rl/algorithms/rewards.ts";

/* What the rules compute on the host. */

const answer = (id: string, reward: number, probabilities = [0.5, 0.3, 0.2]) => ({
  example: { id },
  reward,
  probabilities,
});

describe("baselines", () => {
  test("none leaves rewards; the average is that of the rewards before", () => {
    const judged = [answer("a", 1), answer("b", -1), answer("c", 1)];
    expect(new Baseline({ ...baselineDefaults, baseline: "none" }).advantages(judged)).toEqual([1, -1, 1]);
    const average = new Baseline({ ...baselineDefaults, baseline: "average", baselineDecay: 0.5 });
    expect(average.advantages(judged)).toEqual([1, -1.5, 1.25]);
    expect(average.state().average).toEqual([0.375]);
  });

  test("leave-one-out is the mean of the others about the same example", () => {
    const baseline = new Baseline({ ...baselineDefaults, baseline: "leaveOneOut", baselineDecay: 0.5 });
    const judged = [answer("a", 1), answer("b", 1), answer("a", -1), answer("a", 0.5)];
    // b is alone, and takes the moving average, which is 0.5 after a's first reward.
    expect(baseline.advantages(judged)).toEqual([1 - -0.25, 1 - 0.5, -1 - 0.75, 0.5 - 0]);
  });

  test("the learned value tells sure answers from unsure ones, and is resumed exactly", () => {
    const random = new Random("value");
    const make = (n: number) =>
      Array.from({ length: n }, (_, i) => {
        const sure = random.uniform() < 0.5;
        return answer(
          `e${i}`,
          random.uniform() < (sure ? 0.95 : 0.2) ? 1 : -1,
          sure ? [0.98, 0.01, 0.01] : [0.4, 0.3, 0.3],
        );
      });
    const size = (numbers: number[]) => numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length;
    const value = new Baseline({ ...baselineDefaults, baseline: "value" });
    value.advantages(make(400));
    const later = make(400);
    const again = new Baseline({ ...baselineDefaults, baseline: "value" });
    again.loadState(JSON.parse(JSON.stringify(value.state())), 3);
    const advantages = value.advantages(later);
    expect(again.advantages(later)).toEqual(advantages);
    // The variance that is left: by far the smaller share of that of the rewards about their mean.
    const mean = later.reduce((sum, { reward }) => sum + reward, 0) / later.length;
    expect(size(advantages)).toBeLessThan(0.75 * size(later.map(({ reward }) => reward - mean)));
  });

  test("groups keep their order", () => {
    const groups = groupByExample([answer("a", 1), answer("b", 2), answer("a", 3)]);
    expect([...groups].map(([id, group]) => [id, group.map(({ reward }) => reward)])).toEqual([
      ["a", [1, 3]],
      ["b", [2]],
    ]);
  });
});

describe("rewards", () => {
  test("clipped and whitened", () => {
    expect([-3, -0.5, 2].map((r) => clipped(r, 1))).toEqual([-1, -0.5, 1]);
    const white = whitened([1, 2, 3, 6]);
    expect(white.reduce((a, b) => a + b)).toBeCloseTo(0, 6);
    expect(white.reduce((sum, a) => sum + a * a, 0) / 4).toBeCloseTo(1, 6);
    expect(whitened([2, 2])).toEqual([0, 0]);
  });
});

describe("the share of mistaken judgements", () => {
  /** A policy whose odds are `temperature` times what they should be, and people who are mistaken with share `noise`. */
  function log(n: number, noise: number, temperature: number, seed: number) {
    const random = new Random("noise", seed);
    return Array.from({ length: n }, () => {
      const odds = 6 * random.uniform() - 1.5;
      const right = random.uniform() < 1 / (1 + Math.exp(-odds));
      const reward = (random.uniform() < noise ? !right : right) ? 1 : -1;
      return { p: 1 / (1 + Math.exp(-temperature * odds)), reward };
    });
  }

  test.each([
    [0, 1],
    [0, 2],
    [0.1, 1],
    [0.1, 2],
    [0.25, 1.4],
  ])("of %f is found in 1,000 judgements, whatever the policy boasts (by %f)", (noise, temperature) => {
    const estimates = [1, 2, 3, 4, 5].map((seed) => estimateNoise(log(1000, noise, temperature, seed)));
    const mean = estimates.reduce((a, b) => a + b) / estimates.length;
    // Many mistakes look like a boastful policy: of a quarter, the estimate is some points short.
    expect(Math.abs(mean - noise)).toBeLessThan(noise > 0.2 ? 0.08 : 0.035);
  });

  test("few judgements are not called mistakes, and none give the prior", () => {
    expect(estimateNoise([])).toBeLessThan(0.1);
    expect(estimateNoise(log(20, 0, 1, 1))).toBeLessThan(0.15);
    expect(estimateNoise([{ p: 0.9, reward: 0 }])).toBe(estimateNoise([]));
  });
});

test("the likelihood of verdicts is that of the equation, also of several about one example", () => {
  expect(likelihood([{ action: 1, reward: 1 }], 0.1, 3)).toEqual([0.1, 0.9, 0.1]);
  expect(likelihood([{ action: 1, reward: -1 }], 0.1, 3)).toEqual([0.9, 0.1, 0.9]);
  const both = likelihood(
    [
      { action: 1, reward: 1 },
      { action: 1, reward: -1 },
    ],
    0.1,
    3,
  );
  for (const p of both) expect(p).toBeCloseTo(0.09, 12);
  // A reward of 0 says nothing.
  expect(likelihood([{ action: 0, reward: 0 }], 0.1, 2)).toEqual([1, 1]);
});
