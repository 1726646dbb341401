import type { Engine, Tensor } from "../../autograd/index.ts";
import { checkNumber, describe, number } from "../../check.ts";
import type { Random } from "../../data/random.ts";
import { type Batch, type Modality, type Module, presentOf } from "../../model/index.ts";
import type { Optimizer } from "../../optim/index.ts";
import type { RewardedJudgement } from "../judgement.ts";

/** A network that gives one logit an action. `MultimodalNet` is one. */
export interface Policy extends Module {
  /** The engine that its parameters belong to. */
  readonly engine: Engine;
  /** A, the number of actions. */
  readonly numOutputs: number;
  /** The columns of `present` in a batch, where it can do without a part of an example. */
  readonly modalities?: readonly Modality[];
  /** Those of them that have a head of their own, whose logits are added to those of the rest. Default: none. */
  readonly late?: readonly Modality[];
  /**
   * The largest number of examples in one forward pass without learning: lower it where an example is large. Default 100.
   */
  readonly batchSize?: number;
  /** Logits [N, A] of a batch, in a step. */
  forward(batch: Batch, options?: { training?: boolean }): Tensor;
}

/**
 * Refuses what is no network that can be asked.
 *
 * @param classes how many actions it must have, where that is known.
 */
export function checkPolicy(operation: string, what: string, net: Policy, classes?: number): void {
  if (typeof net?.forward !== "function" || typeof net.parameters !== "function" || net.engine === undefined)
    throw new TypeError(`${operation}: ${what} is ${describe(net)}, expected a network such as a MultimodalNet.`);
  checkNumber(operation, `numOutputs of ${what}`, net.numOutputs, number.wholeAtLeast1);
  if (classes !== undefined && net.numOutputs !== classes)
    throw new RangeError(`${operation}: ${what} has ${net.numOutputs} actions, expected ${classes}.`);
}

/** Anything with an id, such as an example. */
export interface Identified {
  /** Unique among the examples, and the same in every run. */
  readonly id: string;
}

/** A judgement with a reward, and the example itself in place of its id. */
export interface Judged<E> extends Omit<RewardedJudgement, "example"> {
  /** The example that was judged. */
  readonly example: E;
}

/** An example whose label is known. */
export type Labeled<E> = E & {
  /** Its class, 0 ≤ label < A. */
  readonly label: number;
};

/** Examples by index; an array is one, and so is an object that makes an example when `at` is called. */
export interface Pool<E> {
  /** How many examples there are. */
  readonly length: number;
  /** Example i, 0 ≤ i < length; the same one each time. */
  at(i: number): E;
}

/** Everything that an algorithm may learn from in one update. */
export interface UpdateContext<E> {
  /** The network that learns. */
  readonly policy: Policy;
  /** The optimizer of its parameters. */
  readonly optimizer: Optimizer;
  /** The policy of the KL penalty; undefined: the behavior log-probabilities of the log. */
  readonly reference: Policy | undefined;
  /** Judgements that no update has learned from yet. */
  readonly newJudgements: readonly Judged<E>[];
  /** All judgements that count, the new ones among them, in the order of the log. */
  readonly judged: readonly Judged<E>[];
  /** Examples whose label is known. */
  readonly labeled: readonly Labeled<E>[];
  /** How many labels and approving judgements each action has, [A] (`labelCounts.ts`). */
  readonly labelCounts: readonly number[];
  /** Examples without label or judgement. */
  readonly unlabeled: Pool<E>;
  /** Turns examples into a batch of the network. */
  readonly batchOf: (examples: readonly E[]) => Batch;
  /** Changes an example without changing its label. */
  readonly augment: (example: E, random: Random) => E;
  /** A stream of random numbers of this update and this purpose. */
  readonly random: (purpose: string) => Random;
}

/**
 * A learning algorithm. What the next update needs beside weights and log is in `state()`, so that a run can be resumed.
 */
export interface Algorithm<E extends Identified> {
  /** One update. Resolves to the mean loss; undefined where there was nothing to learn from. */
  learn(context: UpdateContext<E>): Promise<number | undefined>;
  /** π(· | x) [N][A] of examples, from these modalities alone or from all. Default: the softmax of the policy. */
  predict?(context: UpdateContext<E>, examples: readonly E[], given?: readonly Modality[]): Promise<number[][]>;
  /**
   * Teaches the policy in so many steps what `predict` knows beside it. Resolves to the mean loss; undefined where it knows nothing.
   */
  distill?(context: UpdateContext<E>, steps: number): Promise<number | undefined>;
  /** Numbers that the next update needs beside weights and log, fit for JSON. */
  state?(): AlgorithmState;
  /** @throws RangeError where the state is of another algorithm, or of a policy with other classes. */
  loadState?(state: AlgorithmState, classes: number): void;
}

/** A part of examples that comes again word for word, such as a hint, and the modalities that are the rest of it. */
export interface Recurring<E> {
  /** Names the part, such as the hint's words; examples with the same key share what is learned of it. */
  key: (example: E) => string;
  /** The modalities without that part. */
  rest: readonly Modality[];
}

/** A method of learning as `index.ts` lists it: all that learner and programs need to know of it. */
export interface MethodRecord<Name extends string, Settings> {
  /** What `method` calls it. */
  readonly name: Name;
  /** Its settings, where none are given. */
  readonly defaults: Settings;
  /** Whether it learns from the newest judgements alone, of the policy as it is, and has nothing to do without them. */
  readonly onPolicy: boolean;
  /** Whether it needs several answers to the same example. */
  readonly groups: boolean;
  /** How answers are chosen, where `answers` is not given. */
  readonly answers: "sampled" | "greedy";
  /** Its algorithms, which learn one after the other. */
  create<E extends Identified>(settings: Settings, recurring: Recurring<E> | undefined): Algorithm<E>[];
}

/** Numbers by name, fit for JSON. */
export type AlgorithmState = Readonly<Record<string, readonly number[]>>;

/** Splits a list into pieces of at most `size`. */
export function pieces<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** A batch in which of example i these modalities alone are left. A policy that knows of none sees all of it. */
export function only<E>(
  { batchOf, policy }: Pick<UpdateContext<E>, "batchOf" | "policy">,
  examples: readonly E[],
  sight: (i: number) => readonly Modality[],
): Batch {
  const batch = batchOf(examples);
  const parts = policy.modalities ?? [];
  if (parts.length === 0) return batch;
  const given = presentOf("learner", batch, examples.length * parts.length);
  const present = examples.flatMap((_, i) =>
    parts.map((m, k) => (sight(i).includes(m) ? (given?.[i * parts.length + k] ?? 1) : 0)),
  );
  return { ...batch, present: Float32Array.from(present) };
}

/** Defaults with what was given in their place. What is given as undefined is not given. */
export function settingsOf<Settings extends object>(defaults: Settings, given: object): Settings {
  const set = Object.entries(given).filter(([name, value]) => value !== undefined && Object.hasOwn(defaults, name));
  return { ...defaults, ...Object.fromEntries(set) };
}
