import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

/* What is drawn follows from the seed; what cannot be drawn is refused. What each draw must keep stands in test/ops. */

const engine = await useEngine();

test("random tensors follow from the seed", async () => {
  const draw = async () => {
    const own = await createEngine({ seed: 11 });
    const logits = Float32Array.from({ length: 60000 }, (_, i) => Math.log([1, 2, 7][i % 3]!));
    const all = await own.step(() => ({
      even: hg.uniform(own, [20000], { low: -1, high: 3 }),
      bell: hg.normal(own, [20000], { mean: 2, std: 3 }),
      classes: hg.categorical(own.tensor(logits, [20000, 3])),
    }));
    const numbers = [await all.even.data(), await all.bell.data(), await all.classes.data()].map((a) => Array.from(a));
    own.destroy();
    return numbers;
  };
  expect(await draw()).toEqual(await draw());
});

describe("draws", () => {
  test("bounds that cannot be are refused", async () => {
    for (const bounds of [
      { low: 1, high: 0 },
      { low: NaN },
      { high: Infinity },
      { high: 1e39 },
      { low: -3e38, high: 3e38 },
    ])
      await expect(engine.step(() => hg.uniform(engine, [1], bounds))).rejects.toThrow(/^uniform: .*expected/);
  });
  test("no probabilities, no class", async () => {
    for (const row of [
      [NaN, 1],
      [Infinity, 1],
      [-Infinity, -Infinity],
    ]) {
      await expect(engine.step(() => hg.categorical(engine.tensor(row, [1, 2])))).rejects.toThrow(
        /largest logit of row 0/,
      );
      // On the device it cannot be refused: -1 is no class, and nothing that takes one takes it.
      const drawn = await engine.step(() => hg.categorical(hg.mul(engine.tensor(row, [1, 2]), 1)));
      expect([...(await drawn.data())]).toEqual([-1]);
    }
  });

  test("an id that only the device knows and that there is not gives NaN, whatever takes it, and others stay as they are", async () => {
    const w = engine.parameter([1, 2, 3, 4, 5, 6], [3, 2]);
    const x = engine.parameter([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [2, 3]);
    const logits = engine.tensor([Number.NaN, 0, 0, -99, -99, 0], [2, 3]);
    const { taken, gradients } = await engine.step(() => {
      const ids = hg.categorical(hg.mul(logits, 1)); // -1, 2
      const losses = {
        crossEntropy: hg.crossEntropy(x, ids, { reduction: "none" }),
        smoothed: hg.crossEntropy(x, ids, { reduction: "none", labelSmoothing: 0.1 }),
        feedbackLoss: hg.feedbackLoss(x, ids, [1, 1], { reduction: "none" }),
        policyGradient: hg.policyGradient(x, ids, [1, 1], { reduction: "none" }),
      };
      return {
        taken: {
          ...losses,
          embedding: hg.sum(hg.embedding(ids, w), { axis: 1 }),
          gather: hg.reshape(hg.gather(x, hg.reshape(ids, [2, 1]), { axis: 1 }), [2]),
          indexSelect: hg.sum(hg.indexSelect(w, ids), { axis: 1 }),
        },
        gradients: Object.values(losses).map((loss) => hg.sum(loss).backward().get(x)),
      };
    });
    for (const [name, tensor] of Object.entries(taken)) {
      const [unknown, known] = await tensor.data();
      expect.soft(unknown, name).toBeNaN();
      expect.soft(known, name).toSatisfy(Number.isFinite);
    }
    expect([...(await taken.gather.data())][1]).toBe(Math.fround(0.6));
    for (const gradient of gradients) {
      const numbers = [...(await gradient.data())];
      expect.soft(numbers.slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
      expect.soft(numbers.slice(3).every(Number.isFinite)).toBe(true);
    }
    // What nothing was said of is masked, as ever.
    const masked = await engine.step(() => hg.feedbackLoss(x, hg.categorical(hg.mul(logits, 1)), [0, 1]));
    expect(await masked.item()).toSatisfy(Number.isFinite);
  });
});
