import { add, noGrad, policyGradient } from "../../autograd/index.ts";
import { Baseline, type BaselineSettings, baselineDefaults } from "./baseline.ts";
import { saidThen } from "./reinforce.ts";
import { clipped, type RewardSettings, rewardDefaults, whitened } from "./rewards.ts";
import type { Judged, Lesson, Rule } from "./rule.ts";
import { clippedSurrogate } from "./surrogate.ts";

export interface PpoSettings extends BaselineSettings, RewardSettings {
  /** ε: how far a probability may move in an update, as a share of what it was. */
  clip: number;
  /** Steps that use the judgements of an update. */
  epochs: number;
  /** c, the weight of the entropy bonus. */
  entropy: number;
  /** β, the weight of the leash. */
  leash: number;
}
export const ppoDefaults: PpoSettings = {
  ...baselineDefaults,
  ...rewardDefaults,
  baseline: "value",
  whiten: true,
  clip: 0.2,
  epochs: 4,
  entropy: 0.01,
  leash: 0.02,
};

/**
 * Proximal policy optimisation (Schulman et al. 2017), for answers of one step: several steps on the judgements since the
 * last update, by the clipped surrogate, with an entropy bonus and a leash,
 *   −1/N Σ_i min(ρ_i A_i, clamp(ρ_i, 1 − ε, 1 + ε) A_i) − c · H(π) + β · KL(π ‖ reference).
 */
export function ppo<E extends { readonly id: string }>(settings: PpoSettings): Rule<E> {
  const baseline = new Baseline(settings);
  return {
    async learn(lesson) {
      if (lesson.fresh.length === 0) return undefined;
      const fresh = lesson.fresh.map((j) => ({ ...j, reward: clipped(j.reward, settings.rewardLimit) }));
      const advantages = baseline.advantages(fresh);
      return clippedSteps(lesson, fresh, settings.whiten ? whitened(advantages) : advantages, settings);
    },
    memory: () => baseline.memory(),
    recall: (memory, classes) => baseline.recall(memory, classes),
  };
}

/** The steps that PPO and GRPO share. Gives the loss of the last one. */
export async function clippedSteps<E>(
  { policy, optimiser, reference, batchOf }: Lesson<E>,
  judged: readonly Judged<E>[],
  advantages: readonly number[],
  { clip, epochs, entropy, leash }: Pick<PpoSettings, "clip" | "epochs" | "entropy" | "leash">,
): Promise<number> {
  const batch = batchOf(judged.map((j) => j.example));
  const actions = judged.map((j) => j.action);
  const none = judged.map(() => 0);
  let last = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const loss = await policy.engine.step(() => {
      const klTo = reference ? noGrad(() => reference.forward(batch)) : saidThen(judged);
      // Without dropout: ρ compares the policy with itself, and must be 1 before the first step.
      const logits = policy.forward(batch);
      const then = judged.map((j) => j.probabilities[j.action]!);
      const surrogate = clippedSurrogate(policy.engine, logits, actions, then, advantages, clip);
      const loss = add(surrogate, policyGradient(logits, actions, none, { entropy, beta: leash, klTo }));
      optimiser.update(loss.backward());
      return loss;
    });
    last = await loss.item();
  }
  return last;
}
