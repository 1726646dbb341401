import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type * as hg from "../../src/index.ts";
import { opNames } from "../cases/names.ts";
import { loadOps } from "../cases/ops.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Functions, norms and losses of NaN, ±∞, ±0, and of numbers near the largest and the smallest, with their gradients, against
 * PyTorch in float32 (fixtures/make_edges.py).
 */

interface Packed {
  shape: number[];
  data: (number | string)[];
}
interface Case {
  op: string;
  options: Record<string, unknown>;
  inputs: Record<string, Packed>;
  y: Packed;
  dy?: Packed;
  gradients: Record<string, Packed>;
}
const { cases } = JSON.parse(readFileSync(new URL("../fixtures/edges.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

const WORDS: Record<string, number> = { nan: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
const numbers = ({ data }: Packed): number[] => data.map((x) => (typeof x === "number" ? x : WORDS[x]!));

const engine = await useEngine();

const { byName } = await loadOps(opNames());
const whole = new Set(["ids", "labels", "actions"]);

/** What differs, number by number. Denormal numbers may count as 0. */
const differences = (what: string, found: ArrayLike<number>, packed: Packed, given: (share: number) => string) =>
  numbers(packed).flatMap((b, i, { length }) => {
    const a = found[i]!;
    const close = Number.isFinite(b) && Math.abs(a - b) <= 1e-4 * Math.abs(b) + 5e-7;
    return close || Object.is(a, b) || a === b
      ? []
      : [`number ${i} of ${what} is ${a}, expected ${b}, of ${given(i / length)}`];
  });

/** What differs from PyTorch's results and gradients, in words. */
async function run({ op, options, inputs, y, dy, gradients }: Case): Promise<string[]> {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, packed]) => [
      name,
      Object.hasOwn(gradients, name)
        ? engine.parameter(numbers(packed), packed.shape)
        : engine.tensor(numbers(packed), packed.shape, whole.has(name) ? "i32" : "f32"),
    ]),
  );
  const found = await engine.step(() => {
    const [result] = Object.values(byName.get(op)![0]!.call(tensors, options)) as [hg.Tensor];
    const wanted = Object.keys(gradients);
    if (wanted.length === 0) return { y: result };
    const start = engine.tensor(dy ? numbers(dy) : y.data.map(() => 1), y.shape);
    const all = result.backward(start);
    return { y: result, ...Object.fromEntries(wanted.map((name) => [name, all.get(tensors[name]!)])) } as Record<
      string,
      hg.Tensor
    >;
  });
  /** The number, or row, of each input that stands at a share of it. */
  const given = (share: number) =>
    Object.entries(inputs)
      .map(([name, packed]) => {
        const rows = Math.min(packed.shape[0] ?? 1, y.shape[0] ?? 1);
        const width = packed.data.length / rows;
        const first = Math.floor(share * rows) * width;
        return `${name} ${packed.data.slice(first, first + width).join(" ")}`;
      })
      .concat(dy ? [`dy ${dy.data.slice(0, 3).join(" ")} …`] : [], [JSON.stringify(options)])
      .join(", ");
  const wrong: string[] = [];
  for (const [name, packed] of Object.entries({ y, ...gradients }))
    wrong.push(...differences(name === "y" ? name : `d${name}`, await found[name]!.data(), packed, given));
  return wrong;
}

describe("the edges of numbers are PyTorch's", () => {
  test.each([...new Set(cases.map(({ op }) => op))])("%s", async (op) => {
    const wrong: string[] = [];
    for (const one of cases) if (one.op === op) wrong.push(...(await run(one)));
    expect(wrong).toEqual([]);
  });
});
