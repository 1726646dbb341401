import { type BeliefsSettings, beliefs, beliefsDefaults, type Recurring } from "./beliefs.ts";
import { type GrpoSettings, grpo, grpoDefaults } from "./grpo.ts";
import { type ImportanceSettings, importance, importanceDefaults } from "./importance.ts";
import { type PpoSettings, ppo, ppoDefaults } from "./ppo.ts";
import { type ReinforceSettings, reinforce, reinforceDefaults } from "./reinforce.ts";
import { type ReplaySettings, replay, replayDefaults } from "./replay.ts";
import { type Rule, settingsOf } from "./rule.ts";

export { type BaselineName, type BaselineSettings, baselineNames } from "./baseline.ts";
export type { Recurring } from "./beliefs.ts";
export { type Judged, type Lesson, type Memory, only, type Policy, type Pool, type Rule } from "./rule.ts";

/** Settings of all rules; each rule reads those that it knows, and has its own defaults. */
export type RuleSettings = Partial<
  ReinforceSettings & PpoSettings & GrpoSettings & ReplaySettings & ImportanceSettings & BeliefsSettings
>;

export const methods = ["beliefs", "replay", "importance", "reinforce", "ppo", "grpo"] as const;
/**
 * How a learner learns:
 *   beliefs     from what is believed of every example, judged or not: labels, verdicts, network and hints together
 *   replay      REINFORCE, and the likelihood of the whole log again and again
 *   importance  the policy gradient from the whole log, weighted by the logged propensities
 *   reinforce   REINFORCE alone
 *   ppo, grpo   clipped steps on the newest judgements; with groups of answers to the same example
 */
export type Method = (typeof methods)[number];

/** The rules of a method, which learn one after the other. */
export function rulesOf<E extends { readonly id: string }>(
  method: Method,
  settings: RuleSettings,
  recurring: Recurring<E> | undefined,
): Rule<E>[] {
  switch (method) {
    case "beliefs":
      return [beliefs(settingsOf(beliefsDefaults, settings), recurring)];
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
