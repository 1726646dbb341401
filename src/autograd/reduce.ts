import { checkFlag, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { argmax as argmaxKernel, minmax as minmaxKernel } from "../kernels/minmax.ts";
import { checkAxes, type ReduceOptions, reduceOptions, sum as sumKernel } from "../kernels/reduce.ts";
import { applySingle, expectTensor } from "./apply.ts";
import { add, div, mul, sub, where } from "./arithmetic.ts";
import { clamp, exp, log } from "./elementwise.ts";
import { reshape } from "./shape.ts";
import { noGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/* One number from many, over any axes. variance and logSumExp are other functions one after another. */

/**
 * Sum over any axes. Long sums are added in parts, so that rounding errors hardly grow with the length.
 *
 * y = Σ x
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether summed axes stay, of size 1. Default false.
 * @returns of the shape of x without the summed axes. Differentiable in x.
 * @throws TypeError where x has no such axis, or one is named twice.
 * @example const rows = sum(x, { axis: -1 }); // [N, D] → [N]
 */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("sum", options, reduceOptions);
  return applySingle("sum", sumKernel, [x], options);
};

/**
 * Mean over any axes.
 *
 * y = Σ x / n
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether averaged axes stay, of size 1. Default false.
 * @returns of the shape of x without the averaged axes; NaN where there is nothing to average. Differentiable in x.
 * @throws TypeError where x has no such axis, or one is named twice.
 * @example const loss = mean(losses);
 */
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("mean", options, reduceOptions);
  return applySingle("mean", sumKernel, [x], { ...options, mean: true });
};

/**
 * The largest number over any axes. NaN counts as largest.
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether the axes stay, of size 1. Default false.
 * @returns of the shape of x without the axes. Differentiable in x: the numbers that are the largest share the gradient equally.
 * @throws TypeError where x has no such axis, or it is empty.
 * @example const top = max(logits, { axis: -1, keepDims: true });
 */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("max", options, reduceOptions);
  return applySingle("max", minmaxKernel, [x], { ...options, kind: "max" });
};

/**
 * The smallest number over any axes. NaN counts as smallest.
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether the axes stay, of size 1. Default false.
 * @returns of the shape of x without the axes. Differentiable in x: the numbers that are the smallest share the gradient equally.
 * @throws TypeError where x has no such axis, or it is empty.
 * @example const least = min(x, { axis: 1 });
 */
export const min = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("min", options, reduceOptions);
  return applySingle("min", minmaxKernel, [x], { ...options, kind: "min" });
};

/** Options of `argmax`. */
export interface ArgmaxOptions {
  /** The axis searched; negative ones count from the end. Default: all of x as one list. */
  axis?: number;
  /** Whether the axis stays, of size 1. Default false. */
  keepDims?: boolean;
}

/**
 * The place of the largest number along an axis, the first of several. NaN counts as largest.
 *
 * @param x f32 of any shape
 * @param options.axis the axis searched; negative ones count from the end. Default: all of x as one list.
 * @param options.keepDims whether the axis stays, of size 1. Default false.
 * @returns i32, of the shape of x without the axis. It has no gradient.
 * @throws TypeError where x has no such axis, or it is empty.
 * @example const classes = await argmax(logits, { axis: 1 }).data();
 */
export const argmax = (x: Tensor, options: ArgmaxOptions = {}): Tensor => {
  checkOptions("argmax", options, reduceOptions);
  return applySingle("argmax", argmaxKernel, [x], options);
};

/** Options of `variance`. */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken off the number of summands. Default 1, which makes it unbiased; 0 gives that of the numbers themselves. */
  correction?: number;
}
const varianceOptions: Known<VarianceOptions> = { ...reduceOptions, correction: true };

/**
 * Variance over any axes, PyTorch's `var`. It keeps its digits where the mean is large beside the deviations.
 *
 * y = Σ (x − mean(x))² / max(0, n − correction)
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether the axes stay, of size 1. Default false.
 * @param options.correction what is taken off the number of summands. Default 1.
 * @returns of the shape of x without the axes. Differentiable in x.
 * @throws TypeError where x has no such axis, or one is named twice.
 * @throws RangeError where the correction is not finite.
 * @example const spread = variance(x, { axis: 0, correction: 0 });
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  checkOptions("variance", options, varianceOptions);
  expectTensor("variance", "argument 1", x);
  const { correction = 1, ...rest } = options;
  checkNumber("variance", "correction", correction, number.finite);
  const axis = [...checkAxes("variance", x, rest.axis)];
  const n = axis.reduce((product, a) => product * x.shape[a]!, 1);
  // The mean as a constant: what x does to the sum of squares by way of it is 0.
  const { center, missed } = noGrad(() => centered(x, axis));
  // A mean that is not finite has no digits to correct.
  const digits = noGrad(() => where(sub(missed, missed), 0, missed));
  const d = sub(sub(x, center), digits);
  return div(sum(mul(d, d), { ...rest, axis }), Math.max(0, n - correction));
}

/**
 * x minus its mean over some axes. Of a mean that is large beside the deviations a float lacks the digits that they need:
 * what it misses is the mean of the differences from it, and is subtracted from those.
 */
export function centered(x: Tensor, axis: number[]): { center: Tensor; missed: Tensor; d: Tensor } {
  const center = mean(x, { axis, keepDims: true });
  const near = sub(x, center);
  // As a constant: the gradient through the first mean is that of the whole.
  const missed = noGrad(() => mean(near, { axis, keepDims: true }));
  return { center, missed, d: sub(near, missed) };
}

/**
 * Logarithm of a sum of exponentials over any axes, by way of the largest x, so that nothing overflows.
 *
 * y = log Σ eˣ
 *
 * @param x f32 of any shape
 * @param options.axis one or several; negative ones count from the end. Default: all of them.
 * @param options.keepDims whether the axes stay, of size 1. Default false.
 * @returns of the shape of x without the axes. Differentiable in x.
 * @throws TypeError where x has no such axis, or one is named twice.
 * @example const normalizer = logSumExp(logits, { axis: -1 });
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkOptions("logSumExp", options, reduceOptions);
  checkFlag("logSumExp", "keepDims", options.keepDims);
  expectTensor("logSumExp", "argument 1", x);
  const axis = [...checkAxes("logSumExp", x, options.axis)];
  // Kept finite: ∞ − ∞ is not a number.
  const top = noGrad(() => clamp(max(x, { axis, keepDims: true }), { min: -3e38, max: 3e38 }));
  const y = add(log(sum(exp(sub(x, top)), { axis, keepDims: true })), top);
  if (options.keepDims) return y;
  return reshape(
    y,
    x.shape.filter((_, a) => !axis.includes(a)),
  );
}
