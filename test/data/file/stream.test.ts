import { describe, expect, test } from "vitest";
import { DataError, prefetch, Random, streamBatches } from "../../../src/data/index.ts";

describe("streams", () => {
  const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

  test("prefetch gives all items in their order and makes no more than `ahead` before they are asked for", async () => {
    let made = 0;
    async function* source() {
      while (made < 10) {
        await later();
        yield made++;
      }
    }
    const seen: number[] = [];
    for await (const item of prefetch(source(), 3)) {
      seen.push(item);
      await later(5);
      expect(made).toBeLessThanOrEqual(seen.length + 3);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("a source's error comes in its place, and stopping early stops the source", async () => {
    let closed = 0;
    function* source() {
      try {
        yield 1;
        yield 2;
        throw new Error("disk");
      } finally {
        closed++;
      }
    }
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const item of prefetch(source(), 5)) seen.push(item);
      })(),
    ).rejects.toThrow("disk");
    expect(seen).toEqual([1, 2]);
    for await (const _ of prefetch(source(), 1)) break;
    expect(closed).toBe(2);
    expect(() => prefetch([1], 0)).toThrow("prefetch: ahead is 0, expected a whole number of at least 1.");
  });

  test("batches do not depend on how long reads take, hold all examples once, and bound what is read at once", async () => {
    let [reading, most] = [0, 0];
    const run = async (slow: boolean) => {
      const options = {
        length: 11,
        size: 4,
        random: new Random("order", 3),
        concurrency: 3,
        read: async (i: number) => {
          most = Math.max(most, ++reading);
          await later(slow ? (i * 7) % 5 : 0);
          reading--;
          return i * 10;
        },
        batch: (examples: number[], indices: readonly number[]) => ({ examples, indices }),
      };
      const all: { examples: number[]; indices: readonly number[] }[] = [];
      for await (const batch of streamBatches(options)) all.push(batch);
      return all;
    };
    const batches = await run(true);
    expect(batches.map(({ examples }) => examples.length)).toEqual([4, 4, 3]);
    expect(batches.flatMap(({ examples }) => examples).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 11 }, (_, i) => i * 10),
    );
    for (const { examples, indices } of batches) expect(examples).toEqual(indices.map((i) => i * 10));
    expect(await run(false)).toEqual(batches);
    expect(most).toBeLessThanOrEqual(3);
  });

  test("a file that cannot be read stops the stream with its error", async () => {
    const read = async (i: number) => {
      if (i === 5) throw new DataError("5.png: damaged");
      return i;
    };
    const seen: number[][] = [];
    await expect(
      (async () => {
        for await (const batch of streamBatches({ length: 9, size: 2, read, batch: (x) => x })) seen.push(batch);
      })(),
    ).rejects.toThrow("5.png: damaged");
    expect(seen).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});
