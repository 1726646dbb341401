import type { Random } from "../data/random.ts";

/** Initial values of a parameter: PyTorch's defaults, drawn from a seeded stream of the parameter's own name. */
export type Initializer = (n: number, random: Random) => Float32Array;

/** Uniform in ±1/√fanIn: PyTorch's linear and conv2d (weights and biases) and, with fanIn the hidden size, GRU. */
export const uniformByFan =
  (fanIn: number): Initializer =>
  (n, random) => {
    const bound = 1 / Math.sqrt(fanIn);
    return Float32Array.from({ length: n }, () => (2 * random.uniform() - 1) * bound);
  };

/** Standard normal, and 0 in the first `skip` numbers: PyTorch's embedding, whose padding row comes first. */
export const normalAfter =
  (skip: number): Initializer =>
  (n, random) =>
    Float32Array.from({ length: n }, (_, i) => (i < skip ? 0 : random.normal()));

export const zeros: Initializer = (n) => new Float32Array(n);
export const ones: Initializer = (n) => new Float32Array(n).fill(1);
