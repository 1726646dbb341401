import { checkName } from "../check.ts";
import type { HostArray } from "../gpu/index.ts";
import type { Value } from "./op.ts";
import { type Activation, activations } from "./snippets.ts";

/* What ops ask of their inputs before anything is recorded, and how they say what they found. */

/**
 * A shape as errors print it.
 *
 * @example show(x) // "[2, 3]"
 */
export const show = (v: Value | readonly number[]): string => `[${("shape" in v ? v.shape : v).join(", ")}]`;

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

/**
 * Throws where an input does not hold floats.
 *
 * @param name what users call the input
 */
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

/**
 * Throws where an input has another number of dimensions.
 *
 * @param letters what they are called, as in "[N, C, H, W]"
 */
export function expectRank(op: string, name: string, v: Value, rank: number, letters: string): void {
  expect(v.shape.length === rank, op, () => `${name} is ${show(v)}, expected ${rank} dimensions ${letters}.`);
}

/**
 * The axis asked for, counted from the front.
 *
 * @param axis a negative one counts from the end
 * @throws TypeError where `v` has no such axis.
 */
export function checkAxis(op: string, name: string, v: Value, axis: number): number {
  const rank = v.shape.length;
  expect(
    Number.isInteger(axis) && axis >= -rank && axis < rank,
    op,
    () => `axis ${axis} is outside of ${name} ${show(v)}, which has ${rank === 0 ? "none" : `axes 0 … ${rank - 1}`}.`,
  );
  return axis < 0 ? axis + rank : axis;
}

/**
 * Refuses ids that are no whole numbers, or none of 0 … V − 1, as far as the host knows them.
 *
 * @param name what users call them
 */
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

/** Throws where there is no such activation, with the nearest name. */
export const checkActivation = (op: string, activation: Activation): void =>
  checkName(op, "activation", activation, Object.keys(activations) as Activation[]);
