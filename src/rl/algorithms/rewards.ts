/*
 * What is done to rewards r and advantages A before they move the policy:
 *   clipped   r kept within ± limit, so that one judgement cannot outweigh many (Mnih et al. 2015)
 *   whitened  (A − mean A) / (deviation of A + 1e-8), over the judgements of an update: the step then has the same size
 *             whatever the scale of the rewards (Engstrom et al. 2020). The mean makes it a baseline, and a slightly biased
 *             one, as it is taken over the reward itself too.
 */

/** What is done to rewards before they move the policy. */
export interface RewardSettings {
  /** Rewards are kept within ± this. Default 1. */
  rewardLimit: number;
  /** Whether advantages are whitened: mean 0 and deviation 1 in each update. Default false; of "ppo" true. */
  whiten: boolean;
}
export const rewardDefaults: RewardSettings = { rewardLimit: 1, whiten: false };

export const clipped = (reward: number, limit: number): number => Math.min(limit, Math.max(-limit, reward));

/** Of a single number, or of numbers that are all alike, nothing is left but 0. */
export function whitened(advantages: readonly number[]): number[] {
  const mean = advantages.reduce((a, b) => a + b, 0) / advantages.length;
  const deviation = Math.sqrt(advantages.reduce((sum, a) => sum + (a - mean) ** 2, 0) / advantages.length);
  return advantages.map((a) => (a - mean) / (deviation + 1e-8));
}
