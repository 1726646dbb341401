import { noGrad, policyGradient } from "../../autograd/index.ts";
import type { Algorithm, Judged, MethodRecord, UpdateContext } from "./algorithm.ts";
import { Baseline, type BaselineSettings, baselineDefaults } from "./baseline.ts";
import { clipped, type RewardSettings, rewardDefaults, whitened } from "./rewards.ts";

/** Settings of "reinforce", and of the policy gradient in "replay". */
export interface ReinforceSettings extends BaselineSettings, RewardSettings {
  /** c, the weight of the entropy bonus. Default 0.01. */
  entropyCoef: number;
  /** β, the weight of the KL penalty. Default 0.02. */
  klCoef: number;
}
const defaults: ReinforceSettings = {
  ...baselineDefaults,
  ...rewardDefaults,
  entropyCoef: 0.01,
  klCoef: 0.02,
};

export const reinforce: MethodRecord<"reinforce", ReinforceSettings> = {
  name: "reinforce",
  defaults,
  onPolicy: true,
  groups: false,
  answers: "sampled",
  create: (settings) => [createReinforce(settings)],
};

/**
 * REINFORCE (Williams 1992), with what is usual around it. From the judgements since the last update alone, one step down
 *   1/N Σ_i −(r_i − b_i) · log π(a_i | x_i) − c · H(π(· | x_i)) + β · KL(π(· | x_i) ‖ ρ(· | x_i)),
 * b the baseline and ρ the reference policy. Each judgement is used once, while the policy is still the one it is about.
 */
function createReinforce<E extends { readonly id: string }>(settings: ReinforceSettings): Algorithm<E> {
  const baseline = new Baseline(settings);
  return {
    async learn(context) {
      if (context.newJudgements.length === 0) return undefined;
      const rewards = context.newJudgements.map((j) => ({ ...j, reward: clipped(j.reward, settings.rewardLimit) }));
      const advantages = baseline.advantages(rewards);
      return step(context, settings.whiten ? whitened(advantages) : advantages, settings);
    },
    state: () => baseline.state(),
    loadState: (state, classes) => baseline.loadState(state, classes),
  };
}

async function step<E>(
  { policy, optimizer, reference, newJudgements, batchOf }: UpdateContext<E>,
  advantages: readonly number[],
  { entropyCoef, klCoef }: ReinforceSettings,
): Promise<number> {
  const batch = batchOf(newJudgements.map((j) => j.example));
  const loss = await policy.engine.step(() => {
    const referenceLogits = reference ? noGrad(() => reference.forward(batch)) : behaviorLogProbs(newJudgements);
    const loss = policyGradient(
      policy.forward(batch, { training: true }),
      newJudgements.map((j) => j.action),
      advantages,
      { entropyCoef, klCoef: klCoef, referenceLogits },
    );
    optimizer.update(loss.backward());
    return loss;
  });
  return loss.item();
}

/** The log-probabilities [N, A] that the policy gave when it answered. */
export const behaviorLogProbs = <E>(judged: readonly Judged<E>[]): Float32Array =>
  Float32Array.from(judged.flatMap((j) => j.probabilities.map((p) => Math.log(Math.max(p, 1e-30)))));
