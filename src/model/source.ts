import { checkNumber, checkOptions, describe, type Known, number } from "../check.ts";
import { batchOf } from "../data/batch.ts";
import { streamBatches } from "../data/file/stream.ts";
import { Random } from "../data/random.ts";
import { refusePromise } from "../gpu/index.ts";

/**
 * Where batches come from: a set of examples, which are read when their turn comes, or a function that gives the batches
 * of an epoch, from the one numbered `from` on. Of the same epoch it must give the same batches each time: that is what
 * lets a stopped run go on.
 */
export type Source<B, E> =
  | {
      /** How many examples there are. */
      readonly length: number;
      /** Example i, 0 ≤ i < length, or a promise of it. */
      at(i: number): E | undefined | Promise<E>;
    }
  | ((epoch: number, from: number) => Iterable<B> | AsyncIterable<B>);

/** How examples become batches. */
export interface SourceOptions<B, E> {
  /** Examples in a batch. Default 32. */
  batch?: number;
  /** Makes a batch of examples. Default: `batchOf` of handgrad/data. */
  collate?: (examples: readonly E[]) => B;
  /** Batches made before they are asked for, while the device works. Default 2. */
  ahead?: number;
}

/** Which batches of a source: those of an epoch from `from` on, shuffled by seed and epoch. */
export interface StreamPosition {
  /** Counted from 0. */
  epoch: number;
  /** The first batch, counted from 0. */
  from: number;
  /** Of the order; null: not shuffled. */
  seed: number | null;
}

/** The names of a source's options, for whoever takes them among its own. */
export const SOURCE_OPTIONS: Known<SourceOptions<never, never>> = { batch: true, collate: true, ahead: true };

/** @throws TypeError, RangeError naming what cannot be. */
export function checkSource<B, E>(who: string, source: Source<B, E>, options: SourceOptions<B, E>): void {
  const { batch = 32, ahead = 2, collate } = options;
  checkNumber(who, "batch", batch, number.wholeAtLeast1);
  checkNumber(who, "ahead", ahead, number.wholeAtLeast1);
  if (collate !== undefined && typeof collate !== "function")
    throw new TypeError(
      `${who}: collate is ${describe(collate)}, expected a function that puts examples side by side.`,
    );
  if (typeof source === "function") return;
  if (typeof source !== "object" || source === null || typeof source.at !== "function")
    throw new TypeError(
      `${who}: its data are ${describe(source)}, expected an array of examples, { length, at }, or a function that gives batches.`,
    );
  checkNumber(who, "the data's length", source.length, number.wholeAtLeast0);
}

const start: StreamPosition = { epoch: 0, from: 0, seed: null };
const placeOptions: Known<StreamPosition> = { epoch: true, from: true, seed: true };

/**
 * The batches of one epoch of a source.
 *
 * @param source a set of examples, or a function that gives batches.
 * @param options batch size, collation and prefetching.
 * @param place epoch, first batch and seed. Default: epoch 0 from its beginning, not shuffled.
 * @returns a generator of batches.
 * @throws TypeError or RangeError naming what cannot be.
 * @example for await (const batch of batchesOf(trainSet, { batch: 64 })) await trainStep(net, optimizer, batch);
 */
export function batchesOf<B, E>(
  source: Source<B, E>,
  options: SourceOptions<B, E> = {},
  place: StreamPosition = start,
): AsyncGenerator<B> {
  checkOptions("batchesOf", options, SOURCE_OPTIONS as Known<SourceOptions<B, E>>);
  checkSource("batchesOf", source, options);
  checkOptions("batchesOf: its place", place, placeOptions);
  checkNumber("batchesOf", "epoch", place.epoch, number.wholeAtLeast0);
  checkNumber("batchesOf", "from", place.from, number.wholeAtLeast0);
  if (place.seed !== null) checkNumber("batchesOf", "seed", place.seed, number.whole);
  return sourceBatches(source, options, place);
}

/** The same for functions that take these options among others, and have checked them. */
export function sourceBatches<B, E>(
  source: Source<B, E>,
  options: SourceOptions<B, E>,
  { epoch, from, seed }: StreamPosition = start,
): AsyncGenerator<B> {
  // Only examples as batchOf takes them come without a collate: whatever else they are, it refuses by name.
  const { batch = 32, collate = batchOf as unknown as (e: readonly E[]) => B, ahead } = options;
  if (typeof source === "function") return iterate(source(epoch, from));
  const read = async (i: number): Promise<E> => {
    const example = await source.at(i);
    if (example === undefined)
      throw new TypeError(`the data: there is no example ${i}, expected one at each of 0 … ${source.length - 1}.`);
    return example;
  };
  return streamBatches<E, B>({
    length: source.length,
    size: batch,
    from,
    read,
    batch: (examples) => expectBatch("collate", collate(examples)),
    ...(ahead !== undefined && { ahead }),
    ...(seed !== null && { random: new Random("fit", seed, epoch) }),
  });
}

async function* iterate<B>(batches: Iterable<B> | AsyncIterable<B>): AsyncGenerator<B> {
  refusePromise("the data", batches);
  if (
    typeof batches !== "object" ||
    batches === null ||
    !(Symbol.iterator in batches || Symbol.asyncIterator in batches)
  )
    throw new TypeError(`the data: the function gives ${describe(batches)}, expected batches: a list or a generator.`);
  for await (const batch of batches) yield expectBatch("the function", batch);
}

/** What gives batches must give objects: undefined, of a function that lacks its `return`, would be an error much later. */
function expectBatch<B>(who: string, batch: B): B {
  if (typeof batch !== "object" || batch === null)
    throw new TypeError(
      `the data: ${who} gives ${describe(batch)} as a batch, expected an object such as { image, label }. Does it lack its return?`,
    );
  return batch;
}

/** Up to `n` more of an iterator's items, as long as `go` says so; the iterator is left open for the next stretch. */
export async function* stretch<B>(items: AsyncIterator<B>, n: number, go: () => boolean = () => true) {
  for (let i = 0; i < n && go(); i++) {
    const next = await items.next();
    if (next.done) return;
    yield next.value;
  }
}
