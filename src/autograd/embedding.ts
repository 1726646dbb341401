import { checkOptions, type Known } from "../check.ts";
import { embedding as embeddingKernel } from "../kernels/embedding/index.ts";
import { maskedMean as maskedMeanKernel } from "../kernels/maskedMean.ts";
import { applySingle, asTensor, expectTensor } from "./apply.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/* Vectors for the words of a vocabulary. */

/** Options of `embedding` and `maskedMean`. */
export interface PaddingOptions {
  /** The id that stands for no word. Default: none for `embedding`, 0 for `maskedMean`. */
  paddingIdx?: number;
}
const paddingOptions: Known<PaddingOptions> = { paddingIdx: true };

/**
 * A row of a table for each id.
 *
 * y[…, d] = w[ids[…], d]
 *
 * ids as an array are held against 0 … V − 1 when this is called; of a tensor that is on the GPU already, an id outside
 * gives NaN and no gradient.
 *
 * @param ids of any shape, i32 or u32, or an array
 * @param w the table [V, D], f32
 * @param options.paddingIdx the id whose row gets no gradient. Default: none.
 * @returns [..., D], with the axes of ids in front. Differentiable in w.
 * @throws TypeError where ids are no whole numbers of 0 … V − 1, or w is not [V, D].
 * @example const words = embedding(ids, w, { paddingIdx: 0 }); // [N, L] and [V, D] → [N, L, D]
 */
export const embedding = (ids: TensorLike, w: Tensor, options: PaddingOptions = {}): Tensor => {
  checkOptions("embedding", options, paddingOptions);
  expectTensor("embedding", "argument 2", w);
  return applySingle(
    "embedding",
    embeddingKernel,
    [asTensor("embedding", "ids", ids, w, { dtype: "i32" }), w],
    options,
  );
};

/**
 * The mean of the vectors of each text, but for its padding.
 *
 * y[n, d] = the mean of x[n, l, d] over the places l with words[n, l] ≠ paddingIdx, 0 where there are none
 *
 * @param x [N, L, D], f32
 * @param words [N, L], i32 or u32, or an array
 * @param options.paddingIdx the id that stands for no word. Default 0.
 * @returns [N, D]. Differentiable in x.
 * @throws TypeError where the shapes do not fit.
 * @example const text = maskedMean(embedding(ids, w), ids);
 */
export const maskedMean = (x: Tensor, words: TensorLike, options: PaddingOptions = {}): Tensor => {
  checkOptions("maskedMean", options, paddingOptions);
  expectTensor("maskedMean", "argument 1", x);
  const given = asTensor("maskedMean", "words", words, x, { dtype: "i32", shape: x.shape.slice(0, 2) });
  return applySingle("maskedMean", maskedMeanKernel, [x, given], options);
};
