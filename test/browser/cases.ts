import { createEngine, type Engine } from "../../src/index.ts";
import { networkCases } from "../cases/network.ts";
import { opCases, optimizerCases } from "../cases/ops.ts";
import { runCase } from "../harness.ts";

/* What runs in the page: the same cases as in Node. */

const cases = new Map([...opCases, ...optimizerCases, ...networkCases].map((one) => [one.name, one]));
let engine: Promise<Engine> | undefined;

Object.assign(globalThis, {
  adapter: async () => {
    engine ??= createEngine({ seed: 1 });
    return (await engine).adapter;
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
