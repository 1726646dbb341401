import type { Engine, Tensor } from "../../autograd/index.ts";
import { checkNumber, describe, number } from "../../check.ts";
import type { Random } from "../../data/random.ts";
import { type Batch, type Modality, type Module, presentOf } from "../../model/index.ts";
import { Optimizer } from "../../optim/index.ts";
import type { RewardedJudgement } from "../judgement.ts";

/** A network that gives one logit an action. `MultimodalNet` is one. */
export interface Policy extends Module {
  readonly engine: Engine;
  readonly config: { readonly classes: number };
  /** The columns of `present` in a batch, where it can do without a part of an example. */
  readonly modalities?: readonly Modality[];
  /** Examples that it answers at once, at most, while nothing is learned: fewer where an example is large. Default 100. */
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
  checkNumber(operation, `config.classes of ${what}`, net.config?.classes, number.wholeAtLeast1);
  if (classes !== undefined && net.config.classes !== classes)
    throw new RangeError(`${operation}: ${what} has ${net.config.classes} actions, expected ${classes}.`);
}

/** Refuses what is no optimizer. */
export function checkOptimizer(operation: string, optimizer: Optimizer): void {
  if (!(optimizer instanceof Optimizer))
    throw new TypeError(
      `${operation}: the optimizer is ${describe(optimizer)}, expected one such as adam(net.parameters(), { lr }).`,
    );
}

/** A judgement, with the example that it is about. */
export interface Judged<E> extends Omit<RewardedJudgement, "example"> {
  readonly example: E;
}

/** Examples that can be had one by one; they may be made when they are asked for. */
export interface Pool<E> {
  readonly length: number;
  at(i: number): E;
}

/** Everything that there is to learn from, at one update. */
export interface UpdateContext<E> {
  readonly policy: Policy;
  readonly optimizer: Optimizer;
  /** What the policy is held to; undefined: to what it said itself when it answered. */
  readonly reference: Policy | undefined;
  /** Judged since the last update. */
  readonly newJudgements: readonly Judged<E>[];
  /** Judged ever, those among them. */
  readonly judged: readonly Judged<E>[];
  readonly labeled: readonly (E & { readonly label: number })[];
  /** How often each action was confirmed, by a label or a judgement, [A] (`confirmed.ts`). */
  readonly labelCounts: readonly number[];
  /** Examples without label or judgement, such as those that come in all day. */
  readonly unlabeled: Pool<E>;
  readonly batchOf: (examples: readonly E[]) => Batch;
  /** Changes an example a little, such that its label stays. */
  readonly augment: (example: E, random: Random) => E;
  /** A stream of random numbers that belongs to this update and this purpose. */
  readonly random: (purpose: string) => Random;
}

/** One way to learn. What it remembers between two updates is in `state()`, so that a run can be stopped and resumed. */
export interface Algorithm<E extends { readonly id: string }> {
  /** Learns once. Gives the mean loss; undefined where there was nothing to learn from. */
  learn(context: UpdateContext<E>): Promise<number | undefined>;
  /** What it would answer, [N][A]: probabilities, from these modalities alone or from all. Default: what the policy says. */
  predict?(context: UpdateContext<E>, examples: readonly E[], given?: readonly Modality[]): Promise<number[][]>;
  /** Numbers that the next update needs beside weights and log, fit for JSON. */
  state?(): AlgorithmState;
  /** @throws RangeError where the memory is of another rule, or of a policy with other classes. */
  loadState?(state: AlgorithmState, classes: number): void;
}

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
