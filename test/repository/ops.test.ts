import { expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { opNames } from "../cases/names.ts";
import { fixtureCases, loadOps } from "../cases/ops.ts";

/* Every exported op has its file in test/ops, so that all that goes through those files goes through it. */

/** Exported functions that are no ops. */
const others = [
  "createEngine",
  "noGrad",
  "detach",
  "customOp",
  "kernel",
  "wgsl",
  "allocate",
  "count",
  "grid",
  "adapterName",
  "sgd",
  "adam",
  "adamw",
  "rmsprop",
  "constant",
  "cosine",
  "stepped",
  "warmUp",
];
/** Ops whose gradient does not exist. */
const counting = ["argmax"];
/** Files of two ops one after the other. */
const compositions = ["meanEmbedding"];

const exported = Object.entries(hg)
  .filter(([name, value]) => typeof value === "function" && !/^[A-Z]/.test(name) && !others.includes(name))
  .map(([name]) => name);
const names = opNames();
const ops = await loadOps(names);

test("there is a file for each op, and no other", () => {
  expect(exported.length).toBeGreaterThan(60);
  expect(names.filter((name) => !compositions.includes(name))).toEqual([...exported].sort());
});

test.each([...ops.random])("%s has a test of what it must keep", (_, { keeps }) => {
  expect(keeps.length).toBeGreaterThan(0);
});

test.each([...ops.byName].flatMap(([name, forms]) => forms.map(({ fixture = name }) => [name, fixture])))(
  "%s has PyTorch's values of %s, and gradients to compare central differences with",
  (name, fixture) => {
    const own = fixtureCases.filter(({ op }) => op === fixture);
    expect(own.length).toBeGreaterThan(0);
    if (!counting.includes(name!)) expect(own.some(({ gradients }) => Object.keys(gradients).length > 0)).toBe(true);
  },
);

test("no case of the fixtures is without an op", () => {
  const optimizers = ["sgd", "adam", "adamW", "rmsprop", "clipGradientNorm"];
  expect([...new Set(fixtureCases.map(({ op }) => op))].sort()).toEqual(
    [...ops.byFixture.keys(), ...optimizers].sort(),
  );
});
