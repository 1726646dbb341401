import type { Engine } from "../src/index.ts";

/** A test of the engine that runs alike in Node and in a browser; it throws where something is wrong. */
export interface Case {
  name: string;
  run(engine: Engine): Promise<void>;
}

/** Begins to watch the device; what it gives ends that, and throws if the GPU reported an error that nobody noticed. */
export function pushErrorScopes({ gpu: { device } }: Engine): () => Promise<void> {
  const filters = ["validation", "out-of-memory", "internal"] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  return async () => {
    const errors = await Promise.all(filters.map(() => device.popErrorScope()));
    const error = errors.find((e) => e !== null);
    if (error) throw new Error(`the GPU reported an error: ${error.message}`);
  };
}

/** Runs `fn` inside WebGPU's error scopes. */
export async function withErrorScopes(engine: Engine, fn: () => Promise<void>): Promise<void> {
  const pop = pushErrorScopes(engine);
  try {
    await fn();
  } catch (failure) {
    await pop().catch(() => undefined);
    throw failure;
  }
  await pop();
}

export const runCase = (engine: Engine, { run }: Case): Promise<void> => withErrorScopes(engine, () => run(engine));

/**
 * Compares numbers with a reference: each may differ by `tolerance` times the larger of its own size and the
 * reference's root mean square, plus `tolerance` times 1e-3.
 */
export function expectClose(
  what: string,
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-4,
): void {
  if (found.length !== expected.length)
    throw new Error(`${what}: ${found.length} numbers, expected ${expected.length}`);
  let squares = 0;
  for (let i = 0; i < expected.length; i++) squares += expected[i]! ** 2;
  const usual = Math.sqrt(squares / Math.max(1, expected.length));
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    const allowed = tolerance * (Math.max(Math.abs(b), usual) + 1e-3);
    if (!(Math.abs(a - b) <= allowed || Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)))) {
      throw new Error(`${what}[${i}] is ${a}, expected ${b} ± ${allowed}`);
    }
  }
}

export function expectEqual(what: string, found: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what} is ${a}, expected ${b}`);
}

export function expectNear(what: string, found: number, expected: number, within: number): void {
  if (!(Math.abs(found - expected) <= within)) throw new Error(`${what} is ${found}, expected ${expected} ± ${within}`);
}
