import { checkNumber, number } from "../check.ts";

/**
 * McNemar's exact test (McNemar 1947) of two classifiers on the same examples: the probability of a difference as large as
 * theirs where both are right equally often. Only the examples that one of them gets right and the other wrong tell:
 *
 * p = min(1, 2 · Σ_{i ≤ min(b, c)} C(b + c, i) / 2^(b + c))
 *
 * @param gained b, how many examples the first gets wrong and the second right.
 * @param lost c, how many the first gets right and the second wrong.
 * @returns the two-sided p-value; 1 where no example tells them apart.
 * @throws RangeError where a count is no whole number of at least 0.
 * @example mcnemar(36, 19); // 0.030: 36 examples became right and 19 wrong, which chance alone would rarely do
 */
export function mcnemar(gained: number, lost: number): number {
  checkNumber("mcnemar", "gained", gained, number.wholeAtLeast0);
  checkNumber("mcnemar", "lost", lost, number.wholeAtLeast0);
  const n = gained + lost;
  // C(n, i) / 2^n by its logarithm: 2^−n alone is 0 from 1,075 examples on.
  let log = -n * Math.LN2;
  let tail = Math.exp(log);
  for (let i = 1; i <= Math.min(gained, lost); i++) {
    log += Math.log((n - i + 1) / i);
    tail += Math.exp(log);
  }
  return Math.min(1, 2 * tail);
}
