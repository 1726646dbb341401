import {
  checkFlag,
  checkFunction,
  checkIterable,
  checkNumber,
  checkObject,
  checkOptions,
  number,
} from "../../check.ts";
import { expectRandom, type Random } from "../random.ts";

/**
 * Prefetches up to `ahead` items of a source, so that reading goes on while a step trains. A source's error is thrown where
 * its item would have come; breaking off the loop returns the source.
 *
 * @param source anything iterable, sync or async; it is never asked twice at once.
 * @param ahead items that may wait in memory. Default 2.
 * @returns its items, in order.
 * @throws RangeError where `ahead` is no whole number of at least 1.
 * @example for await (const batch of prefetch(slowBatches, 4)) await trainStep(net, optimizer, batch);
 */
export function prefetch<T>(source: AsyncIterable<T> | Iterable<T>, ahead = 2): AsyncGenerator<T> {
  checkIterable("prefetch", "the source", source);
  checkNumber("prefetch", "ahead", ahead, number.wholeAtLeast1);
  return itemsOf(source, ahead);
}

async function* itemsOf<T>(source: AsyncIterable<T> | Iterable<T>, ahead: number): AsyncGenerator<T> {
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const waiting: Promise<IteratorResult<T>>[] = [];
  // One after the other, for sources that cannot be asked twice at once.
  let last: Promise<unknown> = Promise.resolve();
  const ask = () => {
    const next = last.then(() => items.next());
    next.catch(() => {}); // thrown where it is awaited below, not as unhandled
    last = next;
    waiting.push(next);
  };
  try {
    for (let i = 0; i < ahead; i++) ask();
    for (;;) {
      const item = await waiting.shift()!;
      if (item.done) return;
      ask();
      yield item.value;
    }
  } finally {
    await last.catch(() => {});
    await items.return?.();
  }
}

/** What `streamBatches` reads, and how. */
export interface StreamOptions<Example, Batch> {
  /** How many examples there are. */
  readonly length: number;
  /** Examples in a batch; the last one may be smaller. */
  readonly size: number;
  /** Reads one example, such as from a file. */
  readonly read: (index: number) => Promise<Example> | Example;
  /** Makes a batch of examples, such as by `batchOf`. */
  readonly batch: (examples: Example[], indices: readonly number[]) => Batch;
  /** Shuffles the examples; an epoch is one call of `streamBatches`. Default: in their order. */
  readonly random?: Random;
  /** Batches that are made before they are asked for. Default 2. */
  readonly ahead?: number;
  /** Examples that are read at once. Default 4. */
  readonly concurrency?: number;
  /** Batches of this epoch that were used already: the examples in them are not read again. Default 0. */
  readonly from?: number;
  /** Leave out a last batch that is smaller. Default false. */
  readonly dropLast?: boolean;
}

/**
 * One epoch of batches whose examples are read when needed, for data larger than memory. Order and content depend on `random`
 * alone, not on how long each read takes.
 *
 * @param options how many examples there are, how one is read and a batch is made, and the rest.
 * @returns a generator of batches; a read's error is thrown where its batch would have come.
 * @throws RangeError or TypeError naming the option that cannot be.
 * @example for await (const batch of streamBatches({ length: 60000, size: 32, read, batch: batchOf })) console.log(batch);
 */
export function streamBatches<Example, Batch>(options: StreamOptions<Example, Batch>): AsyncGenerator<Batch> {
  checkObject("streamBatches", "its argument", options, "an object of options such as { length, size, read, batch }");
  checkOptions<StreamOptions<Example, Batch>>("streamBatches", options, {
    length: true,
    size: true,
    read: true,
    batch: true,
    random: true,
    ahead: true,
    concurrency: true,
    from: true,
    dropLast: true,
  });
  const { length, size, read, batch, random, ahead = 2, concurrency = 4, from = 0, dropLast = false } = options;
  checkFunction("streamBatches", "read", read, "a function that reads an example by its number");
  checkFunction("streamBatches", "batch", batch, "a function that puts examples side by side");
  checkNumber("streamBatches", "length", length, number.wholeAtLeast0);
  checkNumber("streamBatches", "size", size, number.wholeAtLeast1);
  checkNumber("streamBatches", "ahead", ahead, number.wholeAtLeast1);
  checkNumber("streamBatches", "concurrency", concurrency, number.wholeAtLeast1);
  checkNumber("streamBatches", "from", from, number.wholeAtLeast0);
  checkFlag("streamBatches", "dropLast", dropLast);
  expectRandom("streamBatches", random);
  const order = Array.from({ length }, (_, i) => i);
  random?.shuffle(order);
  async function* made(): AsyncGenerator<Batch> {
    for (let at = from * size; at < order.length; at += size) {
      const indices = order.slice(at, at + size);
      if (dropLast && indices.length < size) return;
      const made = await batch(await readAll(indices, read, concurrency), indices);
      if (made === undefined) throw new TypeError("streamBatches: batch gives undefined. Does it lack its return?");
      yield made;
    }
  }
  return prefetch(made(), ahead);
}

/** Reads examples, `concurrency` at a time, in the order asked for. After an error no further read begins. */
async function readAll<Example>(
  indices: readonly number[],
  read: (index: number) => Promise<Example> | Example,
  concurrency: number,
): Promise<Example[]> {
  const examples = new Array<Example>(indices.length);
  let [next, failed] = [0, false];
  const worker = async () => {
    while (next < indices.length && !failed) {
      const place = next++;
      try {
        examples[place] = await read(indices[place]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, indices.length) }, worker));
  return examples;
}
