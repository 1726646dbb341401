import { checkList, checkNumber, type NumberRule, number } from "../../check.ts";
import { largest, smallest } from "../../numbers.ts";
import type { Judged } from "./algorithm.ts";

/*
 * Label counts: how many labels and approving judgements each action has. An action that is never tried gets no count, and
 * nothing is ever learned of it; so rare ones get an optimism bonus, as in upper confidence bounds (Lai & Robbins 1985;
 * Auer et al. 2002).
 */

/** Counts below this part of the mean over all actions get a bonus. */
const RARE = 0.5;
/** The largest bonus, in probability. */
const OPTIMISM = 0.5;

/** How many labels and approving judgements each action has, [A]. */
export function countLabels(
  labeled: readonly { readonly label: number }[],
  judged: readonly Pick<Judged<unknown>, "action" | "reward">[],
  A: number,
): number[] {
  const counts = new Array<number>(A).fill(0);
  for (const { label } of labeled) counts[label]! += 1;
  for (const { action, reward } of judged) if (reward > 0) counts[action]! += 1;
  return counts;
}

/** The lowest count as a part of the mean over all actions; 0 where all are 0. */
export function lowestRelativeCount(counts: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return total === 0 ? 0 : (counts.length * smallest(counts)) / total;
}

/**
 * The index of the largest probability, the first of equals; with `counts` plus an optimism bonus for rarely labeled actions:
 *
 * argmax_a p_a + 0.5 · max(0, 1 − n_a / (0.5 · mean n))
 *
 * so that an action that was never approved is still tried (optimism in the face of uncertainty: Lai & Robbins 1985).
 *
 * @param probabilities [A]
 * @param counts n [A], how many labels and approving judgements each action has. Default: no bonus.
 * @returns an index into `probabilities`.
 * @throws TypeError where one of the lists or its numbers is none.
 * @throws RangeError where there are no probabilities, or not as many counts.
 * @example optimisticArgmax([0.5, 0.4, 0.1]); // 0
 */
export function optimisticArgmax(probabilities: readonly number[], counts?: readonly number[]): number {
  checkNumbers("probabilities", probabilities, number.finite);
  if (probabilities.length === 0)
    throw new RangeError("optimisticArgmax: there are no probabilities, expected at least one.");
  if (counts !== undefined) {
    checkNumbers("counts", counts, number.atLeast0);
    if (counts.length !== probabilities.length)
      throw new RangeError(
        `optimisticArgmax: ${counts.length} counts for ${probabilities.length} probabilities, expected as many.`,
      );
  }
  const total = counts?.reduce((a, b) => a + b, 0) ?? 0;
  const hopes = Array.from(probabilities, (p, a) =>
    counts && total > 0 ? p + OPTIMISM * Math.max(0, 1 - (counts[a]! * counts.length) / (RARE * total)) : p,
  );
  return hopes.indexOf(largest(hopes));
}

function checkNumbers(what: string, numbers: readonly number[], rule: NumberRule): void {
  checkList("optimisticArgmax", what, numbers, "a list of numbers");
  for (let i = 0; i < numbers.length; i++) checkNumber("optimisticArgmax", `${what}[${i}]`, numbers[i], rule);
}
