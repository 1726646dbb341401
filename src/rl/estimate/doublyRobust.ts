import { Random } from "../../data/random.ts";
import { type Estimate, effectiveSize, estimateOf, weightedMean } from "./estimate.ts";
import { expectedReward, type FitRewards, fitRewards, type RewardModel } from "./rewardModel.ts";
import { byExample, type Row, ratio } from "./rows.ts";

export interface DoublyRobustOptions {
  /** Default: `fitRewards`, which knows the log alone. */
  readonly rewards?: FitRewards;
  /** Parts that the examples are split into; each is judged by a model fitted to the others. Default 5. */
  readonly folds?: number;
  readonly seed?: number;
}

/**
 * The doubly robust estimate (Dudík et al. 2011): the direct method, put right by the judgements,
 *   mean of Σ_a π(a) q̂(x, a) + w (r − q̂(x, a))        w = π(a) / μ(a)
 * Right where either the propensities or the model is, and narrower than `ips` as far as the model is good. No row is
 * judged by a model that has seen its example (cross-fitting, Chernozhukov et al. 2018).
 */
export function doublyRobust(
  rows: readonly Row[],
  { rewards = fitRewards, folds = 5, seed = 0 }: DoublyRobustOptions = {},
): Estimate {
  const examples = new Random("doubly robust", seed).shuffle(byExample(rows));
  const parts = Math.min(folds, examples.length);
  if (!Number.isInteger(folds) || parts < 2) {
    throw new RangeError(`doublyRobust: ${examples.length} examples in ${folds} folds, expected at least 2 of both.`);
  }
  const terms = Array.from({ length: parts }, (_, part) => {
    const model = rewards(examples.filter((_, i) => i % parts !== part).flat());
    return examples.filter((_, i) => i % parts === part).flatMap((own) => own.map((row) => term(row, model)));
  }).flat();
  const { value, standardError } = weightedMean("doublyRobust", terms);
  const effective = effectiveSize(rows.map((row) => ratio(row) * row.weight));
  return estimateOf(value, standardError, effective, rows.length);
}

const term = (row: Row, model: RewardModel) => ({
  example: row.example,
  value: expectedReward(model, row) + ratio(row) * (row.reward - model(row, row.action)),
  weight: row.weight,
});
