import { type Estimate, estimateOf, sizeOf, weightedMean } from "./estimate.ts";
import { checkRows, type LoggedAction, ratio } from "./rows.ts";

/**
 * Self-normalized inverse propensity scoring (Swaminathan and Joachims 2015): Σ w r / Σ w, with w = π(a) / μ(a). Never
 * beyond what rewards can be, and mostly narrower than `ips`; its bias vanishes as 1 / n.
 *
 * @throws TypeError or RangeError naming the row that cannot be; RangeError where there is too little to go by.
 */
export function snips(rows: readonly LoggedAction[]): Estimate {
  checkRows("snips", rows);
  const weights = rows.map((row) => ratio(row) * row.weight);
  const terms = rows.map(({ example, reward }, i) => ({ example, value: reward, weight: weights[i]! }));
  const { value, standardError } = weightedMean("snips", terms);
  return estimateOf(value, standardError, sizeOf(weights), rows.length);
}
