import { checkNumber, checkOptions, checkText, type NumberRule, number } from "../check.ts";
import { Z } from "./estimate/estimate.ts";
import type { Judgement } from "./judgement.ts";
import { checkJudgements } from "./record.ts";

/*
 * Evaluation by people, blind: the network answers (argmax) examples that were drawn by chance, a person who
 * is shown neither probabilities nor earlier judgements says right or wrong, and nobody learns from it. Ask with
 * `agent.act(example, { purpose: "evaluation" })`; the log keeps such judgements apart, and `rewarded` leaves them out.
 */

/** A share, with its 95 % interval. */
export interface BlindAccuracy {
  /** Right answers as a share of those found right or wrong. */
  readonly accuracy: number;
  /** The lower end of Wilson's 95 % interval. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
  /** Answers that were found right or wrong. */
  readonly answers: number;
  /** Answers that were skipped, or whose rewards sum to 0. */
  readonly undecided: number;
}

/** Whose answers `blindAccuracy` counts. */
export interface BlindAccuracyOptions {
  /** The hash of the weights, as in the log. Default: all. */
  readonly model?: string;
}

/** A confidence interval. */
export interface Interval {
  /** The lower end. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
}

/**
 * The share of right answers by judgements for evaluation. An answer that several people judged counts once, right where
 * the mean of their rewards is above 0.
 *
 * @param judgements of a log; those for training are left out.
 * @param options.model the hash of the weights whose answers count. Default: all.
 * @returns the share with Wilson's 95 % interval.
 * @throws RangeError where no answer was judged for evaluation.
 * @throws FeedbackLogError naming the judgement and its field that cannot be.
 * @example const { accuracy, low, high } = blindAccuracy(log.judgements());
 */
export function blindAccuracy(judgements: Iterable<Judgement>, options: BlindAccuracyOptions = {}): BlindAccuracy {
  checkOptions("blindAccuracy", options, { model: true });
  const { model } = options;
  if (model !== undefined) checkText("blindAccuracy", "model", model);
  const list = checkJudgements("blindAccuracy", judgements, ["purpose", "example", "action", "reward", "model"]);
  const said = new Map<string, number[]>();
  for (const { purpose, example, action, reward, model: by } of list) {
    if (purpose !== "evaluation" || (model !== undefined && by !== model)) continue;
    const answer = JSON.stringify([by, example, action]);
    said.set(answer, [...(said.get(answer) ?? []), ...(reward === null ? [] : [reward])]);
  }
  const sums = [...said.values()].map((rewards) => rewards.reduce((a, b) => a + b, 0));
  const [right, wrong] = [sums.filter((s) => s > 0).length, sums.filter((s) => s < 0).length];
  if (right + wrong === 0) {
    const whose = model === undefined ? "" : ` of model ${model}`;
    throw new RangeError(`blindAccuracy: no answer${whose} was judged for evaluation. Ask with purpose "evaluation".`);
  }
  const answers = right + wrong;
  return { accuracy: right / answers, ...wilson(right, answers), answers, undecided: sums.length - answers };
}

/**
 * The 95 % confidence interval of a share k / n (Wilson 1927), which stays within 0 and 1 also for small n:
 *
 * (p̂ + z²/2n ± z √(p̂ (1 − p̂) / n + z² / 4n²)) / (1 + z²/n)        p̂ = k / n, z = 1.96
 *
 * @param k successes, 0 to n.
 * @param n trials, at least 1.
 * @returns the ends of the interval.
 * @throws RangeError where n is no whole number of at least 1, or k none from 0 to n.
 * @example const { low, high } = wilson(90, 100);
 */
export function wilson(k: number, n: number): Interval {
  checkNumber("wilson", "n", n, number.wholeAtLeast1);
  const ofN: NumberRule = {
    holds: (x) => Number.isInteger(x) && x >= 0 && x <= n,
    expected: `a whole number from 0 to n, ${n}`,
  };
  checkNumber("wilson", "k", k, ofN);
  const [p, z2] = [k / n, Z * Z];
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
