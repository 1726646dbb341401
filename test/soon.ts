import { expect } from "vitest";

/**
 * Starts a clock; what it gives says that less than `milliseconds` have passed. Only `npm run test:timing` looks: on a busy
 * machine anything may take long.
 */
export function soon(milliseconds: number): () => void {
  const start = performance.now();
  return () => {
    if (process.env.HANDGRAD_TIMING) expect(performance.now() - start).toBeLessThan(milliseconds);
  };
}
