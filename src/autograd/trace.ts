import type { Tensor } from "./tensor.ts";

/** One op that was called: what went in, how, and what came out. */
export interface Call {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly outputs: readonly Tensor[];
}

let calls: Call[] | undefined;

/** Notes a call where somebody listens. */
export function traceCall(op: string, inputs: Call["inputs"], options: unknown, outputs: readonly Tensor[]): void {
  calls?.push({ op, inputs, options: (options ?? {}) as Call["options"], outputs });
}

/** An engine, as far as it is needed here. */
interface Steps {
  step<T>(fn: () => T): Promise<T>;
}

/** Ends a step that was opened only to look at what it would compute. */
class Seen {
  constructor(readonly result: unknown) {}
}

/**
 * The ops that `fn` calls, in order, and what it returns: how a network is written down for another engine. Shapes are
 * checked and nothing is computed; the engine's steps, and so its random numbers, go on as if this had not been.
 */
export async function traced<T>(engine: Steps, fn: () => T): Promise<{ calls: readonly Call[]; result: T }> {
  const found: Call[] = [];
  try {
    await engine.step(() => {
      calls = found;
      try {
        throw new Seen(fn());
      } finally {
        calls = undefined;
      }
    });
  } catch (error) {
    if (!(error instanceof Seen)) throw error;
    return { calls: found, result: error.result as T };
  }
  throw new Error("trace: a step that was to be left ran to its end.");
}
