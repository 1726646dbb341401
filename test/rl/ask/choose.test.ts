import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { choose, inclusion, type Prediction, scores } from "../../../src/rl/ask/index.ts";

const distribution = (random: Random, A: number) => {
  const powers = Array.from({ length: A }, () => Math.exp(3 * random.normal()));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / sum);
};
const predictions = (seed: number, M: number, K = 3, A = 4): Prediction[] => {
  const random = new Random("predictions", seed);
  return Array.from({ length: M }, () => Array.from({ length: K }, () => distribution(random, A)));
};

describe("scores", () => {
  it("are those of their equations on numbers worked out by hand", () => {
    const sure: Prediction = [[1, 0, 0]];
    const even: Prediction = [[0.5, 0.5, 0]];
    expect(scores.greedy(sure)).toBe(1);
    expect(scores.entropy(sure)).toBe(0);
    expect(scores.entropy(even)).toBeCloseTo(Math.LN2, 12);
    expect(scores.margin([[0.5, 0.3, 0.2]])).toBeCloseTo(-0.2, 12);
    expect(scores.margin([[0.2, 0.3, 0.5]])).toBeCloseTo(-0.2, 12);
    // Two members that are each sure of something else disagree about ln 2; two that are both unsure about nothing.
    const torn: Prediction = [
      [1, 0, 0],
      [0, 1, 0],
    ];
    expect(scores.bald(torn)).toBeCloseTo(Math.LN2, 12);
    expect(scores.bald([even[0]!, even[0]!])).toBeCloseTo(0, 12);
    expect(scores.bald(sure)).toBe(0);
  });

  it("BALD is never negative, and never over the entropy", () => {
    for (const one of predictions(1, 200, 4)) {
      expect(scores.bald(one)).toBeGreaterThan(-1e-12);
      expect(scores.bald(one)).toBeLessThanOrEqual(scores.entropy(one) + 1e-12);
    }
  });

  it("refuse a prediction of nobody", () => {
    expect(() => scores.entropy([])).toThrow(/no members/);
  });
});

describe("choose", () => {
  it("without a floor takes the best, with their names", () => {
    const all = predictions(2, 50);
    for (const by of ["greedy", "entropy", "margin", "bald"] as const) {
      const chosen = choose(all, 7, { by, floor: 0 }, new Random(1));
      const order = all.map((one, i) => ({ i, score: scores[by](one) })).sort((a, b) => b.score - a.score);
      expect(chosen.map(({ index }) => index).sort()).toEqual(
        order
          .slice(0, 7)
          .map(({ i }) => i)
          .sort(),
      );
      expect(
        chosen.every(
          ({ acquisition, inclusionProbability }) => acquisition === `${by}, floor 0` && inclusionProbability === 1,
        ),
      ).toBe(true);
    }
  });

  it("takes as many as asked for, each once, whatever the mixture", () => {
    const weight = fc.double({ min: 0.01, max: 5, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 50 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.record({ uniform: weight, bald: weight, margin: weight }, { requiredKeys: ["bald"] }),
        fc.integer(),
        (M, n, floor, by, seed) => {
          const all = predictions(seed, M, 2, 3);
          const chances = inclusion(all, n, { by, floor }, new Random(seed));
          const size = Math.min(n, M);
          expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(size, 9);
          expect(Math.min(1, ...chances)).toBeGreaterThanOrEqual(size === 0 ? 0 : Math.min(1, (floor * size) / M));
          const chosen = choose(all, n, { by, floor }, new Random(seed));
          expect(new Set(chosen.map(({ index }) => index)).size).toBe(size);
          expect(chosen.length).toBe(size);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("chooses each as often as it says, so that a mean over all is estimated without bias", () => {
    const all = predictions(3, 30);
    // A quantity that goes with the score: the plain mean over the chosen would be far off.
    const f = all.map((one) => scores.entropy(one));
    const truth = f.reduce((a, b) => a + b) / f.length;
    const runs = 20_000;
    const random = new Random("runs");
    const count = new Array<number>(30).fill(0);
    const weighted: number[] = [];
    let plain = 0;
    for (let run = 0; run < runs; run++) {
      const chosen = choose(all, 6, { by: { entropy: 0.7, margin: 0.3 }, floor: 0.3 }, random);
      for (const { index } of chosen) count[index]! += 1;
      weighted.push(
        chosen.reduce((sum, { index, inclusionProbability }) => sum + f[index]! / inclusionProbability, 0) / 30,
      );
      plain += chosen.reduce((sum, { index }) => sum + f[index]!, 0) / 6 / runs;
    }
    const chances = inclusion(all, 6, { by: { entropy: 0.7, margin: 0.3 }, floor: 0.3 }, new Random(0));
    chances.forEach((p, i) => {
      expect(Math.abs(count[i]! / runs - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / runs) + 1e-9);
    });
    const mean = weighted.reduce((a, b) => a + b) / runs;
    const error = Math.sqrt(weighted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / runs / runs);
    expect(Math.abs(mean - truth)).toBeLessThan(4 * error);
    expect(Math.abs(plain - truth)).toBeGreaterThan(20 * error);
  });

  it("breaks ties by chance, and is the same for the same seed", () => {
    const alike = Array.from({ length: 10 }, (): Prediction => [[0.5, 0.5]]);
    const chosen = (seed: number) => choose(alike, 2, { by: "entropy", floor: 0 }, new Random(seed));
    expect(chosen(1)).toEqual(chosen(1));
    const indices = Array.from({ length: 40 }, (_, seed) => chosen(seed).map(({ index }) => index));
    expect(new Set(indices.flat()).size).toBe(10);
  });

  it("refuses what it cannot do", () => {
    const all = predictions(1, 3);
    const by = "entropy";
    expect(() => choose(all, 1.5, { by }, new Random())).toThrow(/n is 1.5/);
    expect(() => choose(all, 1, { by, floor: 2 }, new Random())).toThrow(/floor is 2/);
    expect(() => choose(all, 1, { by: { entropy: -1 } }, new Random())).toThrow(/weight of entropy is -1/);
    expect(() => choose(all, 1, { by: { entropy: 0 } }, new Random())).toThrow(/no score has a weight/);
    expect(() => choose(all, 1, { by: "luck" as "entropy" }, new Random())).toThrow(/no score "luck"/);
  });
});
