import { type Algorithm, settingsOf } from "./algorithm.ts";
import { type GrpoSettings, grpo, grpoDefaults } from "./grpo.ts";
import { type ImportanceSettings, importance, importanceDefaults } from "./importance.ts";
import { type PosteriorSettings, posterior, posteriorDefaults, type Recurring } from "./posterior.ts";
import { type PpoSettings, ppo, ppoDefaults } from "./ppo.ts";
import { type ReinforceSettings, reinforce, reinforceDefaults } from "./reinforce.ts";
import { type ReplaySettings, replay, replayDefaults } from "./replay.ts";

export {
  type Algorithm,
  type AlgorithmState,
  type Identified,
  type Judged,
  type Labeled,
  only,
  type Policy,
  type Pool,
  type UpdateContext,
} from "./algorithm.ts";
export { type BaselineName, type BaselineSettings, baselineNames } from "./baseline.ts";
export type { GrpoSettings } from "./grpo.ts";
export type { ImportanceSettings } from "./importance.ts";
export type { PosteriorSettings, Recurring } from "./posterior.ts";
export type { PpoSettings } from "./ppo.ts";
export type { ReinforceSettings } from "./reinforce.ts";
export type { ReplaySettings } from "./replay.ts";

/** Settings of all algorithms; each reads those that it knows, and has its own defaults. */
export type AlgorithmSettings = Partial<
  ReinforceSettings & PpoSettings & GrpoSettings & ReplaySettings & ImportanceSettings & PosteriorSettings
>;

/** The methods by name, the default first. */
export const methods = ["posterior", "replay", "importance", "reinforce", "ppo", "grpo"] as const;
/**
 * How a learner learns:
 *   posterior   EM: the posterior of every example's label from labels, judgements, network and hints; then cross-entropy
 *   replay      REINFORCE, and the likelihood of the whole log (feedback loss) by replay
 *   importance  the policy gradient from the whole log, weighted by the logged propensities
 *   reinforce   REINFORCE alone
 *   ppo, grpo   clipped steps on the newest judgements; with groups of answers to the same example
 */
export type Method = (typeof methods)[number];

/** The algorithms of a method, which learn one after the other. */
export function createAlgorithms<E extends { readonly id: string }>(
  method: Method,
  settings: AlgorithmSettings,
  recurring: Recurring<E> | undefined,
): Algorithm<E>[] {
  switch (method) {
    case "posterior":
      return [posterior(settingsOf(posteriorDefaults, settings), recurring)];
    case "replay":
      return [reinforce(settingsOf(reinforceDefaults, settings)), replay(settingsOf(replayDefaults, settings))];
    case "importance":
      return [importance(settingsOf(importanceDefaults, settings))];
    case "reinforce":
      return [reinforce(settingsOf(reinforceDefaults, settings))];
    case "ppo":
      return [ppo(settingsOf(ppoDefaults, settings))];
    case "grpo":
      return [grpo(settingsOf(grpoDefaults, settings))];
  }
}
