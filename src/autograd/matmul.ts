import { checkFlag, checkOptions, type Known } from "../check.ts";
import { broadcast } from "../kernels/broadcast.ts";
import { expect, show } from "../kernels/checks.ts";
import { linear as linearKernel } from "../kernels/linear.ts";
import { matmul as matmulKernel } from "../kernels/matmul/index.ts";
import { count } from "../kernels/op.ts";
import type { Activation } from "../kernels/snippets.ts";
import { applySingle, expectTensor } from "./apply.ts";
import { expand, reshape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Options of `matmul`. */
export interface MatmulOptions {
  /** Whether a is read by its columns: [..., K, M] instead of [..., M, K]. Default false. */
  transposeA?: boolean;
  /** Whether b is read by its columns: [..., N, K] instead of [..., K, N]. Default false. */
  transposeB?: boolean;
}
const matmulOptions: Known<MatmulOptions> = { transposeA: true, transposeB: true };

/**
 * Matrix product, PyTorch's `matmul`. A vector [K] is a row on the left and a column on the right, and that axis is left out of
 * the result.
 *
 * y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n]
 *
 * @param a [..., M, K] or [K], f32
 * @param b [..., K, N] or [K], f32; the axes in front of the matrices broadcast with those of a
 * @param options.transposeA whether a is read by its columns: [..., K, M]. Default false.
 * @param options.transposeB whether b is read by its columns: [..., N, K]. Default false.
 * @returns [..., M, N]. Differentiable in a and b.
 * @throws TypeError where inner sizes differ or the axes in front do not broadcast; it names both shapes.
 * @example const scores = matmul(q, k, { transposeB: true }); // [B, T, D] · [B, S, D]ᵀ → [B, T, S]
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkOptions("matmul", options, matmulOptions);
  const { transposeA = false, transposeB = false } = options;
  checkFlag("matmul", "transposeA", transposeA);
  checkFlag("matmul", "transposeB", transposeB);
  expectTensor("matmul", "argument 1", a);
  expectTensor("matmul", "argument 2", b);
  expect(
    a.shape.length > 0 && b.shape.length > 0,
    "matmul",
    () => `expected vectors or matrices, found a ${show(a)} and b ${show(b)}.`,
  );
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  if (isRow || isColumn) {
    const y = matmul(
      isRow ? reshape(a, transposeA ? [a.shape[0]!, 1] : [1, a.shape[0]!]) : a,
      isColumn ? reshape(b, transposeB ? [1, b.shape[0]!] : [b.shape[0]!, 1]) : b,
      options,
    );
    const { shape } = y;
    return reshape(y, [...shape.slice(0, -2), ...(isRow ? [] : [shape.at(-2)!]), ...(isColumn ? [] : [shape.at(-1)!])]);
  }
  const product = (a: Tensor, b: Tensor) => applySingle("matmul", matmulKernel, [a, b], { transposeA, transposeB });
  const [frontA, frontB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (frontA.length === 0 && frontB.length === 0) return product(a, b);
  // Many matrices times one are one tall matrix times it.
  if (count(frontB) === 1 && frontB.length <= frontA.length && !transposeA) {
    const y = product(reshape(a, [-1, a.shape.at(-1)!]), reshape(b, b.shape.slice(-2)));
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1]!]);
  }
  const front = broadcast(frontA, frontB);
  expect(
    front !== undefined,
    "matmul",
    () => `the axes in front of the matrices do not broadcast: a ${show(a)} and b ${show(b)}.`,
  );
  const all = (x: Tensor) => {
    const shape = [...front, ...x.shape.slice(-2)];
    return reshape(show(x) === show(shape) ? x : expand(x, shape), [count(front), ...x.shape.slice(-2)]);
  };
  const y = product(all(a), all(b));
  return reshape(y, [...front, ...y.shape.slice(1)]);
}

/** Options of `linear`. */
export interface LinearOptions {
  /** Applied to the result, in the same kernel. Default "none". */
  activation?: Activation;
}
const linearOptions: Known<LinearOptions> = { activation: true };

/**
 * Fully connected layer, PyTorch's `linear`, with an activation fused in.
 *
 * y[…, o] = f(b[o] + Σ_d x[…, d] · w[o, d])
 *
 * @param x [..., D], f32
 * @param w [O, D]
 * @param b [O]. Default: none.
 * @param options.activation f: "relu", "tanh", "sigmoid" or "none". Default "none".
 * @returns [..., O]. Differentiable in x, w and b.
 * @throws TypeError where the shapes do not fit; it names all of them.
 * @example const h = linear(x, w, b, { activation: "relu" });
 */
export const linear = (x: Tensor, w: Tensor, b?: Tensor, options: LinearOptions = {}): Tensor => {
  checkOptions("linear", options, linearOptions);
  return applySingle("linear", linearKernel, [x, w, b], options, 2);
};
