import { noGrad, policyGradient } from "../../autograd/index.ts";
import { Baseline, type BaselineSettings, baselineDefaults } from "./baseline.ts";
import { clipped, type RewardSettings, rewardDefaults, whitened } from "./rewards.ts";
import type { Judged, Lesson, Rule } from "./rule.ts";

export interface ReinforceSettings extends BaselineSettings, RewardSettings {
  /** c, the weight of the entropy bonus. */
  entropy: number;
  /** β, the weight of the leash. */
  leash: number;
}
export const reinforceDefaults: ReinforceSettings = {
  ...baselineDefaults,
  ...rewardDefaults,
  entropy: 0.01,
  leash: 0.02,
};

/**
 * REINFORCE (Williams 1992), with what is usual around it. From the judgements since the last update alone, one step down
 *   1/N Σ_i −(r_i − b_i) · log π(a_i | x_i) − c · H(π(· | x_i)) + β · KL(π(· | x_i) ‖ ρ(· | x_i)),
 * b the baseline and ρ the reference policy. Each judgement is used once, while the policy is still the one it is about.
 */
export function reinforce<E extends { readonly id: string }>(settings: ReinforceSettings): Rule<E> {
  const baseline = new Baseline(settings);
  return {
    async learn(lesson) {
      if (lesson.fresh.length === 0) return undefined;
      const rewards = lesson.fresh.map((j) => ({ ...j, reward: clipped(j.reward, settings.rewardLimit) }));
      const advantages = baseline.advantages(rewards);
      return step(lesson, settings.whiten ? whitened(advantages) : advantages, settings);
    },
    memory: () => baseline.memory(),
    recall: (memory, classes) => baseline.recall(memory, classes),
  };
}

async function step<E>(
  { policy, optimiser, reference, fresh, batchOf }: Lesson<E>,
  advantages: readonly number[],
  { entropy, leash }: ReinforceSettings,
): Promise<number> {
  const batch = batchOf(fresh.map((j) => j.example));
  const loss = await policy.engine.step(() => {
    const klTo = reference ? noGrad(() => reference.forward(batch)) : saidThen(fresh);
    const loss = policyGradient(
      policy.forward(batch, { training: true }),
      fresh.map((j) => j.action),
      advantages,
      { entropy, beta: leash, klTo },
    );
    optimiser.update(loss.backward());
    return loss;
  });
  return loss.item();
}

/** The log-probabilities [N, A] that the policy gave when it answered. */
export const saidThen = <E>(judged: readonly Judged<E>[]): Float32Array =>
  Float32Array.from(judged.flatMap((j) => j.probabilities.map((p) => Math.log(Math.max(p, 1e-30)))));
