import { afterAll, afterEach, beforeEach } from "vitest";
import { createEngine, type Engine } from "../src/node.ts";
import { pushErrorScopes } from "./harness.ts";

/**
 * An engine for all tests of a file, destroyed after the last: `const engine = await useEngine();`. Each test runs inside
 * WebGPU's error scopes, so that a GPU error that nobody noticed is a failure.
 */
export async function useEngine(options: Parameters<typeof createEngine>[0] = { seed: 1 }): Promise<Engine> {
  const engine = await createEngine(options);
  let pop = async () => {};
  beforeEach(() => {
    pop = pushErrorScopes(engine);
  });
  afterEach(() => pop());
  afterAll(() => engine.destroy());
  return engine;
}
