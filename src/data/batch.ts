import { checkNumber, number } from "../check.ts";
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
export interface LabelledArrays {
  image: Float32Array;
  words: Int32Array;
  audio: Float32Array;
  frames: Int32Array;
  label: Int32Array;
}

/** Copies examples of equal sizes one after another. */
export function batchOf(examples: readonly BatchExample[]): LabelledArrays {
  const join = <T extends Float32Array | Int32Array>(
    name: string,
    make: (n: number) => T,
    part: (e: BatchExample) => T,
  ): T => {
    const size = examples[0] ? part(examples[0]).length : 0;
    const all = make(size * examples.length);
    examples.forEach((e, i) => {
      const found = part(e).length;
      if (found !== size) {
        throw new DataError(
          `batchOf: ${name} of example ${i} has ${found} numbers, of example 0 ${size}: expected as many.`,
        );
      }
      all.set(part(e), i * size);
    });
    return all;
  };
  const floats = (n: number) => new Float32Array(n);
  return {
    image: join("image", floats, (e) => e.image),
    words: join(
      "words",
      (n) => new Int32Array(n),
      (e) => e.words,
    ),
    audio: join("audio", floats, (e) => e.audio),
    frames: Int32Array.from(examples, (e, i) => whole("frames", e.frames, i)),
    label: Int32Array.from(examples, (e, i) => whole("label", e.label, i)),
  };
}

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
): Generator<LabelledArrays> {
  checkNumber("batches", "size", size, number.wholeAtLeast1);
  const order = Array.from({ length: set.length }, (_, i) => i);
  random?.shuffle(order);
  for (let from = 0; from < order.length; from += size)
    yield batchOf(order.slice(from, from + size).map((i) => set.at(i)));
}
