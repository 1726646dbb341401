import { type Activation, activate } from "./activation.ts";
import { type Array64, array, at } from "./array.ts";

export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/** c[m,n] = Σₖ a[m,k] · b[k,n];  a is stored [K,M] when transposeA, b [N,K] when transposeB. */
export function matmul(
  a: Array64,
  b: Array64,
  { transposeA = false, transposeB = false }: MatmulOptions = {},
): Array64 {
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
