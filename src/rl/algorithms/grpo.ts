import type { Algorithm, MethodRecord } from "./algorithm.ts";
import { groupByExample } from "./baseline.ts";
import { clippedSteps, type PpoSettings } from "./ppo.ts";
import { clipped, whitened } from "./rewards.ts";

/** Settings of "grpo": those of "ppo" without a baseline. */
export interface GrpoSettings extends Pick<PpoSettings, "clip" | "epochs" | "entropyCoef" | "klCoef" | "rewardLimit"> {}
const defaults: GrpoSettings = { clip: 0.2, epochs: 4, entropyCoef: 0.01, klCoef: 0.04, rewardLimit: 1 };

export const grpo: MethodRecord<"grpo", GrpoSettings> = {
  name: "grpo",
  defaults,
  onPolicy: true,
  groups: true,
  answers: "sampled",
  create: (settings) => [createGrpo(settings)],
};

/**
 * Group-relative policy optimization (Shao et al. 2024, DeepSeekMath §4.1): k answers to the same example are judged, and
 *   A_i = (r_i − mean of the group) / (deviation of the group + 1e-8),
 * then PPO's clipped steps. No value is learned; a group whose rewards are all alike teaches nothing, nor does an answer
 * that is alone. Ask for groups by `actOn` of a list that repeats an example.
 */
function createGrpo<E extends { readonly id: string }>(settings: GrpoSettings): Algorithm<E> {
  return {
    async learn(context) {
      const judged = [...groupByExample(context.newJudgements).values()].filter((group) => group.length > 1);
      const advantages = judged.flatMap((group) =>
        whitened(group.map(({ reward }) => clipped(reward, settings.rewardLimit))),
      );
      return judged.length === 0 ? undefined : clippedSteps(context, judged.flat(), advantages, settings);
    },
  };
}
