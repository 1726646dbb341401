import { type Array64, map } from "./array.ts";

/** A step: the new parameter from the old one and its gradient. Each holds the state of one parameter. */
export type Step = (w: Array64, dw: Array64) => Array64;

export interface SgdOptions {
  lr: number;
  momentum?: number;
  weightDecay?: number;
  dampening?: number;
  nesterov?: boolean;
}

/**
 * g ← g + weightDecay·w;   v ← g at the first step, then momentum·v + (1 − dampening)·g
 * w ← w − lr·v,   or with nesterov   w − lr·(g + momentum·v)
 */
export function sgd({ lr, momentum = 0, weightDecay = 0, dampening = 0, nesterov = false }: SgdOptions): Step {
  let v: Array64 | undefined;
  return (w, dw) => {
    const g = map(dw, (value, i) => value + weightDecay * w.data[i]!);
    if (momentum === 0) return map(w, (value, i) => value - lr * g.data[i]!);
    const before = v;
    const after = before ? map(before, (value, i) => momentum * value + (1 - dampening) * g.data[i]!) : g;
    v = after;
    const move = (i: number): number => (nesterov ? g.data[i]! + momentum * after.data[i]! : after.data[i]!);
    return map(w, (value, i) => value - lr * move(i));
  };
}

export interface AdamOptions {
  lr?: number;
  betas?: readonly [number, number];
  eps?: number;
  weightDecay?: number;
}

/**
 * m ← β₁m + (1 − β₁)g;   v ← β₂v + (1 − β₂)g²
 * w ← w − lr · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + eps)
 *
 * Adam adds weightDecay·w to g. AdamW instead shrinks w by (1 − lr·weightDecay) before the step.
 */
function adaptive(options: AdamOptions, decoupled: boolean, defaultDecay: number): Step {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = defaultDecay } = options;
  const [first, second] = betas;
  let [m, v, t]: [Array64 | undefined, Array64 | undefined, number] = [undefined, undefined, 0];
  return (w, dw) => {
    t++;
    const g = map(dw, (value, i) => value + (decoupled ? 0 : weightDecay * w.data[i]!));
    const [oldM, oldV] = [m, v];
    const newM = map(g, (value, i) => first * (oldM?.data[i] ?? 0) + (1 - first) * value);
    const newV = map(g, (value, i) => second * (oldV?.data[i] ?? 0) + (1 - second) * value ** 2);
    [m, v] = [newM, newV];
    return map(w, (value, i) => {
      const shrunk = decoupled ? value * (1 - lr * weightDecay) : value;
      const size = Math.sqrt(newV.data[i]! / (1 - second ** t)) + eps;
      return shrunk - (lr * newM.data[i]!) / (1 - first ** t) / size;
    });
  };
}

export const adam = (options: AdamOptions = {}): Step => adaptive(options, false, 0);
/** As in PyTorch, weightDecay is 0.01 when not given. */
export const adamW = (options: AdamOptions = {}): Step => adaptive(options, true, 0.01);

/** norm = √Σ g² over all gradients; each is scaled by min(1, maxNorm / (norm + 1e-6)). */
export function clipGradientNorm(
  gradients: readonly Array64[],
  maxNorm: number,
): { gradients: Array64[]; norm: number } {
  const norm = Math.sqrt(gradients.reduce((total, g) => total + g.data.reduce((a, b) => a + b * b, 0), 0));
  const scale = Math.min(1, maxNorm / (norm + 1e-6));
  return { gradients: gradients.map((g) => map(g, (value) => value * scale)), norm };
}

/** v ← α v + (1 − α) g²;   m ← momentum·m + g / (√v + eps);   w ← w − lr·m,   weightDecay·w added to g */
export function rmsprop(options: {
  lr: number;
  alpha?: number;
  momentum?: number;
  eps?: number;
  weightDecay?: number;
}): Step {
  const { lr, alpha = 0.99, momentum = 0, eps = 1e-8, weightDecay = 0 } = options;
  let [m, v]: [Array64 | undefined, Array64 | undefined] = [undefined, undefined];
  return (w, dw) => {
    const [oldM, oldV] = [m, v];
    const g = map(dw, (value, i) => value + weightDecay * w.data[i]!);
    const newV = map(g, (value, i) => alpha * (oldV?.data[i] ?? 0) + (1 - alpha) * value ** 2);
    const newM = map(g, (value, i) => momentum * (oldM?.data[i] ?? 0) + value / (Math.sqrt(newV.data[i]!) + eps));
    [m, v] = [newM, newV];
    return map(w, (value, i) => value - lr * newM.data[i]!);
  };
}
