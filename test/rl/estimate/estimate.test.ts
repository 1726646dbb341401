import { describe, expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import {
  directMethod,
  doublyRobust,
  type Estimate,
  effectiveSampleSize,
  fitRewards,
  ips,
  type LoggedAction,
  rowsOf,
  snips,
} from "../../../src/rl/estimate/index.ts";
import type { Judgement } from "../../../src/rl/judgement.ts";

/*
 * A world whose truth is known: 500 kinds of examples, for each the probabilities of the policy that answered (μ), of the
 * one that is to be estimated (π), and the chance that a person approves of each action. V = mean over kinds of
 * Σ_a π(a) E[r | a] is computed exactly, and logs are drawn from the world.
 */
interface Kind {
  logged: number[];
  target: number[];
  /** E[r | a], from -1 to 1. */
  reward: number[];
}
const A = 4;
const softmax = (x: readonly number[]) => {
  const powers = x.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((p) => p / sum);
};

/** `model`: whether the default reward model can express what people think. */
function world(seed: string, model: "right" | "wrong"): Kind[] {
  const random = new Random("world", seed);
  return Array.from({ length: 500 }, () => {
    const liking = Array.from({ length: A }, () => random.normal());
    const logged = softmax(liking.map((x) => 0.5 * x + 0.5 * random.normal()));
    const target = softmax(liking.map((x) => 1.5 * x + 0.8 * random.normal()));
    const reward = liking.map((_, a) =>
      model === "right"
        ? 2 / (1 + Math.exp(-(1 + 0.9 * Math.log(target[a]!) + 0.4 * Math.log(logged[a]!)))) - 1
        : // What both policies hold likeliest is disapproved of.
          target[a]! > 0.15 && target[a]! < 0.55
          ? 0.8
          : -0.8,
    );
    return { logged, target, reward };
  });
}
const truth = (kinds: readonly Kind[]) =>
  kinds.reduce((sum, k) => sum + k.target.reduce((s, p, a) => s + p * k.reward[a]!, 0), 0) / kinds.length;

const draw = (p: readonly number[], random: Random) => {
  let left = random.uniform();
  for (const [i, x] of p.entries()) {
    left -= x;
    if (left < 0) return i;
  }
  return p.length - 1;
};

/** n judgements. `judges` people say something of each answer, and agree more often than chance would have it. */
function drawLog(kinds: readonly Kind[], n: number, random: Random, judges = 1): LoggedAction[] {
  return Array.from({ length: n }, (_, i) => {
    const kind = random.choice(kinds);
    const action = draw(kind.logged, random);
    const luck = random.uniform();
    return Array.from({ length: judges }, (_, judge): LoggedAction => {
      const own = judge > 0 && random.uniform() < 0.3 ? random.uniform() : luck;
      const reward = own < (1 + kind.reward[action]!) / 2 ? 1 : -1;
      const { logged, target } = kind;
      return { example: `e${i}`, action, reward, propensity: logged[action]!, logged, target, weight: 1 };
    });
  }).flat();
}

/** Shares of 200 runs whose 95 % interval holds the truth, and the mean error of each method. */
function coverage(
  kinds: readonly Kind[],
  methods: Record<string, (rows: LoggedAction[]) => Estimate>,
  judges = 1,
  seed = "runs",
) {
  const V = truth(kinds);
  const random = new Random(seed);
  const seen = Object.fromEntries(Object.keys(methods).map((name) => [name, { covered: 0, bias: 0, width: 0 }]));
  for (let run = 0; run < 200; run++) {
    const rows = drawLog(kinds, 400, random, judges);
    for (const [name, method] of Object.entries(methods)) {
      const { value, low, high } = method(rows);
      const of = seen[name]!;
      of.covered += low <= V && V <= high ? 1 / 200 : 0;
      of.bias += (value - V) / 200;
      of.width += (high - low) / 200;
    }
  }
  return seen;
}

const few = (rows: LoggedAction[]) => directMethod(rows, { resamples: 40 });

describe("off-policy estimates against the truth", () => {
  // Of 2,000 runs ips, snips and doublyRobust cover it in 94.9, 94.9 and 95.1 %; 200 runs differ from that by ± 3 %.
  it("cover it in 92 to 98 % of 200 runs, where the reward model is right", () => {
    const seen = coverage(world("a", "right"), { ips, snips, directMethod: few, doublyRobust }, 1, "many runs");
    for (const [name, { covered }] of Object.entries(seen)) {
      expect(covered, name).toBeGreaterThanOrEqual(0.92);
      expect(covered, name).toBeLessThanOrEqual(0.98);
    }
    // What the model is for.
    expect(seen.directMethod!.width).toBeLessThan(seen.doublyRobust!.width);
    expect(seen.doublyRobust!.width).toBeLessThan(seen.ips!.width);
  });

  it("but for the direct method, also where it is wrong", () => {
    const seen = coverage(world("b", "wrong"), {
      ips,
      snips,
      doublyRobust,
      directMethod: (rows) => directMethod(rows, { resamples: 10 }),
    });
    for (const name of ["ips", "snips", "doublyRobust"]) {
      expect(seen[name]!.covered, name).toBeGreaterThanOrEqual(0.92);
      expect(seen[name]!.covered, name).toBeLessThanOrEqual(0.98);
    }
    expect(seen.directMethod!.covered).toBeLessThan(0.8);
  });

  it("cover it where three people judge each answer, who do not judge independently", () => {
    const kinds = world("c", "right");
    const seen = coverage(kinds, { snips, doublyRobust }, 3);
    for (const [name, { covered }] of Object.entries(seen)) {
      expect(covered, name).toBeGreaterThanOrEqual(0.92);
      expect(covered, name).toBeLessThanOrEqual(0.98);
    }
    // Taken as independent they would seem to be three times as many.
    const apart = (rows: LoggedAction[]) => snips(rows.map((row, i) => ({ ...row, example: `${i}` })));
    expect(coverage(kinds, { apart }, 3).apart!.covered).toBeLessThan(0.9);
  });
});

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
