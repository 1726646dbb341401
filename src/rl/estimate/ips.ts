import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { checkRows, type LoggedAction, ratio } from "./rows.ts";

/**
 * Inverse propensity scoring (Horvitz and Thompson 1952; Dudík et al. 2011): the mean of w r, with w = π(a) / μ(a). Unbiased
 * where μ > 0 wherever π > 0; high variance where the policies differ much.
 *
 * @param rows such as `rowsOf` gives.
 * @returns the mean reward of the target policy, with its 95 % interval.
 * @throws TypeError or RangeError naming the row that cannot be.
 * @throws RangeError where there are judgements of fewer than two examples.
 * @example const { value, low, high } = ips(rowsOf(log.judgements(), target));
 */
export function ips(rows: readonly LoggedAction[]): Estimate {
  checkRows("ips", rows);
  const terms = rows.map((row) => ({ example: row.example, value: ratio(row) * row.reward, weight: row.weight }));
  const { value, standardError } = weightedMean("ips", terms);
  const effectiveSize = sizeOf(rows.map((row) => ratio(row) * row.weight));
  return estimateOf(value, standardError, effectiveSize, rows.length);
}
