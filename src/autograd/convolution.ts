import { checkNumber, checkOptions, type Known, number } from "../check.ts";
import { expect, show } from "../kernels/checks.ts";
import { type Conv2dOptions, conv2d as conv2dKernel, conv2dOptions } from "../kernels/conv2d/index.ts";
import { type PoolOptions, pool2d, poolOptions } from "../kernels/pool/index.ts";
import { applySingle, expectTensor, noMore } from "./apply.ts";
import { mean } from "./reduce.ts";
import { reshape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/* Convolution and pooling. */

/**
 * 2-D convolution (cross-correlation), PyTorch's `conv2d`, with an activation fused in.
 *
 * y[n, o, p, q] = f(b[o] + Σ_{c, i, j} x[n, c, p·s + i·d − pad, q·s + j·d − pad] · w[o, c, i, j])
 *
 * @param x [N, C, H, W], f32
 * @param w [O, C / groups, kH, kW]
 * @param b [O]. Default: none.
 * @param options.stride s, one number or [vertical, horizontal]. Default 1.
 * @param options.padding zeros around x: as stride, or "same" (stride 1; the extra row of an even window is added below). Default 0.
 * @param options.dilation d, the distance of the window's numbers in x: as stride. Default 1.
 * @param options.groups into how many parts the channels are split that do not see one another. Default 1.
 * @param options.activation f: "relu", "tanh", "sigmoid" or "none". Default "none".
 * @returns [N, O, P, Q] with P = ⌊(H + 2·pad − d·(kH − 1) − 1) / s⌋ + 1. Differentiable in x, w and b.
 * @throws TypeError where channels, groups or window do not fit; it names all shapes.
 * @example const y = conv2d(x, w, b, { stride: 2, padding: 1, activation: "relu" });
 */
export const conv2d = (x: Tensor, w: Tensor, b?: Tensor, options: Conv2dOptions = {}): Tensor => {
  checkOptions("conv2d", options, conv2dOptions);
  return applySingle("conv2d", conv2dKernel, [x, w, b], options, 2);
};

/** Options of `conv1d`: those of `conv2d`, for one direction. */
export interface Conv1dOptions extends Omit<Conv2dOptions, "stride" | "padding" | "dilation"> {
  /** How far apart neighboring results are in x. Default 1. */
  stride?: number;
  /** Zeros before and after x, or "same": as many as keep the length (stride 1). Default 0. */
  padding?: number | "same";
  /** The distance in x of the window's neighboring numbers. Default 1. */
  dilation?: number;
}

/**
 * 1-D convolution (cross-correlation), PyTorch's `conv1d`: `conv2d` over pictures one row high.
 *
 * y[n, o, p] = f(b[o] + Σ_{c, i} x[n, c, p·s + i·d − pad] · w[o, c, i])
 *
 * @param x [N, C, L], f32
 * @param w [O, C / groups, k]
 * @param b [O]. Default: none.
 * @param options.stride s. Default 1.
 * @param options.padding zeros before and after x, or "same" (stride 1). Default 0.
 * @param options.dilation d. Default 1.
 * @param options.groups into how many parts the channels are split that do not see one another. Default 1.
 * @param options.activation f: "relu", "tanh", "sigmoid" or "none". Default "none".
 * @returns [N, O, P] with P = ⌊(L + 2·pad − d·(k − 1) − 1) / s⌋ + 1. Differentiable in x, w and b.
 * @throws TypeError where channels, groups or window do not fit; RangeError where a number is out of range.
 * @example const y = conv1d(sound, w, b, { padding: "same" });
 */
export function conv1d(x: Tensor, w: Tensor, b?: Tensor, options: Conv1dOptions = {}): Tensor {
  expectTensor("conv1d", "argument 1", x);
  expectTensor("conv1d", "argument 2", w);
  expect(
    x.shape.length === 3 && w.shape.length === 3,
    "conv1d",
    () => `x is ${show(x)} and w ${show(w)}, expected [N, C, L] and [O, C/groups, k].`,
  );
  checkOptions("conv1d", options, conv2dOptions as Known<Conv1dOptions>);
  const { stride = 1, padding = 0, dilation = 1, ...rest } = options;
  checkNumber("conv1d", "stride", stride, number.wholeAtLeast1);
  checkNumber("conv1d", "dilation", dilation, number.wholeAtLeast1);
  if (padding !== "same") checkNumber("conv1d", "padding", padding, number.wholeAtLeast0);
  const flat = (t: Tensor) => reshape(t, t.shape.toSpliced(2, 0, 1));
  const y = conv2d(flat(x), flat(w), b, {
    ...rest,
    stride: [1, stride],
    padding: padding === "same" ? padding : [0, padding],
    dilation: [1, dilation],
  });
  return reshape(y, y.shape.toSpliced(2, 1));
}

const pool = (name: string, kind: "max" | "average", x: Tensor, options: PoolOptions): Tensor => {
  checkOptions(name, options, poolOptions);
  if (options?.kernelSize === undefined)
    throw new TypeError(`${name}: there is no kernel, the window's size, expected such as { kernelSize: 2 }.`);
  return applySingle(name, pool2d, [x], { ...options, kind });
};

/**
 * The largest number of each window, PyTorch's `max_pool2d`, with an activation fused in. NaN counts as largest.
 *
 * y[n, c, p, q] = f(max_{i, j} x[n, c, p·s + i − pad, q·s + j − pad])
 *
 * @param x [N, C, H, W], f32
 * @param options.kernelSize size of the window, one number or [vertical, horizontal]
 * @param options.stride s, as kernelSize. Default: kernelSize.
 * @param options.padding at most half the window; what stands there is never the largest. Default 0.
 * @param options.activation f: "relu", "tanh", "sigmoid" or "none". Default "none".
 * @returns [N, C, P, Q] with P = ⌊(H + 2·pad − kH) / s⌋ + 1. Differentiable in x: the first largest of a window gets the gradient.
 * @throws TypeError where the window does not fit x or the padding it.
 * @example const y = maxPool2d(x, { kernelSize: 2 }); // half as high and wide
 */
export const maxPool2d = (x: Tensor, options: PoolOptions): Tensor => pool("maxPool2d", "max", x, options);

/**
 * The mean of each window, PyTorch's `avg_pool2d`, with an activation fused in. The padding counts as zeros.
 *
 * y[n, c, p, q] = f(Σ_{i, j} x[n, c, p·s + i − pad, q·s + j − pad] / (kH · kW))
 *
 * @param x [N, C, H, W], f32
 * @param options.kernelSize size of the window, one number or [vertical, horizontal]
 * @param options.stride s, as kernelSize. Default: kernelSize.
 * @param options.padding at most half the window. Default 0.
 * @param options.activation f: "relu", "tanh", "sigmoid" or "none". Default "none".
 * @returns [N, C, P, Q] with P = ⌊(H + 2·pad − kH) / s⌋ + 1. Differentiable in x.
 * @throws TypeError where the window does not fit x or the padding it.
 * @example const y = avgPool2d(x, { kernelSize: 2 });
 */
export const avgPool2d = (x: Tensor, options: PoolOptions): Tensor => pool("avgPool2d", "average", x, options);

/**
 * The mean of each channel.
 *
 * y[n, c] = Σ_{i, j} x[n, c, i, j] / (H · W)
 *
 * @param x [N, C, H, W], f32
 * @returns [N, C]. Differentiable in x.
 * @throws TypeError where x has not four axes.
 * @example const features = globalAvgPool2d(x);
 * @function
 */
export const globalAvgPool2d: (x: Tensor) => Tensor = (x, extra?: unknown, array?: unknown) => {
  noMore("globalAvgPool2d", extra, array);
  expectTensor("globalAvgPool2d", "argument 1", x);
  expect(x.shape.length === 4, "globalAvgPool2d", () => `x is ${show(x)}, expected 4 dimensions [N, C, H, W].`);
  return mean(x, { axis: [2, 3] });
};
