import { type Activation, activate } from "./activation.ts";
import { broadcastShape } from "./arithmetic.ts";
import { type Array64, array, at, count, indexOf } from "./array.ts";

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/** c[m,n] = Σₖ a[m,k] · b[k,n];  a is stored [K,M] when transposeA, b [N,K] when transposeB. */
function matmul(a: Array64, b: Array64, { transposeA = false, transposeB = false }: MatmulOptions = {}): Array64 {
  const [M, K] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [inner, N] = transposeB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (inner !== K) throw new Error(`inner sizes differ: ${K} and ${inner}`);
  const c = array([M, N]);
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let total = 0;
      for (let k = 0; k < K; k++) {
        const left = a.data[transposeA ? at(a.shape, k, m) : at(a.shape, m, k)]!;
        total += left * b.data[transposeB ? at(b.shape, n, k) : at(b.shape, k, n)]!;
      }
      c.data[at(c.shape, m, n)] = total;
    }
  return c;
}

/** PyTorch's matmul over vectors, matrices and broadcast batches. */
export function matmulAny(a: Array64, b: Array64, options: MatmulOptions = {}): Array64 {
  const [isRow, isColumn] = [a.shape.length === 1, b.shape.length === 1];
  const left = isRow ? array(options.transposeA ? [a.shape[0]!, 1] : [1, a.shape[0]!], a.data) : a;
  const right = isColumn ? array(options.transposeB ? [1, b.shape[0]!] : [b.shape[0]!, 1], b.data) : b;
  const front = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const matrix = (x: Array64, index: number[]): Array64 => {
    const own = x.shape.slice(0, -2);
    const place = index.slice(front.length - own.length).map((i, axis) => (own[axis] === 1 ? 0 : i));
    const [R, C] = x.shape.slice(-2) as [number, number];
    const start = at(own, ...place) * R * C;
    return array([R, C], x.data.slice(start, start + R * C));
  };
  const parts = Array.from({ length: count(front) }, (_, i) => {
    const index = indexOf(front, i);
    return matmul(matrix(left, index), matrix(right, index), options);
  });
  const [M, N] = parts[0]!.shape as [number, number];
  return array(
    [...front, ...(isRow ? [] : [M]), ...(isColumn ? [] : [N])],
    parts.flatMap((part) => [...part.data]),
  );
}

/** y[…,o] = f(b[o] + Σᵢ x[…,i] · w[o,i]);  w [O,I], b [O] or none. */
export function linear(
  x: Array64,
  w: Array64,
  b?: Array64,
  { activation = "none" }: { activation?: Activation } = {},
): Array64 {
  const [O, I] = w.shape as [number, number];
  const y = matmul(array([x.data.length / I, I], x.data), w, { transposeB: true });
  if (b) for (let i = 0; i < y.data.length; i++) y.data[i]! += b.data[i % O]!;
  return activate(array([...x.shape.slice(0, -1), O], y.data), activation);
}
