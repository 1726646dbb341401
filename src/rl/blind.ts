import { checkNumber, checkOptions, checkText, type NumberRule, number } from "../check.ts";
import { Z } from "./estimate/estimate.ts";
import { checkJudgements, type Judgement } from "./judgement.ts";

/*
 * Evaluation by people, blind: the network gives its likeliest answer for examples that were drawn by chance, a person who
 * is shown neither probabilities nor earlier judgements says right or wrong, and nobody learns from it. Ask with
 * `agent.act(example, { purpose: "evaluation" })`; the log keeps such judgements apart, and `rewarded` leaves them out.
 */

/** A share, with its 95 % interval. */
export interface BlindAccuracy {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Answers that were found right or wrong, and those that nobody could tell of. */
  readonly answers: number;
  readonly undecided: number;
}

/**
 * The share of right answers by judgements for evaluation. An answer that several people judged counts once, right where
 * the mean of what they said is over 0.
 *
 * @param options.model the model whose answers count, by the hash in the log. Default: of all.
 * @throws RangeError where there is nothing to go by.
 */
export function blindAccuracy(judgements: Iterable<Judgement>, options: { model?: string } = {}): BlindAccuracy {
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
 * The 95 % interval of a share k / n (Wilson 1927), which stays within 0 and 1 and is of use for few and for none:
 *   (p̂ + z²/2n ± z √(p̂ (1 − p̂) / n + z² / 4n²)) / (1 + z²/n)
 *
 * @throws RangeError where n is no whole number of at least 1, or k none from 0 to n.
 */
export function wilson(k: number, n: number): { low: number; high: number } {
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
