import { noGrad } from "../autograd/index.ts";
import {
  checkFunction,
  checkList,
  checkNumber,
  checkOptions,
  checkText,
  type Known,
  number,
  placeIn,
} from "../check.ts";
import { Random } from "../data/random.ts";
import type { Batch } from "../model/index.ts";
import { checkOptimizer, type Optimizer } from "../optim/index.ts";
import { checkPolicy, type Identified, type Policy } from "./algorithms/algorithm.ts";
import { bradleyTerry, checkOther } from "./bradleyTerry.ts";
import { checkObject } from "./check.ts";

/*
 * Learning from preferences: a person says which of two actions is better, a model of their reward is learned from that,
 * and the model then rewards examples that nobody judged (Christiano et al. 2017).
 */

/** One comparison: of two actions, a person preferred one. */
export interface Compared<E> {
  /** The example that both actions answer. */
  readonly example: E;
  /** The better action, 0 ≤ preferred < A. */
  readonly preferred: number;
  /** The other action. */
  readonly rejected: number;
}

/** One network of a preference model, with its optimizer. */
export interface PreferenceMember {
  /** A network whose logits [N, A] are rewards. */
  readonly net: Policy;
  /** Of its parameters. */
  readonly optimizer: Optimizer;
}

/** How long `PreferenceModel.learn` learns. */
export interface PreferenceStepOptions {
  /** Steps of each member. Default 50. */
  readonly steps?: number;
  /** Comparisons a step. Default 32. */
  readonly batch?: number;
}

/** Rewards by an ensemble. */
export interface EnsembleRewards {
  /** Means over the members, [N][A], centered over the actions. */
  readonly mean: number[][];
  /** Standard deviations over the members, [N][A]. */
  readonly deviation: number[][];
}

/** How the members of a preference model learn. */
export interface PreferenceModelOptions<E> {
  /** Turns examples into a batch of the members' networks. */
  batchOf: (examples: readonly E[]) => Batch;
  /** Of the comparisons that each member learns from, and of their order. Default 0. */
  seed?: number;
  /**
   * The share of comparisons that a member never sees, so that members differ where there are few comparisons. Default 0.2.
   */
  heldBack?: number;
}

const MODEL: Known<PreferenceModelOptions<unknown>> = { batchOf: true, seed: true, heldBack: true };

/**
 * A reward model from preferences (Christiano et al. 2017): an ensemble of networks whose logits are rewards r(x, a), known up
 * to a constant for each x.
 *
 * @example
 * const model = new PreferenceModel(members, { batchOf: toBatch });
 * await model.learn([{ example, preferred: 3, rejected: 5 }]);
 * await learnFromRewards(net, optimizer, { model, examples, toBatch });
 */
export class PreferenceModel<E extends Identified> {
  readonly #members: readonly PreferenceMember[];
  readonly #batchOf: (examples: readonly E[]) => Batch;
  readonly #seed: number;
  readonly #heldBack: number;
  #rounds = 0;

  /**
   * @param members networks, each with its optimizer.
   * @param options.batchOf turns examples into a batch.
   * @param options.seed Default 0.
   * @param options.heldBack the share of comparisons that a member never sees. Default 0.2.
   * @throws TypeError or RangeError where there are no members, or all comparisons would be held back.
   */
  constructor(members: readonly PreferenceMember[], options: PreferenceModelOptions<E>) {
    const operation = "PreferenceModel";
    if (options === undefined)
      throw new TypeError(`${operation}: there are no options, expected { batchOf } at least.`);
    checkOptions<PreferenceModelOptions<unknown>>(operation, options as PreferenceModelOptions<unknown>, MODEL);
    const { batchOf, seed = 0, heldBack = 0.2 } = options;
    checkFunction(operation, "batchOf", batchOf, "a function that turns examples into a batch");
    checkNumber(operation, "seed", seed, number.wholeAtLeast0);
    checkNumber(operation, "heldBack", heldBack, number.under1);
    checkList(operation, "members", members, "a list of { net, optimizer }");
    if (members.length === 0)
      throw new RangeError("PreferenceModel: there are no members, expected at least one network.");
    for (const [i, member] of members.entries()) {
      checkObject(operation, `member ${i}`, member, "{ net, optimizer }");
      checkOptions(`${operation}: member ${i}`, member, { net: true, optimizer: true });
      checkPolicy(operation, `the net of member ${i}`, member.net, members[0]!.net?.numOutputs);
      checkOptimizer(operation, member.optimizer);
    }
    this.#members = members;
    this.#batchOf = batchOf;
    this.#seed = seed;
    this.#heldBack = heldBack;
  }

  /**
   * Steps of each member on comparisons, by `bradleyTerry`.
   *
   * @param comparisons all that are known; each member leaves out its own share of them.
   * @param options.steps of each member. Default 50.
   * @param options.batch comparisons a step. Default 32.
   * @returns the mean loss of the last step; undefined where there are no comparisons.
   * @throws Error naming the member whose loss is no finite number.
   */
  async learn(comparisons: readonly Compared<E>[], options: PreferenceStepOptions = {}): Promise<number | undefined> {
    checkOptions("PreferenceModel.learn", options, { steps: true, batch: true });
    const { steps = 50, batch = 32 } = options;
    checkNumber("PreferenceModel.learn", "steps", steps, number.wholeAtLeast1);
    checkNumber("PreferenceModel.learn", "batch", batch, number.wholeAtLeast1);
    this.#checkComparisons(comparisons);
    if (comparisons.length === 0) return undefined;
    const round = this.#rounds++;
    let total = 0;
    for (const [m, { net, optimizer }] of this.#members.entries()) {
      // By the comparison and not by its place, so that what is held back from a member stays so as the log grows.
      const own = comparisons.filter(
        ({ example, preferred, rejected }) =>
          new Random("held back", this.#seed, m, example.id, preferred, rejected).uniform() >= this.#heldBack,
      );
      const pool = own.length > 0 ? own : comparisons;
      const random = new Random("comparisons", this.#seed, m, round);
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
          optimizer.update(loss.backward());
          return loss;
        });
        last = await loss.item();
        if (!Number.isFinite(last))
          throw new Error(
            `PreferenceModel.learn: the loss of member ${m} is ${last}. Its weights or the examples' numbers are not finite: begin again with a lower learning rate or clipped gradients.`,
          );
      }
      total += last;
    }
    return total / this.#members.length;
  }

  #checkComparisons(comparisons: readonly Compared<E>[]): void {
    const operation = "PreferenceModel.learn";
    checkList(operation, "comparisons", comparisons, "a list of { example, preferred, rejected }");
    const action = placeIn(this.#members[0]!.net.numOutputs);
    for (const [i, one] of comparisons.entries()) {
      checkObject(operation, `comparison ${i}`, one, "{ example, preferred, rejected }");
      checkText(operation, `the id of the example of comparison ${i}`, one.example?.id);
      checkNumber(operation, `preferred of comparison ${i}`, one.preferred, action);
      checkNumber(operation, `rejected of comparison ${i}`, one.rejected, action);
      checkOther(operation, `rejected of comparison ${i}`, one.preferred, one.rejected);
    }
  }

  /**
   * Rewards of examples: mean and standard deviation over the members. Each member's are centered over the actions, since a
   * comparison says nothing of their common level.
   *
   * @param examples N of them.
   * @returns `mean` [N][A], and `deviation` [N][A], which is large where the comparisons say little.
   * @throws Error where a network's output is no finite number.
   */
  async rewards(examples: readonly E[]): Promise<EnsembleRewards> {
    checkList("PreferenceModel.rewards", "examples", examples, "a list of examples");
    if (examples.length === 0) return { mean: [], deviation: [] };
    const said = await Promise.all(
      this.#members.map(async ({ net }) => {
        const logits = await net.engine.step(() => noGrad(() => net.forward(this.#batchOf(examples))));
        const numbers = await logits.data();
        logits.dispose();
        const A = net.numOutputs;
        if (numbers.length !== examples.length * A)
          throw new RangeError(
            `PreferenceModel.rewards: batchOf and the network gave ${numbers.length} numbers for ${examples.length} examples of ${A} actions, expected ${examples.length * A}.`,
          );
        const bad = numbers.find((x) => !Number.isFinite(x));
        if (bad !== undefined)
          throw new Error(
            `PreferenceModel.rewards: the network gave ${bad}: its weights, or the examples' numbers, are not finite.`,
          );
        return examples.map((_, n) => centered([...numbers.subarray(n * A, (n + 1) * A)]));
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

const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const centered = (numbers: readonly number[]): number[] => numbers.map((r) => r - average(numbers));
