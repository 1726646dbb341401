import { Random } from "../../data/random.ts";
import { type Estimate, effectiveSize, estimateOf } from "./estimate.ts";
import { expectedReward, type FitRewards, fitRewards } from "./rewardModel.ts";
import { byExample, type Row } from "./rows.ts";

export interface DirectMethodOptions {
  /** Default: `fitRewards`, which knows the log alone. */
  readonly rewards?: FitRewards;
  /** How often the model is fitted anew to examples drawn again. Default 100. */
  readonly resamples?: number;
  readonly seed?: number;
}

/**
 * The direct method: the mean of Σ_a π(a) q̂(x, a), of a reward model q̂ that is fitted to the judgements. The narrowest of
 * all, and the only one that is wrong when its model is: the interval, by the bootstrap over examples (Efron 1979), tells
 * how much q̂ and the examples vary, and nothing of what q̂ cannot express.
 */
export function directMethod(
  rows: readonly Row[],
  { rewards = fitRewards, resamples = 100, seed = 0 }: DirectMethodOptions = {},
): Estimate {
  const examples = byExample(rows);
  if (examples.length < 2) {
    throw new RangeError(`directMethod: an interval cannot be had from judgements of ${examples.length} examples.`);
  }
  const value = meanReward(rows, rewards);
  const random = new Random("direct method", seed);
  const values = Array.from({ length: resamples }, () =>
    meanReward(
      examples.flatMap(() => random.choice(examples)),
      rewards,
    ),
  );
  const mean = values.reduce((sum, v) => sum + v, 0) / resamples;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (resamples - 1);
  const effective = effectiveSize(rows.map(({ weight }) => weight));
  return estimateOf(value, Math.sqrt(variance), effective, rows.length);
}

function meanReward(rows: readonly Row[], rewards: FitRewards): number {
  const model = rewards(rows);
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  return rows.reduce((sum, row) => sum + row.weight * expectedReward(model, row), 0) / total;
}
