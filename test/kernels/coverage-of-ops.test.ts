import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { calls } from "../cases/ops.ts";
import { cases, fromStored, runReference } from "../reference/cases.ts";

/*
 * Every op that is exported has its three oracles: properties against the float64 reference over random shapes,
 * PyTorch's values and gradients, and central differences of that reference (reference.test.ts takes them for every case of
 * the fixtures that has gradients).
 */

/** Exported functions that are no ops. */
const others = [
  ...["createEngine", "noGrad", "detach", "customOp", "kernel", "wgsl", "allocate", "count", "grid", "adapterName"],
  ...["sgd", "adam", "adamw", "rmsprop", "constant", "cosine", "stepped", "warmUp"],
];
/** Drawn at random: no two implementations agree on their bits, so they are tested by what they must keep. */
const random = ["dropout", "dropModalities", "uniform", "normal", "categorical"];
/** Ops whose gradient does not exist. */
const counting = ["argmax"];
/** Ops that the fixtures know under other names. */
const names: Record<string, string[]> = {
  avgPool2d: ["averagePool2d"],
  binaryCrossEntropyWithLogits: ["bceWithLogits"],
  fuse: ["concatFusion", "averageFusion", "weightedFusion"],
};

const ops = Object.entries(hg)
  .filter(([name, value]) => typeof value === "function" && !/^[A-Z]/.test(name) && !others.includes(name))
  .map(([name]) => name);
const text = (file: string) => readFileSync(new URL(file, import.meta.url), "utf8");
const properties = text("properties.test.ts") + text("properties-wide.test.ts");
const all = cases();

test("there are ops to look at", () => expect(ops.length).toBeGreaterThan(60));

describe.each(ops.filter((op) => !random.includes(op)))("%s", (op) => {
  const own = (names[op] ?? [op]).map((name) => all.filter((one) => one.op === name));

  test("has a property over random shapes", () => expect(properties).toMatch(new RegExp(`hg\\.${op}\\b`)));

  test("has PyTorch's values, and is called with them", () => {
    for (const list of own) expect(list.length).toBeGreaterThan(0);
    for (const name of names[op] ?? [op]) expect(Object.keys(calls)).toContain(name);
  });

  test("has a float64 reference and gradients to compare central differences with", () => {
    for (const list of own) {
      const one = list[0]!;
      const inputs = Object.fromEntries(Object.entries(one.inputs).map(([key, stored]) => [key, fromStored(stored)]));
      expect(Object.keys(runReference(one, inputs))).toEqual(Object.keys(one.outputs));
      if (!counting.includes(op)) expect(list.some((c) => Object.keys(c.gradients).length > 0)).toBe(true);
    }
  });
});

test.each(random)("%s has a test of what it must keep", (op) => {
  expect(text("../autograd/random.test.ts")).toMatch(new RegExp(`hg\\.${op}\\b`));
});
