import { mean, type ReduceOptions, reshape, sub } from "./arithmetic.ts";
import { type Array64, array, at, count, indexOf, map } from "./array.ts";

/** f over the numbers of x that share all axes but `axis`, in order. */
function over(x: Array64, { axis, keepDims = false }: ReduceOptions, f: (xs: number[]) => number): Array64 {
  const rank = x.shape.length;
  const axes = new Set((axis === undefined ? [...x.shape.keys()] : [axis].flat()).map((a) => (a < 0 ? a + rank : a)));
  const kept = x.shape.map((n, a) => (axes.has(a) ? 1 : n));
  const groups = Array.from({ length: count(kept) }, () => [] as number[]);
  x.data.forEach((value, flat) => {
    groups[at(kept, ...indexOf(x.shape, flat).map((i, a) => (axes.has(a) ? 0 : i)))]!.push(value);
  });
  const y = array(kept, groups.map(f));
  return keepDims ? y : reshape(y, { shape: x.shape.filter((_, a) => !axes.has(a)) });
}

export const max = (x: Array64, o: ReduceOptions = {}): Array64 => over(x, o, (xs) => Math.max(...xs));
export const min = (x: Array64, o: ReduceOptions = {}): Array64 => over(x, o, (xs) => Math.min(...xs));
export const argmax = (x: Array64, o: ReduceOptions = {}): Array64 => over(x, o, (xs) => xs.indexOf(Math.max(...xs)));
export const logSumExpOver = (x: Array64, o: ReduceOptions = {}): Array64 =>
  over(x, o, (xs) => {
    const top = Math.max(...xs);
    return top === -Infinity ? top : top + Math.log(xs.reduce((total, v) => total + Math.exp(v - top), 0));
  });
export const variance = (x: Array64, { correction = 1, ...o }: ReduceOptions & { correction?: number } = {}): Array64 =>
  over(x, o, (xs) => {
    const center = xs.reduce((a, b) => a + b, 0) / xs.length;
    return xs.reduce((total, v) => total + (v - center) ** 2, 0) / (xs.length - correction);
  });

/** Over the last axis: w ⊙ (x − mean) / √(variance + ε) + b */
export function layerNorm(x: Array64, w?: Array64, b?: Array64, { eps = 1e-5 }: { eps?: number } = {}): Array64 {
  const D = x.shape.at(-1)!;
  const d = sub(x, mean(x, { axis: -1, keepDims: true }));
  const squares = mean(
    map(d, (v) => v * v),
    { axis: -1 },
  );
  return map(d, (v, i) => {
    const y = v / Math.sqrt(squares.data[Math.floor(i / D)]! + eps);
    return y * (w ? w.data[i % D]! : 1) + (b ? b.data[i % D]! : 0);
  });
}

/** By channel of x [N, C, H, W], with the batch's own mean and biased variance where `training`. */
export function batchNorm2d(
  x: Array64,
  w: Array64,
  b: Array64,
  { training = false, eps = 1e-5 }: { training?: boolean; eps?: number },
  running?: { mean: Array64; variance: Array64 },
): Array64 {
  const [, C, H, W] = x.shape as [number, number, number, number];
  const options = { axis: [0, 2, 3] };
  const center = training ? mean(x, options) : running!.mean;
  const spread = training ? variance(x, { ...options, correction: 0 }) : running!.variance;
  return map(x, (v, i) => {
    const c = Math.floor(i / (H * W)) % C;
    return ((v - center.data[c]!) / Math.sqrt(spread.data[c]! + eps)) * w.data[c]! + b.data[c]!;
  });
}

export const globalAvgPool2d = (x: Array64): Array64 => mean(x, { axis: [2, 3] });
