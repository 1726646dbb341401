import { checkNumber, checkOptions, type Known, number } from "../check.ts";
import { activation } from "../kernels/activation.ts";
import { checkAxis } from "../kernels/checks.ts";
import { elementwise } from "../kernels/elementwise.ts";
import type { Activation } from "../kernels/snippets.ts";
import { softmax as softmaxKernel } from "../kernels/softmax.ts";
import { applySingle, expectTensor, noMore } from "./apply.ts";
import { type AxisOptions, axisOptions } from "./axis.ts";
import { map } from "./elementwise.ts";
import { transpose } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/* Activations, number by number, and the softmax. relu, tanh and sigmoid can be fused into linear, conv2d and pooling too. */

const unary =
  (kind: Exclude<Activation, "none">): ((x: Tensor) => Tensor) =>
  (x, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    return applySingle(kind, activation, [x], { kind });
  };

/**
 * Rectified linear unit.
 *
 * y = max(x, 0)
 *
 * @param x f32 of any shape
 * @returns of the shape of x; NaN stays NaN. Differentiable in x; the gradient at 0 is 0.
 * @throws TypeError where x is not f32.
 * @example const h = relu(linear(x, w, b)); // or linear(x, w, b, { activation: "relu" }): one kernel
 * @function
 */
export const relu = unary("relu");

/**
 * Hyperbolic tangent.
 *
 * y = tanh x
 *
 * @param x f32 of any shape
 * @returns of the shape of x, in [−1, 1]. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const h = tanh(linear(x, w, b));
 * @function
 */
export const tanh = unary("tanh");

/**
 * Logistic sigmoid.
 *
 * y = 1 / (1 + e⁻ˣ)
 *
 * @param x f32 of any shape
 * @returns of the shape of x, in [0, 1]. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const probability = sigmoid(logits);
 * @function
 */
export const sigmoid = unary("sigmoid");

/**
 * Gaussian error linear unit (Hendrycks and Gimpel 2016): the exact one, not its tanh approximation.
 *
 * y = x · Φ(x), Φ the distribution function of the standard normal distribution
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const h = gelu(linear(x, w, b));
 * @function
 */
export const gelu = map("gelu");

/**
 * Sigmoid linear unit, also called swish (Elfwing, Uchibe and Doya 2018).
 *
 * y = x · σ(x)
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const h = silu(linear(x, w, b));
 * @function
 */
export const silu = map("silu");

/**
 * A smooth relu.
 *
 * y = log(1 + eˣ)
 *
 * @param x f32 of any shape
 * @returns of the shape of x, over 0; it does not overflow. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const std = softplus(linear(x, w, b));
 * @function
 */
export const softplus = map("softplus");

/** Options of `leakyRelu`. */
export interface LeakyReluOptions {
  /** The slope below 0. Default 0.01. */
  negativeSlope?: number;
}
const leakyReluOptions: Known<LeakyReluOptions> = { negativeSlope: true };

/**
 * Relu with a slope below 0 (Maas, Hannun and Ng 2013).
 *
 * y = x where x > 0, else negativeSlope · x
 *
 * @param x f32 of any shape
 * @param options.negativeSlope the slope below 0, finite. Default 0.01.
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @throws RangeError where the slope is not finite.
 * @example const h = leakyRelu(x, { negativeSlope: 0.2 });
 */
export const leakyRelu = (x: Tensor, options: LeakyReluOptions = {}): Tensor => {
  checkOptions("leakyRelu", options, leakyReluOptions);
  const { negativeSlope = 0.01 } = options;
  checkNumber("leakyRelu", "negativeSlope", negativeSlope, number.finite);
  return applySingle("leakyRelu", elementwise, [x], { kind: "leakyRelu", p: negativeSlope });
};

/** The kernel goes over the last axis: another one is brought there, and back. */
const alongAxis =
  (name: "softmax" | "logSoftmax") =>
  (x: Tensor, options: AxisOptions = {}): Tensor => {
    checkOptions(name, options, axisOptions);
    const settings = { log: name === "logSoftmax" };
    const { axis = -1 } = options;
    if (axis === -1) return applySingle(name, softmaxKernel, [x], settings);
    checkNumber(name, "axis", axis, number.whole);
    expectTensor(name, "argument 1", x);
    if (checkAxis(name, "x", x, axis) === x.shape.length - 1) return applySingle(name, softmaxKernel, [x], settings);
    return transpose(applySingle(name, softmaxKernel, [transpose(x, axis, -1)], settings), axis, -1);
  };

/**
 * Probabilities from logits, over one axis. A common offset of the logits does not matter, so nothing overflows.
 *
 * y_i = e^{x_i} / Σ_j e^{x_j}
 *
 * @param x f32 of any shape with at least one axis
 * @param options.axis the axis that the probabilities add up over. Default: the last one.
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x has no such axis.
 * @example const probabilities = softmax(logits); // [N, A]: each row adds up to 1
 * @function
 */
export const softmax = alongAxis("softmax");

/**
 * Logarithms of the softmax, exact where the probabilities themselves round to 0.
 *
 * y_i = x_i − log Σ_j e^{x_j}
 *
 * @param x f32 of any shape with at least one axis
 * @param options.axis the axis that the probabilities add up over. Default: the last one.
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x has no such axis.
 * @example const logProbabilities = logSoftmax(logits);
 * @function
 */
export const logSoftmax = alongAxis("logSoftmax");
