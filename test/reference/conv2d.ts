import { type Activation, activate } from "./activation.ts";
import { type Array64, array, at, type Pair, pair } from "./array.ts";

export interface Conv2dOptions {
  stride?: Pair;
  padding?: Pair | "same";
  dilation?: Pair;
  groups?: number;
  activation?: Activation;
}

/**
 * Cross-correlation of x [N,C,H,W] with w [O, C/groups, kH, kW], plus b [O]:
 *
 *   y[n,o,p,q] = f(b[o] + Σ_{c,i,j} x[n, g·C/groups + c, p·s − pad + i·d, q·s − pad + j·d] · w[o,c,i,j])
 *
 * where g = ⌊o / (O/groups)⌋ and x is zero outside. H' = ⌊(H + 2·pad − d·(kH − 1) − 1) / s⌋ + 1. "same", for stride 1, keeps
 * H and W; pad is then rounded down, and what is missing is below and to the right.
 */
export function conv2d(x: Array64, w: Array64, b?: Array64, options: Conv2dOptions = {}): Array64 {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, activation = "none" } = options;
  const [[sH, sW], [dH, dW]] = [pair(stride), pair(dilation)];
  const [N, , H, W] = x.shape as [number, number, number, number];
  const [O, perGroup, kH, kW] = w.shape as [number, number, number, number];
  const [pH, pW] =
    padding === "same" ? [Math.floor((dH * (kH - 1)) / 2), Math.floor((dW * (kW - 1)) / 2)] : pair(padding);
  const y = array([
    N,
    O,
    padding === "same" ? H : Math.floor((H + 2 * pH - dH * (kH - 1) - 1) / sH) + 1,
    padding === "same" ? W : Math.floor((W + 2 * pW - dW * (kW - 1) - 1) / sW) + 1,
  ]);
  const [outH, outW] = y.shape.slice(2) as [number, number];

  const output = (n: number, o: number, p: number, q: number): number => {
    const firstChannel = Math.floor(o / (O / groups)) * perGroup;
    let total = b ? b.data[o]! : 0;
    for (let c = 0; c < perGroup; c++)
      for (let i = 0; i < kH; i++)
        for (let j = 0; j < kW; j++) {
          const [h, v] = [p * sH - pH + i * dH, q * sW - pW + j * dW];
          if (h < 0 || h >= H || v < 0 || v >= W) continue;
          total += x.data[at(x.shape, n, firstChannel + c, h, v)]! * w.data[at(w.shape, o, c, i, j)]!;
        }
    return total;
  };

  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let p = 0; p < outH; p++)
        for (let q = 0; q < outW; q++) y.data[at(y.shape, n, o, p, q)] = output(n, o, p, q);
  return activate(y, activation);
}

/** The same over x [N,C,L] with w [O, C/groups, k]: pictures one row high. "same" keeps L, for odd k and stride 1. */
export function conv1d(
  x: Array64,
  w: Array64,
  b?: Array64,
  options: { stride?: number; padding?: number | "same"; dilation?: number; groups?: number } = {},
): Array64 {
  const { stride = 1, dilation = 1, groups = 1 } = options;
  const padding = options.padding === "same" ? (dilation * (w.shape[2]! - 1)) / 2 : (options.padding ?? 0);
  const flat = (t: Array64) => array(t.shape.toSpliced(2, 0, 1), t.data);
  const y = conv2d(flat(x), flat(w), b, {
    stride: [1, stride],
    padding: [0, padding],
    dilation: [1, dilation],
    groups,
  });
  return array(y.shape.toSpliced(2, 1), y.data);
}
