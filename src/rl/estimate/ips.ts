import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { checkRows, type LoggedAction, ratio } from "./rows.ts";

/**
 * Inverse propensity scoring (Horvitz and Thompson 1952; Dudík et al. 2011): the mean of w r, with w = π(a) / μ(a). Right
 * on average where μ > 0 wherever π > 0; wide where the policies differ much.
 *
 * @throws TypeError or RangeError naming the row that cannot be; RangeError where there is too little to go by.
 */
export function ips(rows: readonly LoggedAction[]): Estimate {
  checkRows("ips", rows);
  const terms = rows.map((row) => ({ example: row.example, value: ratio(row) * row.reward, weight: row.weight }));
  const { value, standardError } = weightedMean("ips", terms);
  const effective = sizeOf(rows.map((row) => ratio(row) * row.weight));
  return estimateOf(value, standardError, effective, rows.length);
}
