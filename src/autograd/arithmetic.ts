import { type Arithmetic, arithmetic } from "../kernels/arithmetic.ts";
import { where as whereKernel } from "../kernels/where.ts";
import { applySingle, asTensor, noMore } from "./apply.ts";
import type { Tensor } from "./tensor.ts";

/* Functions of two tensors that broadcast, as in PyTorch and NumPy. A number beside a tensor is a tensor of one number. */

const binary =
  (kind: Arithmetic): ((a: Tensor | number, b: Tensor | number) => Tensor) =>
  (a, b, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    const like = typeof a === "number" ? b : a;
    if (typeof like === "number")
      throw new TypeError(`${kind}: both arguments are plain numbers, expected at least one tensor.`);
    const tensor = (x: Tensor | number) =>
      typeof x === "number" ? asTensor(kind, "number", [x], like, { dtype: "f32", shape: [] }) : x;
    return applySingle(kind, arithmetic, [tensor(a), tensor(b)], { kind });
  };

/**
 * Sum of two tensors, number by number.
 *
 * y = a + b
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const y = add(x, bias); // [8, 10] + [10] → [8, 10]
 * @function
 */
export const add = binary("add");

/**
 * Difference of two tensors, number by number.
 *
 * y = a − b
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const error = sub(prediction, target);
 * @function
 */
export const sub = binary("sub");

/**
 * Product of two tensors, number by number; `matmul` is that of matrices.
 *
 * y = a ⊙ b
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const half = mul(x, 0.5);
 * @function
 */
export const mul = binary("mul");

/**
 * Quotient of two tensors, number by number.
 *
 * y = a / b
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const normalized = div(x, sum(x, { axis: -1, keepDims: true }));
 * @function
 */
export const div = binary("div");

/**
 * The larger of two tensors, number by number. NaN in either one gives NaN.
 *
 * y = max(a, b)
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b; where they are equal, each gets half of the gradient.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const y = maximum(x, 0);
 * @function
 */
export const maximum = binary("maximum");

/**
 * The smaller of two tensors, number by number. NaN in either one gives NaN.
 *
 * y = min(a, b)
 *
 * @param a f32 of any shape, or a number
 * @param b f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b; where they are equal, each gets half of the gradient.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const y = minimum(x, 6);
 * @function
 */
export const minimum = binary("minimum");

/**
 * Power, number by number, as C's `pow`: a⁰ and 1ᵇ are 1, a negative base needs a whole exponent, or the result is NaN.
 *
 * y = aᵇ
 *
 * @param a base, f32 of any shape, or a number
 * @param b exponent, f32 of a shape that broadcasts with that of a, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast, or both are plain numbers.
 * @example const squares = pow(x, 2);
 * @function
 */
export const pow = binary("pow");

/**
 * Choice between two tensors, number by number. NaN in what is not chosen changes nothing.
 *
 * y = condition ≠ 0 ? a : b
 *
 * @param condition of any type and shape; anything but 0 counts as true
 * @param a f32 of a shape that broadcasts with the others, or a number
 * @param b f32 of a shape that broadcasts with the others, or a number
 * @returns of the broadcast shape. Differentiable in a and b.
 * @throws TypeError where the shapes do not broadcast.
 * @example const y = where(mask, x, 0);
 * @function
 */
export const where: (condition: Tensor, a: Tensor | number, b: Tensor | number) => Tensor = (
  condition,
  a,
  b,
  extra?: unknown,
) => {
  noMore("where", extra);
  const tensor = (x: Tensor | number) =>
    typeof x === "number" ? asTensor("where", "number", [x], condition, { dtype: "f32", shape: [] }) : x;
  return applySingle("where", whereKernel, [condition, tensor(a), tensor(b)], {});
};
