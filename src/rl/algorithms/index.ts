import { checkName } from "../../check.ts";
import { type Algorithm, type Identified, type MethodRecord, type Recurring, settingsOf } from "./algorithm.ts";
import { grpo } from "./grpo.ts";
import { importance } from "./importance.ts";
import { posterior } from "./posterior.ts";
import { ppo } from "./ppo.ts";
import { reinforce } from "./reinforce.ts";
import { replay } from "./replay.ts";

export {
  type Algorithm,
  type AlgorithmState,
  type Identified,
  type Judged,
  type Labeled,
  type MethodRecord,
  only,
  type Policy,
  type Pool,
  type Recurring,
  type UpdateContext,
} from "./algorithm.ts";
export { type BaselineName, type BaselineSettings, baselineNames } from "./baseline.ts";
export type { GrpoSettings } from "./grpo.ts";
export type { ImportanceSettings } from "./importance.ts";
export type { PosteriorSettings } from "./posterior.ts";
export type { PpoSettings } from "./ppo.ts";
export type { ReinforceSettings } from "./reinforce.ts";
export type { ReplaySettings } from "./replay.ts";

/**
 * The methods of learning, the default first. A new one is a line here.
 *   posterior   EM: the posterior of every example's label from labels, judgements, network and hints; then cross-entropy
 *   replay      REINFORCE, and the likelihood of the whole log (feedback loss) by replay
 *   importance  the policy gradient from the whole log, weighted by the logged propensities
 *   reinforce   REINFORCE alone
 *   ppo, grpo   clipped steps on the newest judgements; with groups of answers to the same example
 */
export const algorithms = [posterior, replay, importance, reinforce, ppo, grpo] as const;

/** How a learner learns, by name (`algorithms`). */
export type Method = (typeof algorithms)[number]["name"];
/** The methods by name, the default first. */
export const methods: readonly Method[] = algorithms.map(({ name }) => name);

/** The settings of a list of methods. One that several have is described by the first of them. */
type All<Methods extends readonly { defaults: unknown }[]> = Methods extends readonly [
  infer First extends { defaults: unknown },
  ...infer Rest extends readonly { defaults: unknown }[],
]
  ? First["defaults"] & Omit<All<Rest>, keyof First["defaults"]>
  : unknown;
/** Settings of all methods; each reads those that it knows, and has its own defaults. */
export type AlgorithmSettings = Partial<All<typeof algorithms>>;

/**
 * The record of a method: its defaults, and what a program that asks people needs to know of it.
 *
 * @param method its name.
 * @throws TypeError naming the methods there are.
 * @example const inSmallRounds = methodRecord("reinforce").onPolicy; // true
 */
export function methodRecord(method: Method): MethodRecord<Method, unknown> {
  checkName("methodRecord", "method", method, methods);
  return algorithms.find(({ name }) => name === method)! as MethodRecord<Method, unknown>;
}

/** The algorithms of a method, with what was given in place of its defaults. */
export function createAlgorithms<E extends Identified>(
  method: Method,
  given: AlgorithmSettings,
  recurring: Recurring<E> | undefined,
): Algorithm<E>[] {
  const { defaults, create } = methodRecord(method) as MethodRecord<Method, object>;
  return create(settingsOf(defaults, given), recurring);
}
