import { checkNumber, floats, number, wholeNumbers } from "../check.ts";
import { DataError } from "./errors.ts";
import type { Random } from "./random.ts";

/** What a batch is made of. */
export interface BatchExample {
  readonly label: number;
  readonly image: Float32Array;
  readonly words: Int32Array;
  readonly audio: Float32Array;
  readonly frames: number;
}

/** N examples side by side. */
export interface LabeledArrays {
  image: Float32Array;
  words: Int32Array;
  audio: Float32Array;
  frames: Int32Array;
  label: Int32Array;
  /** N */
  size: number;
}

/** The parts of an example, of which each may be left out: by all examples of a batch, or by none. */
const parts = ["image", "words", "audio", "frames", "label"] as const;

/**
 * Copies examples of equal sizes one after another. Parts that no example has are left out of the batch.
 *
 * @throws DataError where an example lacks a part that another has, or has another size than the first.
 */
export function batchOf(examples: readonly BatchExample[]): LabeledArrays;
export function batchOf(examples: readonly Partial<BatchExample>[]): SomeArrays;
export function batchOf(examples: readonly Partial<BatchExample>[]): SomeArrays | LabeledArrays {
  const there = parts.filter((name) => examples.length === 0 || examples.some((e) => e[name] !== undefined));
  const each = (name: (typeof parts)[number]) => examples.map((e) => e[name]);
  return { ...Object.fromEntries(there.map((name) => [name, joined(name, each(name))])), size: examples.length };
}

type SomeArrays = Partial<LabeledArrays> & Pick<LabeledArrays, "size">;

const typeOf = (name: (typeof parts)[number]) => (name === "image" || name === "audio" ? Float32Array : Int32Array);

function joined(name: (typeof parts)[number], each: readonly (ArrayLike<number> | number | undefined)[]) {
  const rows = each.map((part, i) => (typeof part === "number" ? [whole(name, part, i)] : (part ?? [])));
  const size = rows[0]?.length ?? 0;
  const all = new (typeOf(name))(size * rows.length);
  rows.forEach((row, i) => {
    if (row.length !== size)
      throw new DataError(
        `batchOf: ${name} of example ${i} has ${row.length} numbers, of example 0 ${size}: expected as many.`,
      );
    all.set(row instanceof all.constructor ? (row as Int32Array) : checked(name, row, i), i * size);
  });
  return all;
}

/** Numbers that are of another type than the batch holds: nothing is rounded or made 0 on its way. */
const checked = (name: (typeof parts)[number], row: ArrayLike<number>, example: number) => {
  const what = `${name} of example ${example}`;
  return typeOf(name) === Int32Array ? wholeNumbers("batchOf", what, row, "i32") : floats("batchOf", what, row);
};

/** Refused before an Int32Array would round it, or make 0 of what is no number. */
function whole(what: string, value: number, example: number): number {
  checkNumber("batchOf", `${what} of example ${example}`, value, number.wholeAtLeast0);
  return value;
}

/** A set in batches, shuffled where there is a generator; the last one may be smaller. */
export function* batches(
  set: { length: number; at(i: number): BatchExample },
  size: number,
  random?: Random,
): Generator<LabeledArrays> {
  checkNumber("batches", "size", size, number.wholeAtLeast1);
  const order = Array.from({ length: set.length }, (_, i) => i);
  random?.shuffle(order);
  for (let from = 0; from < order.length; from += size)
    yield batchOf(order.slice(from, from + size).map((i) => set.at(i)));
}
