import { describe, expect, test } from "vitest";
import { Random } from "../../src/data/index.ts";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Digits that are easily lost: logarithms near 1, tails, long sums, means that are large beside the deviations; and what is
 * masked, which must not be read at all. Right values are float64's of the same numbers.
 */

const engine = await useEngine();

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const run = async (fn: () => hg.Tensor) => [...(await (await engine.step(fn)).data())];
const relative = (found: readonly number[], expected: readonly number[], most: number) => {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => {
    expect(Math.abs(x / expected[i]! - 1), `number ${i}: ${x}, expected ${expected[i]}`).toBeLessThan(most);
  });
};

describe("small numbers keep their digits", () => {
  const xs = [-60, -20, -15, -5, -1, -0.1, 0, 0.3, 2, 15];
  test("softplus", async () => {
    relative(
      await run(() => hg.softplus(engine.tensor(xs))),
      xs.map((x) => Math.log1p(Math.exp(x))),
      1e-5,
    );
  });
  test.each([0, 1])("binary cross-entropy of a target of %d", async (t) => {
    // What is right already still has a loss.
    const sign = t === 1 ? -1 : 1;
    const found = await run(() =>
      hg.binaryCrossEntropyWithLogits(
        engine.tensor(xs.map((x) => x * sign)),
        xs.map(() => t),
        { reduction: "none" },
      ),
    );
    relative(
      found,
      xs.map((x) => Math.log1p(Math.exp(x))),
      1e-5,
    );
  });
  test("log near 1", async () => {
    const xs = [0.76, 0.999, 0.9999, 0.9999999, 1.0000002, 1.0001, 1.2, 1.3];
    relative(
      await run(() => hg.log(engine.tensor(xs))),
      xs.map((x) => Math.log(Math.fround(x))),
      1e-6,
    );
    expect(await run(() => hg.log(engine.tensor([1])))).toEqual([0]);
  });
  test("tanh near 0, alone and behind a product", async () => {
    const xs = [1e-30, -1e-8, 1e-6, -1e-4, 1e-3, 0.03, -0.099, 0.101, 0.5];
    const float = xs.map(Math.fround);
    relative(await run(() => hg.tanh(engine.tensor(xs))), float.map(Math.tanh), 1e-6);
    const behind = () =>
      hg.linear(engine.tensor(xs, [xs.length, 1]), engine.tensor([1], [1, 1]), undefined, { activation: "tanh" });
    relative(await run(behind), float.map(Math.tanh), 1e-6);
  });
  test("gelu far below 0", async () => {
    // Φ(x) of SciPy 1.11: scipy.special.ndtr.
    const [below, ndtr] = [
      [-3, -5, -8, -10],
      [0.0013498980316301, 2.866515718791946e-7, 6.220960574271819e-16, 7.61985302416059e-24],
    ];
    relative(
      await run(() => hg.gelu(engine.tensor(below!))),
      below!.map((x, i) => x * ndtr[i]!),
      2e-5,
    );
  });
});

describe("long sums keep their digits, in every variant", () => {
  const random = new Random("digits", 1);
  test.each(["serial", "workgroup", "multiPass"])("sum by %s", async (way) => {
    const own = await createEngine({ seed: 1 });
    own.tuning.import({ v: 2, adapter: own.adapter, variants: { sum: way } });
    for (const n of [4096, 100_003]) {
      const x = Float32Array.from({ length: 2 * n }, () => random.uniform());
      const y = await (await own.step(() => hg.mean(own.tensor(x, [2, n]), { axis: 1 }))).data();
      const exact = [0, 1].map((row) => x.subarray(row * n, (row + 1) * n).reduce((sum, v) => sum + v, 0) / n);
      // PyTorch 1.13's own are off by up to 1.2e-7 here, adding one after another by up to 4e-5.
      relative([...y], exact, way === "serial" && n > 4096 ? 1e-5 : 1e-6);
    }
    own.destroy();
  });
  test.each(["serial", "workgroup"])("layer norm by %s of a mean that is large beside the deviations", async (way) => {
    const own = await createEngine({ seed: 1 });
    own.tuning.import({ v: 2, adapter: own.adapter, variants: { layerNorm: way } });
    const D = 4096;
    // PyTorch 1.13 is off by 2.3e-5, 2.2e-4.
    for (const [mean, allowed] of [
      [1e3, 5e-5],
      [1e4, 4e-4],
    ] as const) {
      const x = Float32Array.from({ length: D }, () => mean + random.normal());
      const y = await (await own.step(() => hg.layerNorm(own.tensor(x, [1, D])))).data();
      const m = x.reduce((a, b) => a + b, 0) / D;
      const v = x.reduce((a, b) => a + (b - m) ** 2, 0) / D;
      const worst = x.reduce((most, b, i) => Math.max(most, Math.abs(y[i]! - (b - m) / Math.sqrt(v + 1e-5))), 0);
      expect(worst).toBeLessThan(allowed);
    }
    own.destroy();
  });
});

describe("NaN and infinities in losses and gradients are PyTorch's", () => {
  const { huber, klDivergence, binaryCrossEntropyWithLogits: bce } = hg;
  test.each([
    ["huber", huber, [nan, inf, -inf, inf], [0, 0, 0, inf], [nan, inf, inf, nan], [nan, 1, -1, nan]],
    // xlogy(t, t) − t · x: 0 · log 0 is 0, but 0 · ∞ is no number.
    [
      "klDivergence",
      klDivergence,
      [-1, -inf, -inf, nan, -1, -1],
      [0, 0, 1, 0, nan, -1],
      [0, nan, inf, nan, nan, nan],
      [-0, -0, -1, -0, nan, 1],
    ],
    ["bce", bce, [nan, inf, inf], [0, 0, 1], [nan, inf, nan], [nan, 1, 0]],
  ] as const)("%s", async (_, loss, x, target, y, dx) => {
    const p = engine.parameter(x);
    const found = await engine.step(() => {
      const rows = loss(p, target, { reduction: "none" });
      return { rows, d: rows.backward(engine.tensor(x.map(() => 1))).get(p) };
    });
    expect([...(await found.rows.data())]).toEqual([...y]);
    expect([...(await found.d.data())].map((v) => v + 0)).toEqual(dx.map((v) => v + 0));
  });

  test.each([
    ["relu", hg.relu, [nan, -1, -1, 2], [1, nan, inf, nan], [1, 0, 0, nan]],
    ["clamp", (x: hg.Tensor) => hg.clamp(x, { min: -1, max: 1 }), [nan, -2, 2, 0], [1, nan, inf, nan], [0, 0, 0, nan]],
    ["rnn of relu", (x: hg.Tensor) => recurrence(x), [nan, -1, 2], [1, 1, 1], [1, 0, 1]],
    ["linear with relu", (x: hg.Tensor) => activated(x), [nan, -1, 2], [1, inf, 1], [1, 0, 1]],
  ] as const)("the gradient of %s selects, it does not multiply", async (_, fn, x, dy, dx) => {
    const p = engine.parameter(x);
    const d = await engine.step(() => {
      const y = fn(p);
      return y.backward(hg.reshape(engine.tensor(dy), y.shape)).get(p);
    });
    expect([...(await d.data())]).toEqual([...dx]);
  });
  const recurrence = (x: hg.Tensor) =>
    hg.rnn(
      hg.reshape(x, [-1, 1, 1]),
      { weightIh: engine.tensor([1], [1, 1]), weightHh: engine.tensor([0], [1, 1]) },
      { nonlinearity: "relu" },
    ).hidden;
  const activated = (x: hg.Tensor) =>
    hg.linear(hg.reshape(x, [-1, 1]), engine.tensor([1], [1, 1]), undefined, { activation: "relu" });
});

describe("what is masked is not read", () => {
  const bad = [nan, inf];
  test.each([
    ["average", [1, 2]],
    ["concat", [1, 2, 0, 0]],
    ["weighted", [1, 2]],
  ] as const)("a modality that is not there, by %s", async (fusion, expected) => {
    const [a, b] = [engine.parameter([1, 2], [1, 2]), engine.parameter(bad, [1, 2])];
    const weights = fusion === "weighted" ? engine.parameter([0.5, 90]) : undefined;
    const found = await engine.step(() => {
      const y = hg.fuse([a, b], fusion, { present: [1, 0], weights });
      const all = hg.sum(y).backward();
      return { y, a: all.get(a), b: all.get(b), ...(weights ? { weights: all.get(weights) } : {}) };
    });
    expect([...(await found.y.data())]).toEqual(expected);
    expect([...(await found.a.data())]).toEqual([1, 1]);
    expect([...(await found.b.data())]).toEqual([0, 0]);
    if (found.weights) expect([...(await found.weights.data())]).toEqual([0, 0]);
  });

  test("words that are padding", async () => {
    expect(await run(() => hg.maskedMean(engine.tensor([1, nan], [1, 2, 1]), [3, 0]))).toEqual([1]);
  });
});
