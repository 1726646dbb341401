import type { AlgorithmState, Judged } from "./algorithm.ts";

/*
 * What is taken off a reward r before it moves the policy: advantage = r − b. The gradient E[(r − b) ∇ log π(a)] is the
 * same for every b that does not depend on the action a, since E[∇ log π] = 0; its variance is not.
 *
 *   none         b = 0
 *   average      b is a moving average of the rewards before: b ← d·b + (1 − d)·r (Williams 1992)
 *   leaveOneOut  b is the mean reward of the other k − 1 answers to the same example (Kool et al. 2019); an answer that
 *                is alone takes the moving average
 *   value        b = w·φ(x), learned by normalized least mean squares, w ← w + η (r − b) φ / |φ|² (Widrow & Hoff 1960);
 *                φ is 1 and the log-probabilities that the policy gave, in descending order: how sure it was, and not
 *                what it answered
 */

/** The baselines by name: "none", "average", "leaveOneOut" and "value". */
export const baselineNames = ["none", "average", "leaveOneOut", "value"] as const;
/** What is subtracted from a reward before it weighs the policy gradient: the setting `baseline`. */
export type BaselineName = (typeof baselineNames)[number];

/** What is subtracted from rewards: settings of "reinforce", "ppo", "replay" and "importance". */
export interface BaselineSettings {
  /** "none", "average", "leaveOneOut" or "value". Default "average". */
  baseline: BaselineName;
  /** d: how much of the moving average is kept at each judgement, 0 to 1. Default 0.95. */
  baselineDecay: number;
  /** η: how far the learned value moves to each reward, 0 to 1. Default 0.1. */
  valueRate: number;
}
export const baselineDefaults: BaselineSettings = { baseline: "average", baselineDecay: 0.95, valueRate: 0.1 };

type Answered = Pick<Judged<{ readonly id: string }>, "example" | "reward" | "probabilities">;

export class Baseline {
  #average = 0;
  #w: number[] = [];

  constructor(readonly settings: BaselineSettings) {}

  /** Advantages of judgements, in the order in which they were made. What is learned here is used from the next one on. */
  advantages(judged: readonly Answered[]): number[] {
    const groups = groupByExample(judged);
    return judged.map((j) => {
      const [average, value] = [this.#average, this.#value(j)];
      this.#average += (1 - this.settings.baselineDecay) * (j.reward - average);
      switch (this.settings.baseline) {
        case "none":
          return j.reward;
        case "value":
          return j.reward - value;
        case "leaveOneOut": {
          const group = groups.get(j.example.id)!;
          if (group.length === 1) return j.reward - average;
          const others = group.reduce((sum, { reward }) => sum + reward, -j.reward);
          return j.reward - others / (group.length - 1);
        }
        default:
          return j.reward - average;
      }
    });
  }

  /** What the learned value says of an answer, before it learns from its reward. */
  #value({ probabilities, reward }: Answered): number {
    // 1e-6: what is nearly impossible is all alike, and must not drown the rest.
    const logs = probabilities.map((p) => Math.log(Math.max(p, 1e-6))).sort((a, b) => b - a);
    const features = [1, ...logs];
    const w = this.#w.length === features.length ? this.#w : features.map(() => 0);
    const value = features.reduce((sum, x, i) => sum + w[i]! * x, 0);
    const size = features.reduce((sum, x) => sum + x * x, 0);
    const step = (this.settings.valueRate * (reward - value)) / size;
    this.#w = features.map((x, i) => w[i]! + step * x);
    return value;
  }

  state(): AlgorithmState {
    return { average: [this.#average], value: this.#w };
  }

  /** @throws RangeError where the state is of another algorithm, or of a policy with other classes. */
  loadState({ average = [0], value = [], ...others }: AlgorithmState, classes: number): void {
    const refuse = (what: string) => {
      throw new RangeError(`baseline: ${what}. The state is damaged, or of another learner.`);
    };
    const [other] = Object.keys(others);
    if (other !== undefined) refuse(`it has no "${other}"`);
    if (average.length !== 1) refuse(`the average is ${average.length} numbers, expected one`);
    if (value.length > 0 && value.length !== 1 + classes)
      refuse(`the value has ${value.length} weights, expected ${1 + classes} for ${classes} classes`);
    this.#average = average[0]!;
    this.#w = [...value];
  }
}

/** Judgements by the example that they are about, each list in their order. */
export function groupByExample<J extends { readonly example: { readonly id: string } }>(
  judged: readonly J[],
): Map<string, J[]> {
  const groups = new Map<string, J[]>();
  for (const j of judged) {
    const group = groups.get(j.example.id);
    if (group) group.push(j);
    else groups.set(j.example.id, [j]);
  }
  return groups;
}
