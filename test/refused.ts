import { describe, expect, test } from "vitest";
import type { Engine } from "../src/index.ts";

/*
 * Calls with nothing, or with something else than what is meant, at each place of each function: what is refused, by the
 * function's name. An export without a row fails.
 */

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;

/** What stands for nothing and for what is something else; a row says which of them fit an argument after all. */
const OTHERS: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  NaN: Number.NaN,
  half: 0.5,
  minus: -1,
  text: "nonsense",
  object: {},
  list: [],
  holes: [null],
  true: true,
  function: () => 1,
  date: new Date(0),
  map: new Map(),
  bigint: 1n,
  promise: Promise.resolve([]),
};

/** How an export is called, and which of the values above it may be given in the place of each argument. */
export interface Refusals {
  readonly call: (...args: Any[]) => unknown;
  /** Arguments as they are meant. */
  readonly args: () => readonly unknown[];
  /** For each argument the names of what it takes as well. */
  readonly takes?: readonly string[];
  /** What errors begin with. Default: the name of the row. */
  readonly says?: string;
}

/** What a call is refused with. */
export async function failureOf(call: () => unknown): Promise<string> {
  try {
    const result = await call();
    // What a generator function refuses it refuses when it is asked for the first time.
    await (result as Any)?.next?.();
    return "nothing was refused";
  } catch (error) {
    return String(error);
  }
}

/** What a call in an open step fails with; nothing of the step is computed. */
export async function failureInStep(engine: Engine, call: () => unknown): Promise<unknown> {
  class Done extends Error {}
  try {
    await engine.step(() => {
      call();
      throw new Done();
    });
  } catch (error) {
    return error instanceof Done ? undefined : error;
  }
}

/** Tests of all rows, and that each function among `exports` has one. `others` are those that another test is about. */
export function testRefusals(
  rows: Readonly<Record<string, Refusals>>,
  exports: Readonly<Record<string, unknown>>,
  others: readonly string[] = [],
): void {
  describe.each(Object.entries(rows))("%s", (name, { call, args, takes = [], says = name }) => {
    test("is called as it is meant", async () => {
      expect(await failureOf(() => call(...args()))).toBe("nothing was refused");
    });
    test("refuses what is something else, by its name", async () => {
      for (const [place] of args().entries()) {
        const fits = takes[place]?.split(" ") ?? [];
        for (const [what, value] of Object.entries(OTHERS)) {
          if (fits.includes(what)) continue;
          const given = [...args()];
          given[place] = value;
          expect(await failureOf(() => call(...given)), `argument ${place}: ${what}`).toMatch(
            new RegExp(`^\\w*Error: ${says}\\b`),
          );
        }
      }
    });
  });
  testExports(rows, exports, others);
}

/** A test that each function among `exports` has a row, but for `others`. */
export function testExports(
  rows: Readonly<Record<string, unknown>>,
  exports: Readonly<Record<string, unknown>>,
  others: readonly string[] = [],
): void {
  test("every export has a row", () => {
    const there = new Set([...Object.keys(rows).map((name) => name.split(".")[0]), ...others]);
    const functions = Object.entries(exports).filter(([, value]) => typeof value === "function");
    expect(functions.map(([name]) => name).filter((name) => !there.has(name))).toEqual([]);
  });
}
