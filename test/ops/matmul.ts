import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { products } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const matrices = fc
  .tuple(size(37), size(37), size(37), fc.boolean(), fc.boolean())
  .map(([M, K, N, transposeA, transposeB]) => ({
    inputs: {
      a: numbers(transposeA ? [K, M] : [M, K], 1),
      b: numbers(transposeB ? [N, K] : [K, N], 2),
    },
    options: { transposeA, transposeB },
    gradients: M * K * N < 4000,
  }));

/** Vectors, and batches that are repeated. */
const broadcast = fc.tuple(size(3), size(3), size(5), size(6), size(7), fc.nat(7)).map(([P, Q, M, K, N, kind]) => {
  const shapes: [number[], number[]][] = [
    [[K], [K]],
    [[K], [P, K, N]],
    [[P, M, K], [K]],
    [
      [P, 1, M, K],
      [Q, K, N],
    ],
    [
      [P, Q, M, K],
      [K, N],
    ],
    [
      [M, K],
      [P, K, N],
    ],
    [
      [P, M, K],
      [P, K, N],
    ],
    [
      [1, M, K],
      [P, K, N],
    ],
  ];
  const [a, b] = shapes[kind]!;
  return { inputs: { a: numbers(a, 1), b: numbers(b, 2) } };
});

const op: Op = {
  call: ({ a, b }, o) => y(hg.matmul(a!, b!, o)),
  reference: ({ a, b }, o) => y(reference.matmulAny(a!, b!, o)),
  variants: [products],
  property: { draw: fc.oneof(matrices, broadcast), runs: 45 },
};
export default op;
