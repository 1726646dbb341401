import {
  add,
  type Engine,
  gather,
  mean,
  mul,
  neg,
  noGrad,
  policyGradient,
  softmax,
  softplus,
  sub,
  sum,
  type Tensor,
} from "../autograd/index.ts";
import { Random } from "../data/random.ts";
import type { Batch, Optimiser } from "../model/index.ts";
import type { Policy } from "./rules/rule.ts";

/*
 * Learning from preferences: a person says which of two actions is better, a model of their reward is learned from that,
 * and the model then rewards examples that nobody judged (Christiano et al. 2017).
 */

/** One comparison: of these two actions, a person liked `preferred` better. */
export interface Compared<E> {
  readonly example: E;
  readonly preferred: number;
  readonly rejected: number;
}

export interface PreferenceModelOptions<E> {
  batchOf: (examples: readonly E[]) => Batch;
  /** Of the comparisons that each member learns from, and of their order. Default 0. */
  seed?: number;
  /** The share of comparisons that a member never sees, so that members differ where there is little to go by. */
  heldBack?: number;
}

/**
 * Minus the log-likelihood of comparisons by Bradley and Terry (1952), in the mean: of rewards r [N, A], preferred actions a
 * and rejected ones b
 *   −1/N Σ_n log σ(r[n, a_n] − r[n, b_n]).
 */
export function bradleyTerry(
  engine: Engine,
  rewards: Tensor,
  preferred: readonly number[],
  rejected: readonly number[],
): Tensor {
  const of = (actions: readonly number[]) =>
    gather(rewards, engine.tensor(Int32Array.from(actions), [actions.length, 1]), { axis: 1 });
  return mean(softplus(sub(of(rejected), of(preferred))));
}

/** An ensemble of networks whose logits are rewards r(x, a), known up to a number for each x. */
export class PreferenceModel<E extends { readonly id: string }> {
  readonly #members: readonly { net: Policy; optimiser: Optimiser }[];
  readonly #batchOf: (examples: readonly E[]) => Batch;
  readonly #seed: number;
  readonly #heldBack: number;
  #lessons = 0;

  /** @throws RangeError where there are no members, or all comparisons would be held back. */
  constructor(
    members: readonly { net: Policy; optimiser: Optimiser }[],
    { batchOf, seed = 0, heldBack = 0.2 }: PreferenceModelOptions<E>,
  ) {
    if (members.length === 0)
      throw new RangeError("PreferenceModel: there are no members, expected at least one network.");
    if (!(heldBack >= 0 && heldBack < 1))
      throw new RangeError(`PreferenceModel: heldBack is ${heldBack}, expected at least 0 and under 1.`);
    this.#members = members;
    this.#batchOf = batchOf;
    this.#seed = seed;
    this.#heldBack = heldBack;
  }

  /** Steps of each member on comparisons. Gives the mean loss of the last step; undefined where there are none. */
  async learn(
    comparisons: readonly Compared<E>[],
    { steps = 50, batch = 32 }: { steps?: number; batch?: number } = {},
  ): Promise<number | undefined> {
    if (comparisons.length === 0) return undefined;
    const lesson = this.#lessons++;
    let total = 0;
    for (const [m, { net, optimiser }] of this.#members.entries()) {
      // By the comparison and not by its place, so that what is held back from a member stays so as the log grows.
      const own = comparisons.filter(
        ({ example, preferred, rejected }) =>
          new Random("held back", this.#seed, m, example.id, preferred, rejected).uniform() >= this.#heldBack,
      );
      const pool = own.length > 0 ? own : comparisons;
      const random = new Random("comparisons", this.#seed, m, lesson);
      let last = 0;
      for (let i = 0; i < steps; i++) {
        const chosen = Array.from({ length: batch }, () => random.choice(pool));
        const loss = await net.engine.step(() => {
          const rewards = net.forward(this.#batchOf(chosen.map(({ example }) => example)), { training: true });
          const loss = bradleyTerry(
            net.engine,
            rewards,
            chosen.map(({ preferred }) => preferred),
            chosen.map(({ rejected }) => rejected),
          );
          optimiser.update(loss.backward());
          return loss;
        });
        last = await loss.item();
      }
      total += last;
    }
    return total / this.#members.length;
  }

  /**
   * Rewards [N][A] of examples: the mean over members, and their deviation, which is large where the comparisons say little.
   * Each member's are centred over the actions, since a comparison says nothing of their common level.
   */
  async rewards(examples: readonly E[]): Promise<{ mean: number[][]; deviation: number[][] }> {
    const said = await Promise.all(
      this.#members.map(async ({ net }) => {
        const logits = await net.engine.step(() => noGrad(() => net.forward(this.#batchOf(examples))));
        const numbers = await logits.data();
        logits.dispose();
        const A = numbers.length / Math.max(1, examples.length);
        return examples.map((_, n) => centred([...numbers.subarray(n * A, (n + 1) * A)]));
      }),
    );
    const over = (f: (numbers: number[]) => number) =>
      examples.map((_, n) => said[0]![n]!.map((_, a) => f(said.map((member) => member[n]![a]!))));
    return {
      mean: over(average),
      deviation: over((all) => Math.sqrt(average(all.map((r) => (r - average(all)) ** 2)))),
    };
  }
}

export interface RewardedOptions {
  /** λ: deviations of the ensemble taken off a reward, so that the policy does not run where nobody was asked. */
  caution?: number;
  /** c, the weight of the entropy bonus, and β, that of the leash to `reference`. */
  entropy?: number;
  leash?: number;
  reference?: Policy;
}

/**
 * One step of a policy towards what a reward model likes, on examples that nobody judged:
 *   −1/N Σ_n Σ_a π(a | x_n) (r̄(x_n, a) − λ · deviation(x_n, a)) − c · H(π) + β · KL(π ‖ reference).
 * The expectation over actions is exact: the model can be asked about all of them. Gives the loss.
 */
export async function learnFromRewards<E extends { readonly id: string }>(
  policy: Policy,
  optimiser: Optimiser,
  model: PreferenceModel<E>,
  examples: readonly E[],
  batchOf: (examples: readonly E[]) => Batch,
  { caution = 1, entropy = 0.01, leash = 0.02, reference }: RewardedOptions = {},
): Promise<number> {
  const { mean: expected, deviation } = await model.rewards(examples);
  const worth = Float32Array.from(expected.flatMap((row, n) => row.map((r, a) => r - caution * deviation[n]![a]!)));
  const none = examples.map(() => 0);
  const batch = batchOf(examples);
  const loss = await policy.engine.step(() => {
    const logits = policy.forward(batch, { training: true });
    const reward = sum(mul(softmax(logits), policy.engine.tensor(worth, logits.shape)), { axis: 1 });
    const held = reference && { klTo: noGrad(() => reference.forward(batch)), beta: leash };
    const loss = add(neg(mean(reward)), policyGradient(logits, none, none, { entropy, ...held }));
    optimiser.update(loss.backward());
    return loss;
  });
  return loss.item();
}

const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const centred = (numbers: readonly number[]): number[] => numbers.map((r) => r - average(numbers));
