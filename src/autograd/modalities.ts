import { checkList, checkName, checkOptions, type Known } from "../check.ts";
import { dropModalities as dropModalitiesKernel } from "../kernels/dropout.ts";
import { type FuseKind, fuse as fuseKernel, fusions } from "../kernels/fuse.ts";
import { applySingle, asTensor, expectTensor } from "./apply.ts";
import { type DropOptions, probability } from "./random.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/* Examples that have several modalities, or lack some. */

/** What `fuse` may read beside the features. */
export interface FuseInputs {
  /** [N, M], or an array: 1 where example n has modality m, else 0. Default: all are there. */
  present?: TensorLike | undefined;
  /** v, [M]: needed for the fusion "weighted", and for no other. */
  weights?: Tensor | undefined;
}
const fuseInputs: Known<FuseInputs> = { present: true, weights: true };

/**
 * One feature vector of each example from those of its modalities. What is not there is not read, whatever stands in its
 * place; an example without any modality gives 0.
 *
 * - concat: y [N, Σ D_m] = present_m · x_m, side by side
 * - average: y [N, D] = Σ_m c_m · x_m with c_m = present_m / Σ_k present_k
 * - weighted: the same with c_m = present_m · e^{v_m} / Σ_k present_k · e^{v_k}
 *
 * @param features M tensors x_m [N, D_m], 1 … 5; all D_m equal but for "concat"
 * @param fusion "concat", "average" or "weighted"
 * @param inputs what is there, and weights of the modalities
 * @param inputs.present [N, M], 1 where a modality is there, else 0. Default: all are there.
 * @param inputs.weights v [M], for "weighted" alone
 * @returns [N, Σ D_m] for "concat", else [N, D]. Differentiable in each feature and in weights.
 * @throws TypeError where sizes differ, weights do not belong to the fusion, or a mark in present is neither 1 nor 0.
 * @example const y = fuse([image, text], "weighted", { present: [1, 0, 1, 1], weights: v }); // N = 2
 */
export function fuse(features: readonly Tensor[], fusion: FuseKind, inputs: FuseInputs = {}): Tensor {
  checkOptions("fuse", inputs, fuseInputs);
  checkName("fuse", "fusion", fusion, fusions);
  checkList("fuse", "features", features, "an array of tensors");
  const { present, weights } = inputs;
  const M = features.length;
  if (M === 0) throw new TypeError("fuse: there are no features to fuse.");
  features.forEach((x, i) => {
    expectTensor("fuse", `features[${i}]`, x);
  });
  const mask =
    present && asTensor("fuse", "present", present, features[0]!, { dtype: "f32", shape: [features[0]!.shape[0]!, M] });
  return applySingle("fuse", fuseKernel, [...features, mask, weights], { fusion, modalities: M }, M);
}

/**
 * Takes modalities away at random, so that a network learns to do without each of them.
 *
 * Each 1 of the mask becomes 0 with probability p; an example that would lose all of its modalities keeps them all. The draw
 * follows from the engine's seed and the step.
 *
 * @param present [N, M], f32: 1 where example n has modality m, else 0
 * @param options.p the probability of being taken away, 0 ≤ p < 1
 * @returns [N, M]. It has no gradient.
 * @throws TypeError where present is not [N, M] of 1 and 0, and RangeError where p is out of range.
 * @example const y = fuse(features, "average", { present: dropModalities(present, { p: 0.2 }) });
 */
export const dropModalities = (present: Tensor, options: DropOptions): Tensor =>
  applySingle("dropModalities", dropModalitiesKernel, [present], { p: probability("dropModalities", options) });
