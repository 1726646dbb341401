import { checkName } from "../check.ts";
import { type HostArray, type Recording, type Slot, wgsl } from "../gpu/index.ts";

export type DType = "f32" | "i32" | "u32";

/** Numbers in a shape: what kernels read and write. Several values may share one slot (`reshape`). */
export interface Value {
  readonly slot: Slot;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Set on the gradient that a loss starts from, known to be the number 1: losses then skip the product with it. */
  readonly one?: boolean;
}

/** What an op recorded: its outputs, and how to turn their gradients into those of its inputs. */
export interface Recorded {
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

/** An op checks shapes, throws before anything is recorded, then records its kernels. */
export type Op<Options> = (r: Recording, inputs: readonly (Value | undefined)[], options: Options) => Recorded;

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const show = (v: Value | readonly number[]): string => `[${("shape" in v ? v.shape : v).join(", ")}]`;

/** A value that this step will compute. */
export function fresh(r: Recording, shape: readonly number[], dtype: DType = "f32"): Value {
  return { slot: r.temporary(4 * count(shape)), shape, dtype };
}

/** The same numbers under another shape. */
export const reshaped = (v: Value, shape: readonly number[]): Value => ({ ...v, shape });

/** Numbers that the host knows of a value, as numbers of its type: what came back from the GPU is kept as bits. */
export function onHost({ slot, dtype }: Value): HostArray | undefined {
  const { host } = slot;
  if (!host) return undefined;
  const Kind = { f32: Float32Array, i32: Int32Array, u32: Uint32Array }[dtype];
  return host instanceof Kind ? host : new Kind(host.buffer as ArrayBuffer, host.byteOffset, host.length);
}

/** Throws `op: what` when a condition that the caller must keep does not hold. */
export function expect(holds: boolean, op: string, what: () => string): asserts holds {
  if (!holds) throw new TypeError(`${op}: ${what()}`);
}

export function expectFloat(op: string, name: string, v: Value): void {
  expect(
    v.dtype === "f32",
    op,
    () => `${name} ${show(v)} is ${v.dtype}, expected f32. Make it with engine.tensor(data, shape).`,
  );
}

/** Refuses marks of what is there that are neither 1 nor 0, as far as the host knows them. */
export function expectMarks(op: string, name: string, marks: Value): void {
  const known = onHost(marks);
  const bad = known?.findIndex((mark) => mark !== 0 && mark !== 1) ?? -1;
  expect(bad < 0, op, () => `${name}[${bad}] is ${known![bad]}, expected 1 for what is there and 0 for what is not.`);
}

export function expectRank(op: string, name: string, v: Value, rank: number, letters: string): void {
  expect(v.shape.length === rank, op, () => `${name} is ${show(v)}, expected ${rank} dimensions ${letters}.`);
}

/** Checks ids that the host knows. */
export function expectIds(op: string, name: string, ids: Value, V: number): void {
  expect(
    ids.dtype !== "f32",
    op,
    () => `${name} ${show(ids)} is f32, expected i32 or u32. Use engine.tensor(data, shape, "i32").`,
  );
  const known = onHost(ids);
  const bad = known?.findIndex((id) => id < 0 || id >= V) ?? -1;
  expect(bad < 0, op, () => `${name}[${bad}] is ${known![bad]}, expected 0 … ${V - 1}.`);
}

/** One number for both directions, or one for each: down and across. */
export type Pair = number | readonly [number, number];

/** One number, or two: down and across. Whether they are whole is for the shape rules to say. */
export function pair(op: string, name: string, n: Pair): readonly [number, number] {
  if (typeof n === "number") return [n, n];
  expect(
    Array.isArray(n) && n.length === 2 && n.every((x) => typeof x === "number"),
    op,
    () => `${name} is ${JSON.stringify(n)}, expected a number, or two: down and across.`,
  );
  return n;
}

/** Workgroups for `n` threads in groups of `size`, folded into two dimensions where one holds too few (65,535). */
export function grid(n: number, size: number): [number, number, number] {
  const groups = Math.ceil(n / size);
  if (groups <= 65535) return [groups, 1, 1];
  const y = Math.ceil(groups / 65535);
  return [Math.ceil(groups / y), y, 1];
}

/** WGSL, ahead of all else: for kernels whose threads in fours tell one another what they read (quads). */
export const subgroups = /* wgsl */ `
enable subgroups;
// What a compiler cannot see: the threads of a quad leave together or not at all, since what it depends on is the same for them.
diagnostic(off, subgroup_uniformity);`;

/** Numbers that are added up one by one, at most; sums of so many are added in turn: rounding errors grow with the run, not the length. */
export const RUN = 64;

/**
 * WGSL: adds to each variable of `terms` its term for j from `first` below `end`, `step` apart, in runs of 64.
 *
 * @param before text within the loop, ahead of the terms.
 */
export const sumInRuns = (
  terms: Readonly<Record<string, string>>,
  { first = "0u", end, step = 1, before = "" }: { first?: string; end: string; step?: number; before?: string },
): string => wgsl`
  for (var start = ${first}; start < ${end}; start += ${RUN * step}) {
#unroll name in [${Object.keys(terms)}]
    var run_$name = 0.0;
#end
    let stop = min(start + ${RUN * step}, ${end});
    for (var j = start; j < stop; j += ${step}) {
      ${before}
      ${Object.entries(terms)
        .map(([name, term]) => `run_${name} += ${term};`)
        .join(" ")}
    }
#unroll name in [${Object.keys(terms)}]
    $name += run_$name;
#end
  }`;

/** WGSL: whether x is not a number. By its bits, since compilers may take a number to equal itself. */
export const notANumber = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u)`;

/** WGSL: whether x is ∞ or −∞, likewise by its bits. */
export const infinite = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) == 0x7f800000u)`;

/** WGSL: which of the four numbers of x are none. */
export const notANumber4 = (x: string): string => `((bitcast<vec4u>(${x}) & vec4u(0x7fffffff)) > vec4u(0x7f800000))`;

/**
 * An activation as WGSL of `y` from `x`, and the gradient of x from the result `y` and its gradient `d`; relu's is d at NaN, as
 * PyTorch's, and 0 where y is, since 0 · ∞ would not be. Functions of WGSL may lose NaN.
 */
export const activations = {
  none: { value: "x", gradient: "d" },
  relu: { value: "select(x, 0.0, x < 0.0)", gradient: "select(0.0, d, (bitcast<u32>(y) << 1) != 0)" },
  tanh: { value: `select(tanh(clamp(x, -15.0, 15.0)), x, ${notANumber("x")})`, gradient: "d * (1.0 - y * y)" },
  sigmoid: { value: `select(1.0 / (1.0 + exp(-x)), x, ${notANumber("x")})`, gradient: "d * y * (1.0 - y)" },
} as const;
export type Activation = keyof typeof activations;

export const checkActivation = (op: string, activation: Activation): void =>
  checkName(op, "activation", activation, Object.keys(activations) as Activation[]);

/** A number as the 32 bits of its float, to pass it among the integers of a kernel's sizes. */
export const bits = (x: number): number => {
  asFloat[0] = x;
  return asWord[0]!;
};
const asFloat = new Float32Array(1);
const asWord = new Uint32Array(asFloat.buffer);
