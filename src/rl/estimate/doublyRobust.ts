import { checkFunction, checkNumber, checkOptions, type Known, number } from "../../check.ts";
import { Random } from "../../data/random.ts";
import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { expectedReward, type FitRewards, fitRewards, fitted, type RewardModel } from "./rewardModel.ts";
import { checkRows, groupRowsByExample, type LoggedAction, ratio } from "./rows.ts";

/** How `doublyRobust` models rewards and splits the examples. */
export interface DoublyRobustOptions {
  /** Default: `fitRewards`, which knows the log alone. */
  readonly rewards?: FitRewards;
  /** Parts that the examples are split into; each is judged by a model fitted to the others. Default 5. */
  readonly folds?: number;
  /** Of the split into folds. Default 0. */
  readonly seed?: number;
}

const KNOWN: Known<DoublyRobustOptions> = { rewards: true, folds: true, seed: true };

/**
 * The doubly robust estimate (Dudík et al. 2011): the direct method, corrected by importance-weighted residuals,
 *
 * mean of Σ_a π(a) q̂(x, a) + w (r − q̂(x, a))        w = π(a) / μ(a)
 *
 * Unbiased where either the propensities or the model is right. Models are cross-fitted (Chernozhukov et al. 2018): none
 * has seen the examples that it corrects.
 *
 * @param rows such as `rowsOf` gives.
 * @param options.rewards fits q̂. Default: `fitRewards`.
 * @param options.folds of the cross-fitting. Default 5.
 * @param options.seed of the split. Default 0.
 * @returns the mean reward of the target policy, with its 95 % interval.
 * @throws TypeError or RangeError naming the option or the row that cannot be.
 * @throws RangeError where there are fewer than two examples or folds.
 * @example const { value, low, high } = doublyRobust(rowsOf(log.judgements(), target));
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
  const effectiveSize = sizeOf(rows.map((row) => ratio(row) * row.weight));
  return estimateOf(value, standardError, effectiveSize, rows.length);
}

const term = (row: LoggedAction, model: RewardModel) => ({
  example: row.example,
  value: expectedReward(model, row) + ratio(row) * (row.reward - model(row, row.action)),
  weight: row.weight,
});
