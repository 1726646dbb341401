import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { checkRows, type LoggedAction, ratio } from "./rows.ts";

/**
 * Self-normalized inverse propensity scoring (Swaminathan and Joachims 2015): Σ w r / Σ w, with w = π(a) / μ(a). Never
 * outside the range of rewards, and mostly of lower variance than `ips`; its bias vanishes as 1 / n.
 *
 * @param rows such as `rowsOf` gives.
 * @returns the mean reward of the target policy, with its 95 % interval.
 * @throws TypeError or RangeError naming the row that cannot be.
 * @throws RangeError where there are judgements of fewer than two examples, or all weights are 0.
 * @example const { value, low, high } = snips(rowsOf(log.judgements(), target));
 */
export function snips(rows: readonly LoggedAction[]): Estimate {
  checkRows("snips", rows);
  const weights = rows.map((row) => ratio(row) * row.weight);
  const terms = rows.map(({ example, reward }, i) => ({ example, value: reward, weight: weights[i]! }));
  const { value, standardError } = weightedMean("snips", terms);
  return estimateOf(value, standardError, sizeOf(weights), rows.length);
}
