import { type Array64, array, map, row } from "./array.ts";

/**
 * y[…,d] = w[ids[…], d] for w [V,D]. `paddingIdx` changes nothing here: its row is returned as it is,
 * but gets no gradient (see {@link withoutRow}).
 */
export function embedding(ids: Array64, w: Array64): Array64 {
  const D = w.shape[1]!;
  const y = array([...ids.shape, D]);
  ids.data.forEach((id, i) => {
    y.data.set(row(w, id), i * D);
  });
  return y;
}

/** A gradient with the row of `paddingIdx` set to zero. */
export const withoutRow = (dw: Array64, paddingIdx?: number): Array64 =>
  map(dw, (value, i) => (Math.floor(i / dw.shape[1]!) === paddingIdx ? 0 : value));

/**
 * The mean of x [N,L,D] over the tokens whose word [N,L] is not padding, zero where there are none:
 *
 *   y[n,d] = Σ_l m[n,l] · x[n,l,d] / max(1, Σ_l m[n,l]),   m = (words ≠ paddingIdx)
 */
export function maskedMean(x: Array64, words: Array64, { paddingIdx = 0 }: { paddingIdx?: number } = {}): Array64 {
  const [N, L, D] = x.shape as [number, number, number];
  const y = array([N, D]);
  for (let n = 0; n < N; n++) {
    const tokens = [...Array(L).keys()].filter((l) => words.data[n * L + l] !== paddingIdx);
    for (const l of tokens)
      for (let d = 0; d < D; d++) y.data[n * D + d]! += x.data[(n * L + l) * D + d]! / tokens.length;
  }
  return y;
}

/** maskedMean(embedding(words, w), words): the bag of words [N,D] of words [N,L] and weights w [V,D]. */
export const meanEmbedding = (words: Array64, w: Array64, options: { paddingIdx?: number } = {}): Array64 =>
  maskedMean(embedding(words, w), words, options);
