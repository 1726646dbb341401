import { checkList, checkNumber, number } from "../../check.ts";
import { largest, total } from "../../numbers.ts";

/** An estimate of a policy's mean reward, with its uncertainty. */
export interface Estimate {
  /** The estimated mean reward. */
  readonly value: number;
  /** The lower end of the 95 % interval, value − 1.96 standard errors. It may reach beyond what rewards can be. */
  readonly low: number;
  /** The upper end, value + 1.96 standard errors. */
  readonly high: number;
  /** The standard deviation of the estimate itself. */
  readonly standardError: number;
  /**
   * (Σ w)² / Σ w² (Kish 1965): how many judgements of the target policy's own answers would weigh as much. Where it is
   * small, a few judgements decide, and neither value nor interval should be relied on.
   */
  readonly effectiveSampleSize: number;
  /** Judgements that it is made of. */
  readonly judgements: number;
}

/** The 97.5 % point of the standard normal law. */
export const Z = 1.959963984540054;

/**
 * Effective sample size of weights, (Σ w)² / Σ w² (Kish 1965).
 *
 * @param weights finite, at least 0.
 * @returns from 0 (no weights, or all 0) to the number of weights.
 * @throws RangeError where a weight is no finite number of at least 0.
 * @example effectiveSampleSize([1, 1, 0]); // 2
 */
export function effectiveSampleSize(weights: readonly number[]): number {
  checkList("effectiveSampleSize", "weights", weights, "a list of numbers");
  for (let i = 0; i < weights.length; i++)
    checkNumber("effectiveSampleSize", `weights[${i}]`, weights[i], number.atLeast0);
  return sizeOf(weights);
}

/** As `effectiveSampleSize`, of weights that were checked. */
export function sizeOf(weights: readonly number[]): number {
  const near1 = scaled(weights);
  const squares = total(near1, (w) => w * w);
  return squares === 0 ? 0 : total(near1) ** 2 / squares;
}

/**
 * Weights brought near 1, by a power of 2 and so without rounding: sums and squares of very large ones would be infinite, and
 * those of very small ones 0.
 */
export function scaled(weights: readonly number[]): number[] {
  const most = largest(weights);
  if (!(most > 0)) return [...weights];
  const power = 2 ** Math.min(1022, Math.max(-1022, -Math.floor(Math.log2(most))));
  return weights.map((w) => w * power);
}

export const estimateOf = (
  value: number,
  standardError: number,
  effectiveSampleSize: number,
  judgements: number,
): Estimate => ({
  value,
  low: value - Z * standardError,
  high: value + Z * standardError,
  standardError,
  effectiveSampleSize,
  judgements,
});

/** A ratio of sums Σ weight · value / Σ weight over rows, of which those of one example belong together. */
export interface Term {
  readonly example: string;
  readonly value: number;
  readonly weight: number;
}

/**
 * v = Σ u z / Σ u with its standard error. Linearised (the delta method), rows of the same example taken together, since
 * what several people say of one answer is not independent:
 *   se² = C / (C − 1) · Σ_examples (Σ_rows u (z − v))² / (Σ u)²        C examples
 *
 * @throws RangeError where there are fewer than two examples, or all weights are 0.
 */
export function weightedMean(op: string, terms: readonly Term[]): { value: number; standardError: number } {
  const weights = scaled(terms.map(({ weight }) => weight));
  const sum = total(weights);
  const value = total(weights, (u, i) => u * terms[i]!.value) / sum;
  const residuals = new Map<string, number[]>();
  terms.forEach(({ example, value: z }, i) => {
    const residual = weights[i]! * (z - value);
    const others = residuals.get(example);
    if (others) others.push(residual);
    else residuals.set(example, [residual]);
  });
  const C = residuals.size;
  if (C < 2 || sum === 0) {
    const fault = C < 2 ? `judgements of ${C} examples` : "weights that are all 0";
    throw new RangeError(`${op}: an interval cannot be had from ${fault}. Judge more, or of answers the policy gives.`);
  }
  const squares = total([...residuals.values()], (all) => total(all) ** 2);
  const standardError = Math.sqrt(((C / (C - 1)) * squares) / sum ** 2);
  for (const [what, x] of Object.entries({ "the estimate": value, "its standard error": standardError }))
    checkNumber(op, what, x, { ...number.finite, expected: "a finite number. π / μ of some judgements is too large" });
  return { value, standardError };
}
