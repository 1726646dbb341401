import { checkFunction, checkNumber, checkOptions, type Known, type NumberRule, number } from "../../check.ts";
import { Random } from "../../data/random.ts";
import { total } from "../../numbers.ts";
import { type Estimate, estimateOf, scaled, sizeOf } from "./estimate.ts";
import { expectedReward, type FitRewards, fitRewards, fitted } from "./rewardModel.ts";
import { checkRows, groupRowsByExample, type LoggedAction } from "./rows.ts";

/** How `directMethod` models rewards and finds its interval. */
export interface DirectMethodOptions {
  /** Default: `fitRewards`, which knows the log alone. */
  readonly rewards?: FitRewards;
  /** How often the model is fitted anew to examples drawn again, at least twice. Default 100. */
  readonly resamples?: number;
  /** Of the bootstrap. Default 0. */
  readonly seed?: number;
}

const KNOWN: Known<DirectMethodOptions> = { rewards: true, resamples: true, seed: true };
const SEVERAL: NumberRule = {
  holds: (x) => Number.isSafeInteger(x) && x >= 2,
  expected: "a whole number of at least 2",
};

/**
 * The direct method: mean of Σ_a π(a | x) q̂(x, a), with a reward model q̂ fitted to the judgements. Lowest variance, but
 * biased where the model is: the interval, by the bootstrap over examples (Efron 1979), covers the variance of q̂ and of the
 * examples, not its bias.
 *
 * @param rows such as `rowsOf` gives.
 * @param options.rewards fits q̂. Default: `fitRewards`.
 * @param options.resamples bootstrap samples, at least 2. Default 100.
 * @param options.seed of the bootstrap. Default 0.
 * @returns the mean reward of the target policy, with its 95 % interval.
 * @throws TypeError or RangeError naming the option or the row that cannot be.
 * @throws RangeError where fewer than two examples have a weight above 0.
 * @example const { value, low, high } = directMethod(rowsOf(log.judgements(), target));
 */
export function directMethod(rows: readonly LoggedAction[], options: DirectMethodOptions = {}): Estimate {
  checkOptions("directMethod", options, KNOWN);
  const { rewards = fitRewards, resamples = 100, seed = 0 } = options;
  checkFunction("directMethod", "rewards", rewards, "a function that fits a reward model to rows");
  checkNumber("directMethod", "resamples", resamples, SEVERAL);
  checkNumber("directMethod", "seed", seed, number.wholeAtLeast0);
  checkRows("directMethod", rows);
  // What has no weight would leave nothing to take the mean of where it alone is drawn again.
  const examples = groupRowsByExample(rows.filter(({ weight }) => weight > 0));
  if (examples.length < 2) {
    throw new RangeError(
      `directMethod: an interval cannot be had from judgements of ${examples.length} examples whose weight is above 0.`,
    );
  }
  const value = meanReward(rows, rewards);
  const random = new Random("direct method", seed);
  const values = Array.from({ length: resamples }, () =>
    meanReward(
      examples.flatMap(() => random.choice(examples)),
      rewards,
    ),
  );
  const mean = total(values) / resamples;
  const variance = total(values, (v) => (v - mean) ** 2) / (resamples - 1);
  const effectiveSize = sizeOf(rows.map(({ weight }) => weight));
  return estimateOf(value, Math.sqrt(variance), effectiveSize, rows.length);
}

function meanReward(rows: readonly LoggedAction[], rewards: FitRewards): number {
  const model = fitted("directMethod", rewards, rows);
  const weights = scaled(rows.map(({ weight }) => weight));
  return total(rows, (row, i) => weights[i]! * expectedReward(model, row)) / total(weights);
}
