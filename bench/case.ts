import type * as hg from "handgrad";

/** What a run gives: the tensors to look at. */
export type Results = Record<string, hg.Tensor>;

/** One thing to measure. It says what it costs, and knows numbers that must come out, so that nothing wrong is timed. */
export interface Case {
  readonly op: string;
  readonly shape: string;
  /** Multiplications and additions of one run; 0 where they do not say much. */
  readonly flops: number;
  /** Bytes that one run reads and writes at least; 0 where it says nothing, as with a whole step. */
  readonly bytes: number;
  /** Whether a step may hold many runs. An optimizer, or a whole training step, stands alone. */
  readonly alone?: boolean;
  /** What a run records. */
  readonly record: () => Results;
  /** Throws where the result of a run is wrong. */
  readonly check: (results: Results) => Promise<void>;
}

/** A group of cases that share a subject; each is made when its turn comes. */
export type Cases = (engine: hg.Engine) => (() => Case)[];

/** Numbers in [-1, 1) that depend on the place alone. */
export const numbers = (n: number, seed: number, scale = 1) =>
  Float32Array.from({ length: n }, (_, i) => ((((i + 1) * 7919 + seed * 104729) % 20011) / 10005.5 - 1) * scale);

export const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** A parameter of such numbers, and the numbers. */
export function learned(engine: hg.Engine, shape: readonly number[], seed: number, scale = 1) {
  const values = numbers(count(shape), seed, scale);
  return { values, tensor: engine.parameter(values, shape) };
}

export function expectNear(what: string, found: number, expected: number, scale = 1): void {
  if (!(Math.abs(found - expected) <= 1e-3 * Math.max(Math.abs(expected), scale)))
    throw new Error(`${what} is ${found}, expected ${expected}`);
}

/** Compares some numbers of a tensor, spread over it, with what a function of their place says. */
export async function expectSome(tensor: hg.Tensor, expected: (at: number) => number, scale = 1): Promise<void> {
  const found = await tensor.data();
  for (let k = 0; k < 16; k++) {
    const at = Math.min(found.length - 1, Math.floor((k / 15) * found.length));
    expectNear(`number ${at}`, found[at]!, expected(at), scale);
  }
}
