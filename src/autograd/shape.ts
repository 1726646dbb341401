import { checkList, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { show } from "../kernels/checks.ts";
import { concat as concatKernel } from "../kernels/concat.ts";
import { expand as expandKernel } from "../kernels/expand.ts";
import { pad as padKernel, permute as permuteKernel } from "../kernels/layout.ts";
import { count } from "../kernels/op.ts";
import { reshape as reshapeKernel } from "../kernels/reshape.ts";
import { applySingle, expectTensor, noMore } from "./apply.ts";
import { type AxisOptions, axisOf, axisOptions } from "./axis.ts";
import { noGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/* The same numbers in another arrangement. Nothing is copied by reshape, flatten and detach. */

/**
 * The same numbers under another shape, row by row; no kernel runs.
 *
 * @param x of any shape and type
 * @param shape sizes whose product is that of x; one of them may be −1, for what is left
 * @returns of the shape asked for. Differentiable in x.
 * @throws TypeError where the numbers of x do not fill the shape.
 * @example const rows = reshape(x, [-1, 10]);
 * @function
 */
export const reshape: (x: Tensor, shape: readonly number[]) => Tensor = (x, shape, extra?: unknown) => {
  noMore("reshape", extra);
  checkList("reshape", "shape", shape, "an array of sizes");
  return applySingle("reshape", reshapeKernel, [x], { shape: [...shape] });
};

/** Options of `flatten`. */
export interface FlattenOptions {
  /** The first axis that is joined; negative ones count from the end. Default 0. */
  start?: number;
}
const flattenOptions: Known<FlattenOptions> = { start: true };

/**
 * All axes from `start` on as one.
 *
 * @param x [d₀, …, dₙ], of any type
 * @param options.start the first axis that is joined; negative ones count from the end. Default 0.
 * @returns [d₀, …, d_start · … · dₙ]. Differentiable in x.
 * @throws TypeError where x has no such axis.
 * @example const features = flatten(images, { start: 1 }); // [N, C, H, W] → [N, C · H · W]
 */
export const flatten = (x: Tensor, options: FlattenOptions = {}): Tensor => {
  checkOptions("flatten", options, flattenOptions);
  expectTensor("flatten", "argument 1", x);
  const { start = 0 } = options;
  checkNumber("flatten", "start", start, number.whole);
  const rank = x.shape.length;
  if (start !== 0 && (start < -rank || start >= rank))
    throw new TypeError(`flatten: start ${start} is outside of x ${show(x)}, which has axes 0 … ${rank - 1}.`);
  return reshape(x, [...x.shape.slice(0, start), count(x.shape.slice(start))]);
};

/**
 * The same numbers, through which no gradient flows: what was computed from parameters counts as given.
 *
 * @param x of any shape and type
 * @returns of the shape of x, a constant for `backward`.
 * @throws TypeError where x is no tensor.
 * @example const target = detach(reward);
 * @function
 */
export const detach: (x: Tensor) => Tensor = (x, extra?: unknown, array?: unknown) => {
  noMore("detach", extra, array);
  expectTensor("detach", "argument 1", x);
  return noGrad(() => applySingle("detach", reshapeKernel, [x], { shape: x.shape }));
};

/**
 * The axes in another order.
 *
 * y[i at axes] = x[i]
 *
 * @param x of any shape and type
 * @param axes each axis of x once, in the order of the result; negative ones count from the end
 * @returns of shape x.shape[axes[0]], x.shape[axes[1]], …. Differentiable in x.
 * @throws TypeError where the axes are not those of x in another order.
 * @example const channelsFirst = permute(image, [2, 0, 1]); // [H, W, C] → [C, H, W]
 * @function
 */
export const permute: (x: Tensor, axes: readonly number[]) => Tensor = (x, axes, extra?: unknown) => {
  noMore("permute", extra);
  checkList("permute", "axes", axes, "an array of axes");
  return applySingle("permute", permuteKernel, [x], { axes: [...axes] });
};

/**
 * Two axes swapped, the last two unless named.
 *
 * @param x of any type, with both axes
 * @param a an axis; negative ones count from the end. Default −2.
 * @param b an axis; negative ones count from the end. Default −1.
 * @returns of the shape of x with the two sizes swapped. Differentiable in x.
 * @throws TypeError where a or b is no axis of x.
 * @example const y = transpose(x); // [B, M, N] → [B, N, M]
 * @function
 */
export const transpose: (x: Tensor, a?: number, b?: number) => Tensor = (x, a = -2, b = -1, extra?: unknown) => {
  noMore("transpose", extra);
  expectTensor("transpose", "argument 1", x);
  const rank = x.shape.length;
  const [i, j] = [a < 0 ? a + rank : a, b < 0 ? b + rank : b];
  if (![i, j].every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank))
    throw new TypeError(`transpose: axes ${a} and ${b} are not both axes of x ${show(x)}.`);
  return permute(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  );
};

/**
 * Tensors joined along an axis that they have.
 *
 * @param inputs at least one, f32, with equal sizes but for the axis
 * @param options.axis negative ones count from the end. Default 0.
 * @returns the inputs one after another along the axis. Differentiable in each of them.
 * @throws TypeError where there is no tensor, or the sizes do not fit; it names all shapes.
 * @example const y = concat([image, text], { axis: 1 }); // [N, 64] and [N, 32] → [N, 96]
 */
export const concat = (inputs: readonly Tensor[], options: AxisOptions = {}): Tensor => {
  checkOptions("concat", options, axisOptions);
  checkList("concat", "inputs", inputs, "an array of tensors");
  if (inputs.length === 0) throw new TypeError("concat: there is no tensor to concat.");
  return applySingle("concat", concatKernel, [...inputs], { axis: axisOf("concat", options) });
};

/**
 * Tensors of one shape joined along a new axis.
 *
 * @param inputs at least one, of equal shapes
 * @param options.axis place of the new axis in the result; negative ones count from its end. Default 0.
 * @returns of the inputs' shape with one more axis, of their number. Differentiable in each of them.
 * @throws TypeError where there is no tensor, their shapes differ, or the result has no such axis.
 * @example const batch = stack([a, b, c]); // three [28, 28] → [3, 28, 28]
 */
export const stack = (inputs: readonly Tensor[], options: AxisOptions = {}): Tensor => {
  checkOptions("stack", options, axisOptions);
  checkList("stack", "inputs", inputs, "an array of tensors");
  const [first] = inputs;
  if (inputs.length === 0) throw new TypeError("stack: there is no tensor to stack.");
  inputs.forEach((x, i) => {
    expectTensor("stack", `input ${i}`, x);
  });
  const rank = first!.shape.length + 1;
  const asked = axisOf("stack", options);
  const axis = asked < 0 ? asked + rank : asked;
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank && inputs.every((x) => show(x) === show(first!))))
    throw new TypeError(
      `stack: inputs ${inputs.map(show).join(", ")} along axis ${asked}: expected equal shapes and an axis of 0 … ${rank - 1}.`,
    );
  return concat(
    inputs.map((x) => reshape(x, x.shape.toSpliced(axis, 0, 1))),
    { axis },
  );
};

/**
 * A tensor repeated to a larger shape, as broadcasting does.
 *
 * @param x of a shape that broadcasts to `shape`, of any type
 * @param shape the sizes of the result
 * @returns of the shape asked for. Differentiable in x: the gradients of its repetitions are added up.
 * @throws TypeError where x does not broadcast to the shape.
 * @example const rows = expand(bias, [8, 10]); // [10] → [8, 10]
 * @function
 */
export const expand: (x: Tensor, shape: readonly number[]) => Tensor = (x, shape, extra?: unknown) => {
  noMore("expand", extra);
  checkList("expand", "shape", shape, "an array of sizes");
  return applySingle("expand", expandKernel, [x], { shape: [...shape] });
};

/** Options of `pad`. */
export interface PadOptions {
  /** The number that stands around x. Default 0. */
  value?: number;
}
const padOptions: Known<PadOptions> = { value: true };

/**
 * Numbers put around a tensor, PyTorch's `pad` with mode "constant".
 *
 * @param x of any shape and type
 * @param padding how many before and after the last axis, then before and after the one in front of it, and so on
 * @param options.value the number that stands around x, of its type. Default 0.
 * @returns each size of x plus what is put before and after it. Differentiable in x.
 * @throws TypeError where the padding does not fit x.
 * @throws RangeError where the value is none of the type of x.
 * @example const y = pad(image, [1, 1, 2, 2]); // [C, H, W] → [C, H + 4, W + 2]
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  checkOptions("pad", options, padOptions);
  checkList("pad", "padding", padding, "an array of numbers, two an axis");
  expectTensor("pad", "argument 1", x);
  if (padding.length % 2 !== 0 || padding.length > 2 * x.shape.length)
    throw new TypeError(`pad: padding [${padding}] does not fit x ${show(x)}, expected two numbers an axis at most.`);
  const perAxis = x.shape.map((_, axis) => {
    const at = 2 * (x.shape.length - 1 - axis);
    return [padding[at] ?? 0, padding[at + 1] ?? 0] as const;
  });
  const { value = 0 } = options;
  return applySingle("pad", padKernel, [x], { padding: perAxis, value });
}
