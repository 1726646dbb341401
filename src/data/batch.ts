import { checkList, checkNumber, checkObject, describe, floats, number, wholeNumbers } from "../check.ts";
import { DataError } from "./errors.ts";
import { expectRandom, type Random } from "./random.ts";

/** One example, as a batch is made of them. */
export interface BatchExample {
  /** The index of its class. */
  readonly label: number;
  /** [C, H, W], row-major. */
  readonly image: Float32Array;
  /** [L], word ids, padded with 0. */
  readonly words: Int32Array;
  /** [T, D], frames of features, padded with zeros. */
  readonly audio: Float32Array;
  /** How many of the T frames are sound. */
  readonly frames: number;
}

/** A batch of N examples, each part as one array. */
export interface LabeledArrays {
  /** [N, C, H, W] */
  image: Float32Array;
  /** [N, L] */
  words: Int32Array;
  /** [N, T, D] */
  audio: Float32Array;
  /** [N] */
  frames: Int32Array;
  /** [N] */
  label: Int32Array;
  /** N. */
  size: number;
}

/** The parts of an example, of which each may be left out: by all examples of a batch, or by none. */
const parts = ["image", "words", "audio", "frames", "label"] as const;

/**
 * Makes a batch of examples of equal sizes. Parts that no example has are left out of the batch.
 *
 * @param examples N of them.
 * @returns their parts as arrays, and `size` N.
 * @throws DataError where an example lacks a part that another has, or has another size than the first.
 * @example const batch = batchOf([set.at(0), set.at(1)]);
 */
export function batchOf(examples: readonly BatchExample[]): LabeledArrays;
/**
 * Makes a batch of examples that lack parts: all of them lack the same.
 *
 * @param examples N of them.
 * @returns the parts that they have, as arrays, and `size` N.
 * @throws DataError where an example lacks a part that another has, or has another size than the first.
 */
export function batchOf(examples: readonly Partial<BatchExample>[]): PartialArrays;
export function batchOf(examples: readonly Partial<BatchExample>[]): PartialArrays | LabeledArrays {
  checkList("batchOf", "its examples", examples, "a list of examples");
  for (const [i, example] of examples.entries())
    checkObject("batchOf", `example ${i}`, example, "an object such as { image, label }");
  const there = parts.filter((name) => examples.length === 0 || examples.some((e) => e[name] !== undefined));
  const each = (name: (typeof parts)[number]) => examples.map((e) => e[name]);
  return { ...Object.fromEntries(there.map((name) => [name, joined(name, each(name))])), size: examples.length };
}

/** A batch of examples that lack some parts. */
export type PartialArrays = Partial<LabeledArrays> & Pick<LabeledArrays, "size">;

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

/** Examples by index, such as an array. */
export interface IndexedExamples {
  /** How many there are. */
  readonly length: number;
  /** Example i, 0 ≤ i < length. */
  at(i: number): BatchExample;
}

/**
 * One epoch of a set in batches; the last one may be smaller.
 *
 * @param set examples by index.
 * @param size examples a batch.
 * @param random shuffles the set. Default: in its order.
 * @returns a generator of batches.
 * @throws RangeError where the size is no whole number of at least 1.
 * @example for (const batch of batches(set, 32, new Random("order", epoch))) await trainStep(net, optimizer, batch);
 */
export function batches(set: IndexedExamples, size: number, random?: Random): Generator<LabeledArrays> {
  if (typeof set !== "object" || set === null || typeof set.at !== "function")
    throw new TypeError(`batches: the set is ${describe(set)}, expected an array of examples or { length, at }.`);
  checkNumber("batches", "the set's length", set.length, number.wholeAtLeast0);
  checkNumber("batches", "size", size, number.wholeAtLeast1);
  expectRandom("batches", random);
  return inOrder(set, size, random);
}

function* inOrder(set: IndexedExamples, size: number, random?: Random): Generator<LabeledArrays> {
  const order = Array.from({ length: set.length }, (_, i) => i);
  random?.shuffle(order);
  for (let from = 0; from < order.length; from += size)
    yield batchOf(order.slice(from, from + size).map((i) => set.at(i)));
}
