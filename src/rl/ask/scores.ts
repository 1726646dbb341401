/*
 * How much a question is worth, before it is asked: one number an example, the higher the sooner. Of an example is known
 * what the network says of it, or what K members of an ensemble say: a prediction [K, A] of probabilities p_ka, with
 * their mean p̄_a = 1/K Σ_k p_ka. A member is whatever may disagree with another one: networks of different seeds, the same
 * network with dropout, or with one modality each.
 */

import { largest } from "../../numbers.ts";

/** What K members say of one example: probabilities [K, A], each row summing to 1. */
export type Prediction = readonly (readonly number[])[];

export type Score = (prediction: Prediction) => number;

export const scores = {
  /** All alike. */
  uniform: () => 0,
  /** max_a p̄_a: the surest first, so that a person is shown what works. Teaches little. */
  greedy: (prediction) => largest(meanOf(prediction)),
  /** H(p̄) = −Σ_a p̄_a log p̄_a, in nats: the least sure first (Shannon entropy sampling, Settles 2009 §3.1). */
  entropy: (prediction) => entropyOf(meanOf(prediction)),
  /** −(p̄_first − p̄_second): where the two likeliest answers are close (Scheffer et al. 2001). */
  margin: (prediction) => {
    const [first = 0, second = 0] = [...meanOf(prediction)].sort((a, b) => b - a);
    return second - first;
  },
  /**
   * H(p̄) − 1/K Σ_k H(p_k): what members disagree about, less what each is unsure of by itself (BALD, Houlsby et al.
   * 2011). Noise that no answer would clear up scores 0. Needs K ≥ 2; with one member all examples score 0.
   */
  bald: (prediction) =>
    entropyOf(meanOf(prediction)) - prediction.reduce((sum, p) => sum + entropyOf(p), 0) / prediction.length,
} satisfies Record<string, Score>;

export type ScoreName = keyof typeof scores;

/** p̄ [A]. */
export function meanOf(prediction: Prediction): number[] {
  const [first] = prediction;
  if (!first) throw new RangeError("ask: a prediction has no members, expected at least one row of probabilities.");
  return first.map((_, a) => prediction.reduce((sum, p) => sum + p[a]!, 0) / prediction.length);
}

/** −Σ p log p, in nats. */
export function entropyOf(p: readonly number[]): number {
  return p.reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);
}
