/*
 * How much a question is worth, before it is asked: one number an example, the higher the sooner. Of an example is known
 * what the network says of it, or what K members of an ensemble say: a prediction [K, A] of probabilities p_ka, with
 * their mean p̄_a = 1/K Σ_k p_ka. A member is whatever may disagree with another one: networks of different seeds, the same
 * network with dropout, or with one modality each.
 */

import { checkList } from "../../check.ts";
import { largest, total } from "../../numbers.ts";
import { checkProbabilities } from "../check.ts";

/** What K members say of one example: probabilities [K, A], each row summing to 1. */
export type Prediction = readonly (readonly number[])[];

/**
 * Refuses what is no prediction: rows of probabilities, one for each action.
 *
 * @param A how many actions there must be, where that is known.
 */
export function checkPrediction(operation: string, what: string, prediction: Prediction, A?: number): void {
  checkList(operation, what, prediction, "a list of members, each a list of probabilities");
  if (prediction.length === 0)
    throw new RangeError(`${operation}: ${what} has no members, expected at least one row of probabilities.`);
  prediction.forEach((p, k) => {
    checkProbabilities(operation, `member ${k} of ${what}`, p, A ?? prediction[0]?.length);
  });
}

/** What a question is worth before it is asked: the higher, the sooner. `choose` takes one. */
export type Score = (prediction: Prediction) => number;

/** The scores of predictions that were checked. */
export const unchecked = {
  /** All alike. */
  uniform: () => 0,
  /** max_a p̄_a: the surest first, so that a person is shown what works. Teaches little. */
  greedy: (prediction) => largest(meanOf(prediction)),
  /** H(p̄) = −Σ_a p̄_a log p̄_a, in nats: the least sure first (Shannon entropy sampling, Settles 2009 §3.1). */
  entropy: (prediction) => entropy(meanOf(prediction)),
  /** −(p̄_first − p̄_second): where the two largest probabilities are close (Scheffer et al. 2001). */
  margin: (prediction) => {
    const [first = 0, second = 0] = [...meanOf(prediction)].sort((a, b) => b - a);
    return second - first;
  },
  /**
   * H(p̄) − 1/K Σ_k H(p_k): what members disagree about, less what each is unsure of by itself (BALD, Houlsby et al.
   * 2011). Noise that no answer would clear up scores 0. Needs K ≥ 2; with one member all examples score 0.
   */
  bald: (prediction) => entropy(meanOf(prediction)) - total(prediction, entropy) / prediction.length,
} satisfies Record<ScoreName, Score>;

/** The name of a score, such as "entropy" or "bald". */
export type ScoreName = "uniform" | "greedy" | "entropy" | "margin" | "bald";

const checked =
  (name: ScoreName): Score =>
  (prediction) => {
    checkPrediction(`scores.${name}`, "the prediction", prediction);
    return unchecked[name](prediction);
  };

/**
 * The scores of active learning by name: each maps a prediction [K][A] to a number, the higher the sooner it is asked about.
 * `uniform` 0; `greedy` max_a p̄_a; `entropy` H(p̄); `margin` −(p̄_first − p̄_second); `bald` H(p̄) − 1/K Σ_k H(p_k).
 *
 * @throws TypeError or RangeError (each of them) where the prediction is none.
 * @example scores.entropy([[0.9, 0.1]]);
 */
export const scores: Readonly<Record<ScoreName, Score>> = {
  uniform: checked("uniform"),
  greedy: checked("greedy"),
  entropy: checked("entropy"),
  margin: checked("margin"),
  bald: checked("bald"),
};

/** p̄ [A]. */
const meanOf = (prediction: Prediction): number[] =>
  Array.from(prediction[0]!, (_, a) => total(prediction, (p) => p[a]!) / prediction.length);

/**
 * Shannon entropy H(p) = −Σ_a p_a log p_a, in nats.
 *
 * @param p [A], probabilities that sum to 1.
 * @returns H, from 0 to log A.
 * @throws TypeError or RangeError where these are no probabilities that sum to 1.
 * @example entropyOf([0.5, 0.5]); // 0.693…
 */
export function entropyOf(p: readonly number[]): number {
  checkProbabilities("entropyOf", "p", p);
  return entropy(p);
}

const entropy = (p: readonly number[]): number => total(p, (x) => (x > 0 ? -x * Math.log(x) : 0));
