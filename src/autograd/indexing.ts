import { checkList, checkNumber, checkOptions, number } from "../check.ts";
import { checkAxis, show } from "../kernels/checks.ts";
import { gather as gatherKernel } from "../kernels/gather.ts";
import { type SliceOptions, slice as sliceKernel, sliceOptions } from "../kernels/layout.ts";
import { applySingle, asTensor, expectTensor } from "./apply.ts";
import { type AxisOptions, axisOf, axisOptions } from "./axis.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/* Parts of a tensor, by their places. */

/**
 * A range along one axis.
 *
 * y[i] = x[start + i · step]
 *
 * @param x of any shape and type, with the axis
 * @param options.axis negative ones count from the end. Default 0.
 * @param options.start the first place taken; a negative one counts from the end. Default 0.
 * @param options.end the place behind the last; a negative one counts from the end. Default: the size of the axis.
 * @param options.step every step-th place is taken, at least 1. Default 1.
 * @returns of the shape of x, with ⌈(end − start) / step⌉ along the axis. Differentiable in x.
 * @throws TypeError where x has no such axis, or an option is no whole number.
 * @example const firstRows = slice(x, { end: 10 });
 */
export const slice = (x: Tensor, options: SliceOptions = {}): Tensor => {
  checkOptions("slice", options, sliceOptions);
  return applySingle("slice", sliceKernel, [x], options);
};

/**
 * Pieces one after another along an axis.
 *
 * @param x of any shape and type, with the axis
 * @param size of every piece (the last may be shorter), or a list of sizes that add up to that of the axis
 * @param options.axis negative ones count from the end. Default 0.
 * @returns the pieces, each of the shape of x but for the axis. Differentiable in x.
 * @throws TypeError where x has no such axis, or the sizes do not add up.
 * @example const [mean, logVariance] = split(code, 16, { axis: 1 }); // [N, 32] → two [N, 16]
 */
export function split(x: Tensor, size: number | readonly number[], options: AxisOptions = {}): Tensor[] {
  checkOptions("split", options, axisOptions);
  expectTensor("split", "argument 1", x);
  const { axis = 0 } = options;
  checkNumber("split", "axis", axis, number.whole);
  const length = x.shape[checkAxis("split", "x", x, axis)]!;
  if (typeof size === "number" && !(Number.isInteger(size) && size > 0))
    throw new TypeError(`split: size is ${size}, expected a whole number of at least 1.`);
  if (typeof size !== "number") {
    checkList("split", "size", size, "a number or an array of sizes");
    for (const n of size) checkNumber("split", "a size", n, number.wholeAtLeast0);
  }
  const sizes =
    typeof size === "number"
      ? Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size))
      : [...size];
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== length)
    throw new TypeError(
      `split: sizes [${sizes}] add up to ${total}, but x ${show(x)} has ${length} along axis ${axis}.`,
    );
  let start = 0;
  return sizes.map((n) => {
    start += n;
    return slice(x, { axis, start: start - n, end: start });
  });
}

/**
 * One number for each place of the index, along an axis: PyTorch's `gather`.
 *
 * y[i, j, k] = x[i, index[i, j, k], k] along axis 1, others alike
 *
 * Of an index that is on the GPU already, what lies outside of x gives NaN, and gets no gradient.
 *
 * @param x f32 of any shape, with the axis
 * @param index i32 or u32, with the sizes of x but for the axis
 * @param options.axis negative ones count from the end. Default 0.
 * @returns of the shape of the index. Differentiable in x.
 * @throws TypeError where the shapes do not fit, or the host knows of an index outside of x.
 * @example const chosen = gather(logits, actions, { axis: 1 }); // [N, A] and [N, 1] → [N, 1]
 */
export const gather = (x: Tensor, index: Tensor, options: AxisOptions = {}): Tensor => {
  checkOptions("gather", options, axisOptions);
  return applySingle("gather", gatherKernel, [x, index], { axis: axisOf("gather", options), each: true });
};

/**
 * Whole slices at the places of a list along an axis: PyTorch's `indexSelect`.
 *
 * y[i, j, k] = x[i, index[j], k] along axis 1, others alike
 *
 * Of an index that is on the GPU already, what lies outside of x gives NaN, and gets no gradient.
 *
 * @param x f32 of any shape, with the axis
 * @param index [K], i32 or u32, or an array
 * @param options.axis negative ones count from the end. Default 0.
 * @returns of the shape of x, with K along the axis. Differentiable in x.
 * @throws TypeError where the shapes do not fit, or the host knows of an index outside of x.
 * @example const batch = indexSelect(data, [4, 0, 7]); // [N, D] → [3, D]
 */
export const indexSelect = (x: Tensor, index: TensorLike, options: AxisOptions = {}): Tensor => {
  checkOptions("indexSelect", options, axisOptions);
  const places = asTensor("indexSelect", "index", index, x, { dtype: "i32" });
  return applySingle("indexSelect", gatherKernel, [x, places], { axis: axisOf("indexSelect", options), each: false });
};
