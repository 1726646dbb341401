import { activations } from "./activation.ts";
import { broadcastShape } from "./arithmetic.ts";
import { type Array64, array, at, indexOf, map } from "./array.ts";

const { sigmoid } = activations;

/** erf by its series ∑ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)) · 2/√π near 0, and by the continued fraction of erfc far from it. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 6) return 1;
  if (x < 3) {
    let [term, total] = [x, x];
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = 0;
  for (let k = 200; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const unary =
  (f: (x: number) => number) =>
  (x: Array64): Array64 =>
    map(x, f);
export const neg = unary((x) => -x);
export const exp = unary(Math.exp);
export const log = unary(Math.log);
export const sqrt = unary(Math.sqrt);
export const abs = unary(Math.abs);
export const gelu = unary((x) => 0.5 * x * (1 + erf(x / Math.SQRT2)));
export const silu = unary((x) => x * sigmoid(x));
export const softplus = unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
export const leakyRelu = (x: Array64, { negativeSlope = 0.01 }: { negativeSlope?: number } = {}): Array64 =>
  map(x, (v) => (v > 0 ? v : negativeSlope * v));
export const clamp = (x: Array64, { min = -Infinity, max = Infinity }: { min?: number; max?: number }): Array64 =>
  map(x, (v) => Math.min(Math.max(v, min), max));

/** y = condition ≠ 0 ? a : b, all three broadcast. */
export function where(condition: Array64, a: Array64, b: Array64): Array64 {
  const shape = broadcastShape(broadcastShape(condition.shape, a.shape), b.shape);
  const read = (x: Array64, index: number[]) =>
    x.data[at(x.shape, ...index.slice(shape.length - x.shape.length).map((i, k) => (x.shape[k] === 1 ? 0 : i)))]!;
  return map(array(shape), (_, flat) => {
    const index = indexOf(shape, flat);
    return read(condition, index) !== 0 ? read(a, index) : read(b, index);
  });
}
