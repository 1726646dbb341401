import { type Array64, array } from "./array.ts";

/** ∂f/∂inputs[which] by central differences: (f(x + eps·eᵢ) − f(x − eps·eᵢ)) / (2·eps) for each element i. */
export function numericalGradient(
  f: (inputs: Array64[]) => number,
  inputs: readonly Array64[],
  which: number,
  eps = 1e-5,
): Array64 {
  const copies = inputs.map((x) => array(x.shape, x.data));
  const x = copies[which]!;
  const dx = array(x.shape);
  for (let i = 0; i < x.data.length; i++) {
    const value = x.data[i]!;
    x.data[i] = value + eps;
    const above = f(copies);
    x.data[i] = value - eps;
    const below = f(copies);
    x.data[i] = value;
    dx.data[i] = (above - below) / (2 * eps);
  }
  return dx;
}

/** dot(y, dy) = Σᵢ yᵢ·dyᵢ: the loss whose gradient at y is dy. */
export function dot(y: Array64, dy: Array64): number {
  if (y.data.length !== dy.data.length) throw new Error(`dy [${dy.shape}] does not fit y [${y.shape}]`);
  return y.data.reduce((total, value, i) => total + value * dy.data[i]!, 0);
}
