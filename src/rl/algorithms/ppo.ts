import { add, noGrad, policyGradient } from "../../autograd/index.ts";
import type { Algorithm, Judged, MethodRecord, UpdateContext } from "./algorithm.ts";
import { Baseline, type BaselineSettings, baselineDefaults } from "./baseline.ts";
import { behaviorLogProbs } from "./reinforce.ts";
import { clipped, type RewardSettings, rewardDefaults, whitened } from "./rewards.ts";
import { clippedSurrogate } from "./surrogate.ts";

/** Settings of "ppo". */
export interface PpoSettings extends BaselineSettings, RewardSettings {
  /** ε: how far a probability may move in an update, as a share of what it was. Default 0.2. */
  clip: number;
  /** Steps that use the judgements of an update. Default 4. */
  epochs: number;
  /** c, the weight of the entropy bonus. Default 0.01. */
  entropyCoef: number;
  /** β, the weight of the KL penalty. Default 0.02; of "grpo" 0.04. */
  klCoef: number;
}
const defaults: PpoSettings = {
  ...baselineDefaults,
  ...rewardDefaults,
  baseline: "value",
  whiten: true,
  clip: 0.2,
  epochs: 4,
  entropyCoef: 0.01,
  klCoef: 0.02,
};

export const ppo: MethodRecord<"ppo", PpoSettings> = {
  name: "ppo",
  defaults,
  onPolicy: true,
  groups: false,
  answers: "sampled",
  create: (settings) => [createPpo(settings)],
};

/**
 * Proximal policy optimization (Schulman et al. 2017), for answers of one step: several steps on the judgements since the
 * last update, by the clipped surrogate, with an entropy bonus and a KL penalty,
 *   −1/N Σ_i min(ρ_i A_i, clamp(ρ_i, 1 − ε, 1 + ε) A_i) − c · H(π) + β · KL(π ‖ reference).
 */
function createPpo<E extends { readonly id: string }>(settings: PpoSettings): Algorithm<E> {
  const baseline = new Baseline(settings);
  return {
    async learn(context) {
      if (context.newJudgements.length === 0) return undefined;
      const judged = context.newJudgements.map((j) => ({ ...j, reward: clipped(j.reward, settings.rewardLimit) }));
      const advantages = baseline.advantages(judged);
      return clippedSteps(context, judged, settings.whiten ? whitened(advantages) : advantages, settings);
    },
    state: () => baseline.state(),
    loadState: (state, classes) => baseline.loadState(state, classes),
  };
}

/** The steps that PPO and GRPO share. Gives the loss of the last one. */
export async function clippedSteps<E>(
  { policy, optimizer, reference, batchOf }: UpdateContext<E>,
  judged: readonly Judged<E>[],
  advantages: readonly number[],
  { clip, epochs, entropyCoef, klCoef }: Pick<PpoSettings, "clip" | "epochs" | "entropyCoef" | "klCoef">,
): Promise<number> {
  const batch = batchOf(judged.map((j) => j.example));
  const actions = judged.map((j) => j.action);
  const none = judged.map(() => 0);
  let last = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const loss = await policy.engine.step(() => {
      const referenceLogits = reference ? noGrad(() => reference.forward(batch)) : behaviorLogProbs(judged);
      // Without dropout: ρ compares the policy with itself, and must be 1 before the first step.
      const logits = policy.forward(batch);
      const then = judged.map((j) => j.probabilities[j.action]!);
      const surrogate = clippedSurrogate(policy.engine, logits, { actions, then, advantages, clip });
      const loss = add(
        surrogate,
        policyGradient(logits, actions, none, { entropyCoef, klCoef: klCoef, referenceLogits }),
      );
      optimizer.update(loss.backward());
      return loss;
    });
    last = await loss.item();
  }
  return last;
}
