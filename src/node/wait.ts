/*
 * Node's Dawn polls the device in every turn of the event loop for as long as any are awaited: one core does
 * nothing else, and where the device is made of the same cores, its work takes half as long again. So each turn sleeps a
 * little, and longer the longer it has been quiet: completions are late by a tenth of the time they took, and a millisecond at
 * most. Whatever else there is to do in this thread is done between two sleeps.
 */

const SHARE = 0.1;
const LONGEST_MS = 1;
const never = new Int32Array(new SharedArrayBuffer(4));

let awaited = 0;
let quietSince = 0;
let sleeping = false;

/** Waits without keeping a core busy: an engine's `wait`. */
export function sleepUntil<T>(completion: Promise<T>): Promise<T> {
  awaited += 1;
  if (!sleeping) void sleepBetweenTurns();
  return completion.finally(() => {
    awaited -= 1;
    quietSince = performance.now();
  });
}

async function sleepBetweenTurns(): Promise<void> {
  sleeping = true;
  quietSince = performance.now();
  while (awaited > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    if (awaited > 0) Atomics.wait(never, 0, 0, Math.min(LONGEST_MS, SHARE * (performance.now() - quietSince)));
  }
  sleeping = false;
}
