import { createEngine, type Engine } from "../../src/index.ts";
import { type Case, runCase } from "../harness.ts";
import { pageCases } from "./cases.ts";

/* What runs in the page: the same cases as in Node. */

const cases = new Map<string, Case>();
let engine: Promise<Engine> | undefined;

Object.assign(globalThis, {
  adapter: async () => {
    engine ??= createEngine({ seed: 1 });
    return (await engine).adapter;
  },
  /** The names of the ops whose cases are to be run. */
  load: async (names: readonly string[]) => {
    for (const one of await pageCases(names)) cases.set(one.name, one);
  },
  /** Runs a case; its error's text, or null where it passed. */
  runCase: async (name: string): Promise<string | null> => {
    engine ??= createEngine({ seed: 1 });
    try {
      await runCase(await engine, cases.get(name)!);
      return null;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  },
});
