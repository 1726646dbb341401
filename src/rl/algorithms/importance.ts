import { exp, mean, minimum, mul, neg, noGrad, sub } from "../../autograd/index.ts";
import type { Algorithm, MethodRecord } from "./algorithm.ts";
import { Baseline, type BaselineSettings, baselineDefaults } from "./baseline.ts";
import { clipped, type RewardSettings, rewardDefaults } from "./rewards.ts";
import { column, logOf } from "./surrogate.ts";

/** Settings of "importance". */
export interface ImportanceSettings extends BaselineSettings, Pick<RewardSettings, "rewardLimit"> {
  /** The most that one judgement counts. Without a limit a single rare answer can outweigh all others. Default 5. */
  weightLimit: number;
  /** Steps in an update. Default 8. */
  stepsPerUpdate: number;
  /** Judgements in each step. Default 32. */
  batch: number;
}
const defaults: ImportanceSettings = {
  ...baselineDefaults,
  rewardLimit: rewardDefaults.rewardLimit,
  weightLimit: 5,
  stepsPerUpdate: 8,
  batch: 32,
};

export const importance: MethodRecord<"importance", ImportanceSettings> = {
  name: "importance",
  defaults,
  onPolicy: false,
  groups: false,
  answers: "sampled",
  create: (settings) => [createImportance(settings)],
};

/**
 * The policy gradient from the whole log, though other policies wrote it: each judgement counts by how much likelier its
 * answer is now than it was when it was drawn (Horvitz & Thompson 1952; truncated as by Ionides 2008),
 *   −1/N Σ_i min(π(a_i | x_i) / p_i, limit) · (r_i − b) · log π(a_i | x_i),
 * p_i the propensity that the log holds, and no gradient through the weight. b is a moving average over the log.
 */
function createImportance<E extends { readonly id: string }>(settings: ImportanceSettings): Algorithm<E> {
  return {
    async learn({ policy, optimizer, judged, batchOf, random }) {
      if (judged.length === 0) return undefined;
      const rewards = judged.map((j) => ({ ...j, reward: clipped(j.reward, settings.rewardLimit) }));
      // Over the whole log again at each update: no state between two of them.
      const advantages = new Baseline(settings).advantages(rewards);
      const order = random("importance");
      let sum = 0;
      for (let i = 0; i < settings.stepsPerUpdate; i++) {
        const rows = Array.from({ length: settings.batch }, () => order.integer(judged.length));
        const batch = batchOf(rows.map((row) => judged[row]!.example));
        const actions = rows.map((row) => judged[row]!.action);
        const drawn = rows.map((row) => Math.log(Math.max(judged[row]!.propensity, 1e-30)));
        const loss = await policy.engine.step(() => {
          const { engine } = policy;
          const log = logOf(engine, policy.forward(batch, { training: true }), actions);
          const weight = noGrad(() => minimum(exp(sub(log, column(engine, drawn))), settings.weightLimit));
          const A = column(
            engine,
            rows.map((row) => advantages[row]!),
          );
          const loss = neg(mean(mul(mul(weight, A), log)));
          optimizer.update(loss.backward());
          return loss;
        });
        sum += await loss.item();
      }
      return sum / settings.stepsPerUpdate;
    },
  };
}
