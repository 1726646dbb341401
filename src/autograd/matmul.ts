import { checkFlag, checkOptions, type Known } from "../check.ts";
import { broadcast } from "../kernels/broadcast.ts";
import { expect, show } from "../kernels/checks.ts";
import { matmul as matmulKernel } from "../kernels/matmul/index.ts";
import { count } from "../kernels/op.ts";
import { apply, expectTensor } from "./apply.ts";
import { expand, reshape } from "./ops.ts";
import type { Tensor } from "./tensor.ts";

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}
const matmulOptions: Known<MatmulOptions> = { transposeA: true, transposeB: true };

/**
 * a · b as PyTorch's `matmul`: vectors [K] are a row on the left and a column on the right, and that axis is left out of
 * the result; axes in front of the matrices broadcast. `transposeA` and `transposeB` read a matrix by its columns.
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
  const product = (a: Tensor, b: Tensor) => apply("matmul", matmulKernel, [a, b], { transposeA, transposeB })[0]!;
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
