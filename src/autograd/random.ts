import { checkList, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { expect, show } from "../kernels/checks.ts";
import { dropout as dropoutKernel } from "../kernels/dropout.ts";
import { count } from "../kernels/op.ts";
import { categorical as categoricalKernel, type Distribution, sample } from "../kernels/sample.ts";
import { applySingle, expectTensor, noMore } from "./apply.ts";
import { type Engine, expectEngine } from "./engine.ts";
import { reshape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/* Random numbers, drawn on the device in the open step. They follow from the engine's seed and the step. */

function draw(engine: Engine, from: Distribution, shape: readonly number[], a: number, b: number): Tensor {
  checkList(from, "the shape", shape, "an array of sizes");
  expectEngine(from, engine);
  const { gpu } = engine;
  if (!gpu.recording)
    throw new Error(`${from}: no step is open. Write \`await engine.step(() => ${from}(engine, …))\`.`);
  expect(
    shape.every((size) => Number.isInteger(size) && size >= 0) && Number.isFinite(count(shape)),
    from,
    () => `the shape ${show(shape)} has a size that is not a whole number of at least 0.`,
  );
  return new Tensor(gpu, sample(gpu.recording, from, shape, a, b).slot, shape, "f32");
}

/** Options of `uniform`. */
export interface UniformOptions {
  /** The least number that is drawn. Default 0. */
  low?: number;
  /** What all numbers lie below; not under low. Default 1. */
  high?: number;
}
const uniformOptions: Known<UniformOptions> = { low: true, high: true };

/**
 * Random numbers spread evenly.
 *
 * y ~ U[low, high)
 *
 * @param engine whose seed they follow from
 * @param shape sizes of the result
 * @param options.low the least number that is drawn. Default 0.
 * @param options.high what all numbers lie below. Default 1.
 * @returns f32 of the shape. It has no gradient.
 * @throws Error outside of a step, TypeError where the shape has a wrong size, RangeError where low is above high.
 * @example const y = await engine.step(() => uniform(engine, [2, 3], { low: -1, high: 1 }));
 */
export function uniform(engine: Engine, shape: readonly number[], options: UniformOptions = {}): Tensor {
  checkOptions("uniform", options, uniformOptions);
  const { low = 0, high = 1 } = options;
  return draw(engine, "uniform", shape, low, high);
}

/** Options of `normal`. */
export interface NormalOptions {
  /** Mean of the distribution. Default 0. */
  mean?: number;
  /** Its standard deviation, at least 0. Default 1. */
  std?: number;
}
const normalOptions: Known<NormalOptions> = { mean: true, std: true };

/**
 * Random numbers of the normal distribution.
 *
 * y ~ N(mean, std²)
 *
 * @param engine whose seed they follow from
 * @param shape sizes of the result
 * @param options.mean mean of the distribution. Default 0.
 * @param options.std its standard deviation, at least 0. Default 1.
 * @returns f32 of the shape. It has no gradient.
 * @throws Error outside of a step, TypeError where the shape has a wrong size, RangeError where std is under 0.
 * @example const z = add(mu, mul(std, normal(engine, [8, 16])));
 */
export function normal(engine: Engine, shape: readonly number[], options: NormalOptions = {}): Tensor {
  checkOptions("normal", options, normalOptions);
  const { mean = 0, std = 1 } = options;
  return draw(engine, "normal", shape, mean, std);
}

/**
 * A class for each row of logits, drawn by softmax(logits).
 *
 * @param logits [N, A], f32
 * @returns i32 [N], of 0 … A − 1; −1 where the logits of a row hold NaN or have an infinity as the largest. It has no gradient.
 * @throws TypeError where logits are not [N, A], RangeError where the host knows of a row without a finite largest logit.
 * @example const actions = categorical(logits);
 * @function
 */
export const categorical: (logits: Tensor) => Tensor = (logits, extra?: unknown, array?: unknown) => {
  noMore("categorical", extra, array);
  return applySingle("categorical", categoricalKernel, [logits], {});
};

/** Options of `dropout` and `dropModalities`. */
export interface DropOptions {
  /** The probability of being dropped, 0 ≤ p < 1. */
  p: number;
}
const dropOptions: Known<DropOptions> = { p: true };

/** The probability of being dropped. */
export function probability(name: string, options: DropOptions): number {
  checkOptions(name, options, dropOptions);
  checkNumber(name, "p", options?.p, number.under1);
  return options.p;
}

/**
 * Dropout (Srivastava et al. 2014): for training; leave it out, or give p = 0, for evaluation.
 *
 * y = x / (1 − p) with probability 1 − p, else 0
 *
 * @param x f32 of any shape
 * @param options.p the probability of being dropped, 0 ≤ p < 1; where it is 0, the same numbers come out
 * @returns of the shape of x. Differentiable in x, by the same draw.
 * @throws TypeError, RangeError where p is no number of 0 ≤ p < 1.
 * @example const h = dropout(relu(x), { p: 0.1 });
 */
export const dropout = (x: Tensor, options: DropOptions): Tensor => {
  const p = probability("dropout", options);
  expectTensor("dropout", "argument 1", x);
  return p === 0 ? reshape(x, x.shape) : applySingle("dropout", dropoutKernel, [x], { p });
};
