import { afterAll, beforeAll, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";

let engine: hg.Engine;
beforeAll(async () => {
  engine = await createEngine({ seed: 1 });
});
afterAll(() => engine.destroy());

const mean = (xs: ArrayLike<number>) => Array.from(xs).reduce((sum, x) => sum + x, 0) / xs.length;

test("dropout keeps a share, scaled so that the mean stays; its gradient goes the same way", async () => {
  const x = engine.parameter(new Float32Array(20000).fill(2), [20000]);
  const { y, d } = await engine.step(() => {
    const y = hg.dropout(x, { p: 0.25 });
    return { y, d: hg.sum(y).backward().get(x) };
  });
  const [values, gradient] = [await y.data(), await d.data()];
  expect(new Set(Array.from(values, (v) => v.toFixed(4)))).toEqual(new Set(["0.0000", "2.6667"]));
  expect(Math.abs(mean(values) - 2)).toBeLessThan(0.05);
  Array.from(values).forEach((v, i) => {
    if (v === 0 ? gradient[i] !== 0 : Math.abs(gradient[i]! - 4 / 3) > 1e-5)
      throw new Error(`d[${i}] is ${gradient[i]}`);
  });
});

test("dropModalities drops each with its probability, and never all of a row", async () => {
  const present = Float32Array.from({ length: 30000 }, (_, i) => (i % 30 === 0 ? 0 : 1));
  const kept = await (
    await engine.step(() => hg.dropModalities(engine.tensor(present, [10000, 3]), { p: 0.3 }))
  ).data();
  for (let n = 0; n < 10000; n++) expect(kept[3 * n]! + kept[3 * n + 1]! + kept[3 * n + 2]!).toBeGreaterThan(0);
  for (let i = 0; i < 30000; i++) if (present[i] === 0) expect(kept[i]).toBe(0);
  // All three are dropped, and so kept again, in 2.7 % of the rows.
  expect(Math.abs(mean(kept) / mean(present) - (0.7 + 0.027))).toBeLessThan(0.02);
});

test("random tensors follow from the seed, and have the moments they should", async () => {
  const draw = async () => {
    const own = await createEngine({ seed: 11 });
    const all = await own.step(() => ({
      even: hg.uniform(own, [20000], { low: -1, high: 3 }),
      bell: hg.normal(own, [20000], { mean: 2, std: 3 }),
      classes: hg.categorical(
        own.tensor(
          new Float32Array(60000).map((_, i) => Math.log([1, 2, 7][i % 3]!)),
          [20000, 3],
        ),
      ),
    }));
    const numbers = [await all.even.data(), await all.bell.data(), await all.classes.data()].map((a) => Array.from(a));
    own.destroy();
    return numbers;
  };
  const [even, bell, classes] = await draw();
  expect(Math.min(...even!)).toBeGreaterThanOrEqual(-1);
  expect(Math.max(...even!)).toBeLessThan(3);
  expect(Math.abs(mean(even!) - 1)).toBeLessThan(0.04);
  expect(Math.abs(mean(bell!) - 2)).toBeLessThan(0.1);
  expect(Math.abs(Math.sqrt(mean(bell!.map((x) => (x - 2) ** 2))) - 3)).toBeLessThan(0.1);
  for (const [i, share] of [0.1, 0.2, 0.7].entries())
    expect(Math.abs(mean(classes!.map((x) => (x === i ? 1 : 0))) - share)).toBeLessThan(0.02);
  expect(await draw()).toEqual([even, bell, classes]);
});
