import { checkNumber, checkOptions, type Known, number } from "../check.ts";
import { type Elementwise, elementwise } from "../kernels/elementwise.ts";
import { applySingle, noMore } from "./apply.ts";
import type { Tensor } from "./tensor.ts";

/* Functions of one tensor, number by number, that take no settings but clamp's. NaN goes through all of them. */

/** One of the functions that take no settings. */
export const map =
  (kind: Exclude<Elementwise, "leakyRelu" | "clamp">): ((x: Tensor) => Tensor) =>
  (x, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    return applySingle(kind, elementwise, [x], { kind });
  };

/**
 * The negative of each number.
 *
 * y = −x
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const loss = neg(mean(reward));
 * @function
 */
export const neg = map("neg");

/**
 * The exponential of each number.
 *
 * y = eˣ
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const std = exp(mul(logVariance, 0.5));
 * @function
 */
export const exp = map("exp");

/**
 * The natural logarithm of each number: −∞ of 0, NaN of a negative number.
 *
 * y = log x
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x.
 * @throws TypeError where x is not f32.
 * @example const y = log(add(x, 1e-6));
 * @function
 */
export const log = map("log");

/**
 * The square root of each number: NaN of a negative one.
 *
 * y = √x
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x; the gradient at 0 is ∞.
 * @throws TypeError where x is not f32.
 * @example const norm = sqrt(sum(mul(x, x), { axis: -1 }));
 * @function
 */
export const sqrt = map("sqrt");

/**
 * The size of each number without its sign.
 *
 * y = |x|
 *
 * @param x f32 of any shape
 * @returns of the shape of x. Differentiable in x; the gradient at 0 is 0.
 * @throws TypeError where x is not f32.
 * @example const l1 = mean(abs(sub(x, target)));
 * @function
 */
export const abs = map("abs");

/** Bounds of `clamp`; at least one of the two. */
export interface ClampOptions {
  /** The lower bound. Default −∞. */
  min?: number;
  /** The upper bound. Default ∞. */
  max?: number;
}
const clampOptions: Known<ClampOptions> = { min: true, max: true };

/**
 * Each number kept within bounds.
 *
 * y = min(max(x, options.min), options.max)
 *
 * @param x f32 of any shape
 * @param options.min the lower bound. Default −∞.
 * @param options.max the upper bound, not below min. Default ∞.
 * @returns of the shape of x. Differentiable in x; the gradient is 0 outside of the bounds.
 * @throws TypeError where neither bound is given, or min is above max.
 * @throws RangeError where a bound is NaN or no number.
 * @example const y = clamp(x, { min: -1, max: 1 });
 */
export const clamp = (x: Tensor, options: ClampOptions): Tensor => {
  checkOptions("clamp", options, clampOptions);
  if (options?.min === undefined && options?.max === undefined)
    throw new TypeError("clamp: neither min nor max is given, expected at least one of them.");
  const { min = -Infinity, max = Infinity } = options;
  checkNumber("clamp", "min", min, number.bound);
  checkNumber("clamp", "max", max, number.bound);
  return applySingle("clamp", elementwise, [x], { kind: "clamp", p: min, q: max });
};
