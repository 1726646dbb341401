import { type Activation, activate } from "./activation.ts";
import { type Array64, array, at, indexOf, map, type Pair, pair } from "./array.ts";

export interface PoolOptions {
  kernelSize: Pair;
  /** The kernel's size when not given. */
  stride?: Pair;
  padding?: Pair;
  activation?: Activation;
}

/** The windows of x [N,C,H,W]: each holds the numbers inside the image, padding left out. */
function pool(x: Array64, options: PoolOptions, reduce: (window: number[], size: number) => number): Array64 {
  const { kernelSize, stride = kernelSize, padding = 0, activation = "none" } = options;
  const [[kH, kW], [sH, sW], [pH, pW]] = [pair(kernelSize), pair(stride), pair(padding)];
  const [N, C, H, W] = x.shape as [number, number, number, number];
  const y = array([N, C, Math.floor((H + 2 * pH - kH) / sH) + 1, Math.floor((W + 2 * pW - kW) / sW) + 1]);
  const pooled = map(y, (_, flat) => {
    const [n, c, p, q] = indexOf(y.shape, flat) as [number, number, number, number];
    const window: number[] = [];
    for (let h = Math.max(0, p * sH - pH); h < Math.min(H, p * sH - pH + kH); h++)
      for (let v = Math.max(0, q * sW - pW); v < Math.min(W, q * sW - pW + kW); v++)
        window.push(x.data[at(x.shape, n, c, h, v)]!);
    return reduce(window, kH * kW);
  });
  return activate(pooled, activation);
}

/** The greatest number of each window; padding is −∞. */
export const maxPool2d = (x: Array64, options: PoolOptions): Array64 => pool(x, options, (w) => Math.max(...w));

/** Σ window / (kH·kW): padding counts, as zeros. */
export const averagePool2d = (x: Array64, options: PoolOptions): Array64 =>
  pool(x, options, (window, size) => window.reduce((a, b) => a + b, 0) / size);
