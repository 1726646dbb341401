import { checkFunction, checkNumber, checkOptions, type Known, number } from "../../check.ts";
import { Random } from "../../data/random.ts";
import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { expectedReward, type FitRewards, fitRewards, fitted, type RewardModel } from "./rewardModel.ts";
import { checkRows, groupRowsByExample, type LoggedAction, ratio } from "./rows.ts";

export interface DoublyRobustOptions {
  /** Default: `fitRewards`, which knows the log alone. */
  readonly rewards?: FitRewards;
  /** Parts that the examples are split into; each is judged by a model fitted to the others. Default 5. */
  readonly folds?: number;
  readonly seed?: number;
}

const KNOWN: Known<DoublyRobustOptions> = { rewards: true, folds: true, seed: true };

/**
 * The doubly robust estimate (Dudík et al. 2011): the direct method, put right by the judgements,
 *   mean of Σ_a π(a) q̂(x, a) + w (r − q̂(x, a))        w = π(a) / μ(a)
 * Right where either the propensities or the model is, and narrower than `ips` as far as the model is good. No row is
 * judged by a model that has seen its example (cross-fitting, Chernozhukov et al. 2018).
 *
 * @throws TypeError or RangeError naming the option or the row that cannot be; RangeError where there is too little to go by.
 */
export function doublyRobust(rows: readonly LoggedAction[], options: DoublyRobustOptions = {}): Estimate {
  checkOptions("doublyRobust", options, KNOWN);
  const { rewards = fitRewards, folds = 5, seed = 0 } = options;
  checkFunction("doublyRobust", "rewards", rewards, "a function that fits a reward model to rows");
  checkNumber("doublyRobust", "folds", folds, number.wholeAtLeast1);
  checkNumber("doublyRobust", "seed", seed, number.wholeAtLeast0);
  checkRows("doublyRobust", rows);
  const examples = new Random("doubly robust", seed).shuffle(groupRowsByExample(rows));
  const parts = Math.min(folds, examples.length);
  if (parts < 2) {
    throw new RangeError(`doublyRobust: ${examples.length} examples in ${folds} folds, expected at least 2 of both.`);
  }
  const terms = Array.from({ length: parts }, (_, part) => {
    const model = fitted("doublyRobust", rewards, examples.filter((_, i) => i % parts !== part).flat());
    return examples.filter((_, i) => i % parts === part).flatMap((own) => own.map((row) => term(row, model)));
  }).flat();
  const { value, standardError } = weightedMean("doublyRobust", terms);
  const effective = sizeOf(rows.map((row) => ratio(row) * row.weight));
  return estimateOf(value, standardError, effective, rows.length);
}

const term = (row: LoggedAction, model: RewardModel) => ({
  example: row.example,
  value: expectedReward(model, row) + ratio(row) * (row.reward - model(row, row.action)),
  weight: row.weight,
});
