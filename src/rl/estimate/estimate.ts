/** An estimate of a mean reward, and how far to trust it. */
export interface Estimate {
  readonly value: number;
  /** The 95 % interval, by a normal law: value ± 1.96 standard errors. It may reach beyond what rewards can be. */
  readonly low: number;
  readonly high: number;
  readonly standardError: number;
  /**
   * Effective sample size, (Σ w)² / Σ w² (Kish 1965): how many judgements of the new policy's own answers would weigh as
   * much. Where it is small, a few judgements decide, and the interval is not to be trusted either.
   */
  readonly effective: number;
  /** Judgements that it is made of. */
  readonly judgements: number;
}

/** The 97.5 % point of the standard normal law. */
export const Z = 1.959963984540054;

/** (Σ w)² / Σ w². */
export function effectiveSize(weights: readonly number[]): number {
  const squares = weights.reduce((sum, w) => sum + w * w, 0);
  return squares === 0 ? 0 : weights.reduce((sum, w) => sum + w, 0) ** 2 / squares;
}

export const estimateOf = (value: number, standardError: number, effective: number, judgements: number): Estimate => ({
  value,
  low: value - Z * standardError,
  high: value + Z * standardError,
  standardError,
  effective,
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
  const total = terms.reduce((sum, { weight }) => sum + weight, 0);
  const value = terms.reduce((sum, term) => sum + term.weight * term.value, 0) / total;
  const residuals = new Map<string, number>();
  for (const { example, value: z, weight } of terms) {
    residuals.set(example, (residuals.get(example) ?? 0) + weight * (z - value));
  }
  const C = residuals.size;
  if (C < 2 || total === 0) {
    const fault = C < 2 ? `judgements of ${C} examples` : "weights that are all 0";
    throw new RangeError(`${op}: an interval cannot be had from ${fault}. Judge more, or of answers the policy gives.`);
  }
  const squares = [...residuals.values()].reduce((sum, x) => sum + x * x, 0);
  return { value, standardError: Math.sqrt(((C / (C - 1)) * squares) / total ** 2) };
}
