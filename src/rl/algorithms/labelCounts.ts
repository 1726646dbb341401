import { checkList, checkNumber, type NumberRule, number } from "../../check.ts";
import { largest, smallest } from "../../numbers.ts";
import type { Judged } from "./algorithm.ts";

/*
 * What is known of the answers themselves: how often each was confirmed, by a label or by a judgement "right". An answer
 * that is never given is never confirmed, and nothing is ever learned of it; so what hardly anyone has confirmed gets the
 * benefit of the doubt, as in algorithms that are optimistic in the face of the unknown (Lai & Robbins 1985; Auer et al. 2002).
 */

/** What is too little, as a part of the mean over all answers. */
const RARE = 0.5;
/** What is added at most to a probability: where the likeliest answer is less sure than this, another one is tried. */
const OPTIMISM = 0.5;

/** How often each of A answers was confirmed, [A]. */
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

/** The least that any answer was confirmed, as a part of the mean over all; 0 where none was. */
export function lowestRelativeCount(counts: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return total === 0 ? 0 : (counts.length * smallest(counts)) / total;
}

/**
 * The likeliest answer of probabilities [A], the first of equals. Where `counts` tell how often each was confirmed, those that
 * hardly were have the benefit of the doubt.
 *
 * @throws TypeError or RangeError where there is none, a probability is no number, or the counts are not as many.
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
