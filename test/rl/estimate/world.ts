import { Random } from "../../../src/data/random.ts";
import type { LoggedAction } from "../../../src/rl/estimate/index.ts";

/*
 * A world whose truth is known: 500 kinds of examples, for each the probabilities of the policy that answered (μ), of the
 * one that is to be estimated (π), and the chance that a person approves of each action. V = mean over kinds of
 * Σ_a π(a) E[r | a] is computed exactly, and logs are drawn from the world.
 */
export interface Kind {
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
export function world(seed: string, model: "right" | "wrong"): Kind[] {
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
export const truth = (kinds: readonly Kind[]) =>
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
export function drawLog(kinds: readonly Kind[], n: number, random: Random, judges = 1): LoggedAction[] {
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
