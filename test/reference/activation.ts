import { type Array64, map } from "./array.ts";

/** none: x;  relu: max(0, x);  tanh: tanh x;  sigmoid: 1 / (1 + e⁻ˣ) */
export const activations = {
  none: (x: number): number => x,
  relu: (x: number): number => Math.max(0, x),
  tanh: Math.tanh,
  sigmoid: (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
};
export type Activation = keyof typeof activations;

export const activate = (x: Array64, kind: Activation = "none"): Array64 => map(x, (value) => activations[kind](value));
export const relu = (x: Array64): Array64 => activate(x, "relu");
export const tanh = (x: Array64): Array64 => activate(x, "tanh");
export const sigmoid = (x: Array64): Array64 => activate(x, "sigmoid");
