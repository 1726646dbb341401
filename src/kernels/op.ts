import type { Recording, Slot } from "../gpu/index.ts";

/** The type of a tensor's numbers, each of 32 bits. */
export type DType = "f32" | "i32" | "u32";
export const DTYPES: readonly DType[] = ["f32", "i32", "u32"];

/** Numbers in a shape: what kernels read and write. Several values may share one slot (`reshape`). */
export interface Value {
  /** Where the numbers are: what `dispatch` reads and writes. */
  readonly slot: Slot;
  /** Its sizes, the outermost axis first; [] for a single number. */
  readonly shape: readonly number[];
  /** "f32", "i32" or "u32". */
  readonly dtype: DType;
  /** Set on the gradient that a loss starts from, known to be the number 1: losses then skip the product with it. */
  readonly one?: boolean;
}

/** What an op recorded: its outputs, and how to turn their gradients into those of its inputs. */
export interface Recorded {
  /** What it computes, in order; each becomes a tensor. */
  readonly outputs: readonly Value[];
  /**
   * Records the gradient. `dy[i]` belongs to `outputs[i]` (undefined: the loss does not depend on it); `needs[i]` says
   * whether the gradient of input i is wanted; one that is wanted and not given is an error. Absent for what has no gradient:
   * then asking for one through it is an error.
   */
  readonly backward?: (dy: readonly (Value | undefined)[], needs: readonly boolean[]) => (Value | undefined)[];
  /** Inputs that no gradient is defined for, by their place, and what users call them: tracked ones are refused at the call. */
  readonly constants?: Readonly<Record<number, string>>;
}

/**
 * An op of `customOp`: it checks shapes, throws before anything is recorded, then records its kernels. An input that may be left
 * out is undefined.
 */
export type Op<Options> = (r: Recording, inputs: readonly (Value | undefined)[], options: Options) => Recorded;

/** How many numbers a shape holds. */
export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A value that this step will compute, to be written by a dispatch. */
export function allocate(r: Recording, shape: readonly number[], dtype: DType = "f32"): Value {
  return { slot: r.temporary(4 * count(shape)), shape, dtype };
}

/** The same numbers under another shape. */
export const reshaped = (v: Value, shape: readonly number[]): Value => ({ ...v, shape });

/** Workgroups for `n` threads in groups of `size`, folded into two dimensions where one holds too few (65,535). */
export function grid(n: number, size: number): [number, number, number] {
  const groups = Math.ceil(n / size);
  if (groups <= 65535) return [groups, 1, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y, 1];
}

/** A number as the 32 bits of its float, to pass it among the integers of a kernel's `params`. */
export const bits = (x: number): number => {
  asFloat[0] = x;
  return asWord[0]!;
};
const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);
