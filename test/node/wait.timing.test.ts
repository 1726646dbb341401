import { expect, test } from "vitest";
import { sleepUntil } from "../../src/node/wait.ts";

/* Waiting keeps no core busy, and no other work waiting. */

const later = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));

/** How often a timer of 2 ms comes while this is awaited. */
async function turnsDuring(wait: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 2);
  await wait;
  clearInterval(timer);
  return turns;
}

test("other work of the thread goes on between two sleeps", async () => {
  // As often as where nobody sleeps, but for the millisecond that a sleep takes at most; on a busy machine both come seldom.
  const awake: number[] = [];
  const asleep: number[] = [];
  for (let i = 0; i < 3; i++) {
    awake.push(await turnsDuring(later(200, undefined)));
    asleep.push(await turnsDuring(sleepUntil(later(200, undefined))));
  }
  expect(Math.max(...asleep)).toBeGreaterThan(Math.max(...awake) / 3);
});

test("waits that follow one another at once do not add up", async () => {
  // Each begins before the loop of the one before it has seen that nothing is awaited.
  for (let i = 0; i < 50; i++) await sleepUntil(Promise.resolve(i));
  const turn = async () => {
    const start = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    return performance.now() - start;
  };
  const long = sleepUntil(later(300, undefined));
  await later(150, undefined);
  const times = [];
  for (let i = 0; i < 20; i++) times.push(await turn());
  await long;
  expect(times.sort((a, b) => a - b)[10]).toBeLessThan(6);
});

test("it uses little of a core", async () => {
  const before = process.cpuUsage();
  await sleepUntil(later(500, undefined));
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(250);
});
