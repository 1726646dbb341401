import { describe, expect, it } from "vitest";
import { Random } from "../../src/data/random.ts";
import {
  aggregateLabels,
  cohenKappa,
  fleissKappa,
  type Judgement,
  type Rating,
  ratingsOf,
  reliability,
  selfConsistency,
  simulatedPerson,
} from "../../src/rl/index.ts";

const rating = (item: string, judge: string, category: string): Rating => ({ item, judge, category });
const pairs = (counts: readonly (readonly [string, string, number])[]) =>
  counts.flatMap(([a, b, n], k) =>
    Array.from({ length: n }, (_, i) => [rating(`${k}.${i}`, "a", a), rating(`${k}.${i}`, "b", b)]).flat(),
  );

describe("agreement", () => {
  it("Cohen's kappa is that of the textbook's grant proposals", () => {
    const ratings = pairs([
      ["yes", "yes", 20],
      ["yes", "no", 5],
      ["no", "yes", 10],
      ["no", "no", 15],
    ]);
    const { kappa, observed, expected, items } = cohenKappa(ratings, "a", "b");
    expect([observed, items]).toEqual([0.7, 50]);
    expect(expected).toBeCloseTo(0.5, 12);
    expect(kappa).toBeCloseTo(0.4, 12);
    expect(cohenKappa(ratings, "b", "a").kappa).toBeCloseTo(kappa, 12);
  });

  it("Fleiss' kappa is that of the worked example of fourteen judges and ten subjects", () => {
    // https://en.wikipedia.org/wiki/Fleiss%27_kappa: how many of 14 chose each of five categories.
    const table = [
      [0, 0, 0, 0, 14],
      [0, 2, 6, 4, 2],
      [0, 0, 3, 5, 6],
      [0, 3, 9, 2, 0],
      [2, 2, 8, 1, 1],
      [7, 7, 0, 0, 0],
      [3, 2, 6, 3, 0],
      [2, 5, 3, 2, 2],
      [6, 5, 2, 1, 0],
      [0, 2, 2, 3, 7],
    ];
    const ratings = table.flatMap((row, i) =>
      row
        .flatMap((n, c) => new Array<string>(n).fill(`${c}`))
        .map((category, judge) => rating(`${i}`, `${judge}`, category)),
    );
    const { kappa, observed, expected, items } = fleissKappa(ratings);
    expect(items).toBe(10);
    expect(observed).toBeCloseTo(0.378, 3);
    expect(expected).toBeCloseTo(0.213, 3);
    expect(kappa).toBeCloseTo(0.21, 3);
  });

  it("leaves out items with one rating, and a judge's second word on an item", () => {
    const ratings = [
      rating("1", "a", "x"),
      rating("1", "b", "x"),
      rating("2", "a", "y"),
      rating("2", "b", "y"),
      rating("3", "a", "x"),
      rating("1", "a", "y"),
    ];
    expect(fleissKappa(ratings)).toMatchObject({ kappa: 1, items: 2 });
    expect(cohenKappa(ratings, "a", "b")).toMatchObject({ kappa: 1, items: 2 });
    expect(selfConsistency(ratings, "a")).toMatchObject({ observed: 0, items: 1 });
  });

  it("of people who guess is about 0, and of one with himself what his noise says", () => {
    const random = new Random("guess");
    const guesses = Array.from({ length: 2000 }, (_, i) => [
      rating(`${i}`, "a", random.uniform() < 0.7 ? "x" : "y"),
      rating(`${i}`, "b", random.uniform() < 0.7 ? "x" : "y"),
    ]).flat();
    expect(Math.abs(cohenKappa(guesses, "a", "b").kappa)).toBeLessThan(0.06);
    const person = simulatedPerson({ seed: 1, labelNoise: 0.2 });
    const twice = [0, 1].flatMap(() =>
      Array.from({ length: 2000 }, (_, id) => {
        const answer = person.judge({ id, label: id % 2 }, 0);
        return rating(`${id}`, person.name, "reward" in answer && answer.reward > 0 ? "x" : "y");
      }),
    );
    // Both right, or both wrong: 0.8² + 0.2².
    expect(selfConsistency(twice, person.name).observed).toBeCloseTo(0.68, 1);
  });

  it("says what is missing", () => {
    expect(() => cohenKappa([rating("1", "a", "x")], "a", "b")).toThrow(/no item was rated by both a and b/);
    expect(() => fleissKappa([rating("1", "a", "x")])).toThrow(/no item was rated by two/);
    expect(() => selfConsistency([rating("1", "a", "x")], "a")).toThrow(/nothing was put to a twice/);
  });
});

describe("reliability", () => {
  /** Judges of given accuracies rate items of two kinds; each item meets some of them. */
  function ratings(accuracies: Record<string, number>, n: number, meets: number) {
    const random = new Random("judges", n);
    const truth = Array.from({ length: n }, () => (random.uniform() < 0.6 ? "approved" : "disapproved"));
    const said = truth.flatMap((right, i) => {
      const judges = random.shuffle(Object.entries(accuracies)).slice(0, meets);
      const wrong = right === "approved" ? "disapproved" : "approved";
      return judges.map(([judge, accuracy]) => rating(`${i}`, judge, random.uniform() < accuracy ? right : wrong));
    });
    return { truth, said };
  }

  it("finds how good each judge is without being told what is right", () => {
    const accuracies = { ann: 0.97, ben: 0.9, cyd: 0.8, dan: 0.65, eve: 0.5 };
    const { said } = ratings(accuracies, 800, 4);
    const { accuracy, prior, categories } = reliability(said);
    expect(categories).toEqual(["approved", "disapproved"]);
    expect(prior[0]).toBeCloseTo(0.6, 1);
    for (const [judge, p] of Object.entries(accuracies)) {
      expect(Math.abs(accuracy.get(judge)! - p), judge).toBeLessThan(0.05);
    }
  });

  it("is right more often than the majority where one of three knows better", () => {
    const { truth, said } = ratings({ ann: 0.97, ben: 0.62, cyd: 0.6 }, 600, 3);
    const { items } = reliability(said);
    const votes = new Map<string, number>();
    for (const { item, category } of said) {
      votes.set(item, (votes.get(item) ?? 0) + (category === "approved" ? 1 : -1));
    }
    const share = (approves: (i: string) => boolean) =>
      truth.filter((right, i) => approves(`${i}`) === (right === "approved")).length / truth.length;
    const majority = share((i) => votes.get(i)! > 0);
    const weighed = share((i) => items.get(i)![0]! > 0.5);
    expect(majority).toBeLessThan(0.85);
    expect(weighed).toBeGreaterThan(0.94);
  });

  it("a judge who always says the opposite is heard the other way round", () => {
    const { truth, said } = ratings({ ann: 0.9, ben: 0.9, cyd: 0.9, liar: 0.05 }, 600, 4);
    const { confusion, items } = reliability(said);
    expect(confusion.get("liar")![0]![1]).toBeGreaterThan(0.85);
    const right = truth.filter((one, i) => items.get(`${i}`)![0]! > 0.5 === (one === "approved")).length;
    expect(right / truth.length).toBeGreaterThan(0.96);
  });

  it("makes one judgement of several, with the reward that all of them say together", () => {
    const { truth, said } = ratings({ ann: 0.95, ben: 0.9, cyd: 0.6 }, 400, 2);
    const judgements = said.map(
      ({ item, judge, category }, i) =>
        ({
          kind: "judgement",
          id: `${i}`,
          example: item,
          action: 3,
          judge,
          reward: category === "approved" ? 1 : -1,
          purpose: "training",
        }) as Judgement,
    );
    judgements.push({ ...judgements[0]!, id: "skip", reward: null }, { ...judgements[0]!, purpose: "evaluation" });
    const together = aggregateLabels(judgements);
    expect(together.map(({ example }) => example)).toEqual([...new Set(said.map(({ item }) => item))]);
    expect(together.every(({ reward }) => Math.abs(reward) <= 1)).toBe(true);
    const agrees = together.filter(({ example, reward }) => reward > 0 === (truth[Number(example)] === "approved"));
    expect(agrees.length / together.length).toBeGreaterThan(0.9);
    // Where two good judges differ, little is to be learned.
    const [a, b] = [reliability(ratingsOf(judgements)).accuracy.get("ann")!, 0.9];
    expect(a).toBeGreaterThan(b - 0.05);
  });

  it("of no ratings is empty, and one judge alone is believed", () => {
    expect(reliability([]).items.size).toBe(0);
    const alone = Array.from({ length: 20 }, (_, i) => rating(`${i}`, "a", i % 3 === 0 ? "y" : "x"));
    const { items } = reliability(alone);
    expect(items.get("0")![1]).toBeGreaterThan(0.6);
    expect(items.get("1")![0]).toBeGreaterThan(0.6);
  });
});
