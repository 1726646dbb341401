import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

/*
 * What happens at the edges of numbers, as in PyTorch: NaN and infinities go through, and nothing overflows that need not.
 * Denormal numbers may count as 0: devices differ there.
 */

const engine = await useEngine();

/** Within 1e-5 of the larger of 1 and the expected number; NaN and infinities must be just that. */
function expectClose(what: string, found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((b, i) => {
    const a = found[i]!;
    if (Number.isFinite(b))
      expect(Math.abs(a - b), `${what}[${i}] is ${a}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(b)));
    else expect(a, `${what}[${i}]`).toBe(b);
  });
}

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
/** Each number as a sequence of one step, for a cell of one unit whose gates are all just that number. */
const sequences = (x: hg.Tensor) => hg.reshape(x, [-1, 1, 1]);
const weights = (gates: number) => ({
  weightIh: engine.tensor(new Float32Array(gates).fill(1), [gates, 1]),
  weightHh: engine.tensor(new Float32Array(gates), [gates, 1]),
});
const cases: [string, (x: hg.Tensor) => hg.Tensor, number[], number[]][] = [
  ["relu", hg.relu, [nan, inf, -inf, -0], [nan, inf, 0, 0]],
  ["leakyRelu", hg.leakyRelu, [nan, inf, -inf], [nan, inf, -inf]],
  ["tanh", hg.tanh, [nan, inf, -inf, 1e4], [nan, 1, -1, 1]],
  ["sigmoid", hg.sigmoid, [nan, inf, -inf, -1e4], [nan, 1, 0, 0]],
  ["exp", hg.exp, [nan, inf, -inf, 1e3, -1e3], [nan, inf, 0, inf, 0]],
  ["log", hg.log, [nan, inf, 0, -1], [nan, inf, -inf, nan]],
  ["sqrt", hg.sqrt, [nan, inf, 0, -1], [nan, inf, 0, nan]],
  ["abs", hg.abs, [nan, inf, -inf], [nan, inf, inf]],
  ["neg", hg.neg, [nan, inf, -inf], [nan, -inf, inf]],
  ["softplus", hg.softplus, [nan, inf, 1e4, -1e4], [nan, inf, 1e4, 0]],
  ["gelu", hg.gelu, [nan, inf, 1e4, -1e4], [nan, inf, 1e4, 0]],
  ["silu", hg.silu, [nan, inf, 1e4, -1e4], [nan, inf, 1e4, 0]],
  ["clamp", (x) => hg.clamp(x, { min: -1, max: 1 }), [nan, inf, -inf], [nan, 1, -1]],
  ["1 / x", (x) => hg.div(1, x), [nan, inf, 0, -0], [nan, 0, inf, -inf]],
  ["0 / x", (x) => hg.div(0, x), [nan, inf, 0], [nan, 0, nan]],
  ["x − x", (x) => hg.sub(x, x), [nan, inf, 1], [nan, nan, 0]],
  ["0 · x", (x) => hg.mul(x, 0), [nan, inf, 1], [nan, nan, 0]],
  ["maximum", (x) => hg.maximum(x, 0), [nan, inf, -inf], [nan, inf, 0]],
  ["minimum", (x) => hg.minimum(x, 0), [nan, inf, -inf], [nan, 0, -inf]],
  ["pow 2", (x) => hg.pow(x, 2), [nan, inf, -3], [nan, inf, 9]],
  ["pow 3", (x) => hg.pow(x, 3), [inf, -inf, -2], [inf, -inf, -8]],
  ["pow ½", (x) => hg.pow(x, 0.5), [4, 0, -1], [2, 0, nan]],
  ["pow 0", (x) => hg.pow(x, 0), [nan, inf, 0], [1, 1, 1]],
  ["sum", (x) => hg.sum(x), [1, nan, 2], [nan]],
  ["mean", (x) => hg.mean(x), [1, inf], [inf]],
  ["max", (x) => hg.max(x), [1, nan, inf], [nan]],
  ["min", (x) => hg.min(x), [1, nan, -inf], [nan]],
  ["logSumExp", (x) => hg.logSumExp(x), [-inf, -inf], [-inf]],
  ["logSumExp", (x) => hg.logSumExp(x), [1e4, 1e4], [1e4 + Math.log(2)]],
  ["softmax", hg.softmax, [1e4, -1e4, 1e4], [0.5, 0, 0.5]],
  ["logSoftmax", hg.logSoftmax, [1e4, -1e4], [0, -2e4]],
  ["softmax", hg.softmax, [1, nan, 2], [nan, nan, nan]],
  ["logSoftmax", hg.logSoftmax, [0, -inf], [0, -inf]],
  ["cross-entropy", (x) => hg.crossEntropy(hg.reshape(x, [1, 3]), [0]), [1, nan, 2], [nan]],
  ["rnn, relu", (x) => hg.rnn(sequences(x), weights(1), { nonlinearity: "relu" }).hidden, [nan, 3, -3], [nan, 3, 0]],
  ["rnn, tanh", (x) => hg.rnn(sequences(x), weights(1)).hidden, [nan, 1e4, -inf], [nan, 1, -1]],
  [
    "gru",
    (x) => hg.gru(sequences(x), weights(3)).hidden,
    [nan, 1e4, 1],
    [nan, 0, (1 - 1 / (1 + Math.exp(-1))) * Math.tanh(1)],
  ],
  ["where keeps NaN out", (x) => hg.where(engine.tensor([0, 1]), x, 7), [nan, 3], [7, 3]],
];

describe("values", () => {
  test.each(cases)("%s", (_, op, x, y) =>
    runCase(engine, {
      name: "",
      async run() {
        const found = await engine.step(() => op(engine.tensor(x)));
        expectClose("y", await found.data(), y);
      },
    }),
  );
});

describe("gradients", () => {
  test.each<[string, (x: hg.Tensor) => hg.Tensor, number[], number[]]>([
    ["log", hg.log, [0, inf], [inf, 0]],
    ["sqrt", hg.sqrt, [0, 4], [inf, 0.25]],
    ["abs", hg.abs, [0, -2], [0, -1]],
    ["pow 2", (x) => hg.pow(x, 2), [0, -3], [0, -6]],
    ["maximum, equal", (x) => hg.maximum(x, 1), [1, 2], [0.5, 1]],
    ["clamp, at the edge", (x) => hg.clamp(x, { min: 0, max: 1 }), [0, 1, 2], [1, 1, 0]],
  ])("%s", async (_, op, x, dx) => {
    const parameter = engine.parameter(x);
    const d = await engine.step(() => hg.sum(op(parameter)).backward().get(parameter));
    expectClose("dx", await d.data(), dx);
  });

  test("cross-entropy at logits of ±1e4", async () => {
    const x = engine.parameter([1e4, -1e4, 0], [1, 3]);
    const { loss, d } = await engine.step(() => {
      const loss = hg.crossEntropy(x, [1]);
      return { loss, d: loss.backward().get(x) };
    });
    expect(await loss.item()).toBe(2e4);
    expectClose("dx", await d.data(), [1, -1, 0]);
  });
});

describe("sizes that cross limits", () => {
  test("2²⁴ + 1 numbers: more workgroups than one dimension holds, more than a float counts exactly", async () => {
    const n = 2 ** 24 + 1;
    const x = new Float32Array(n).fill(1);
    x[n - 1] = 3;
    const { last, largest, total } = await engine.step(() => {
      const y = hg.add(engine.tensor(x), 1);
      return { last: hg.slice(y, { start: -2 }), largest: hg.argmax(y), total: hg.mean(y) };
    });
    expect([...(await last.data())]).toEqual([2, 4]);
    expect(await largest.item()).toBe(n - 1);
    expect(await total.item()).toBeCloseTo(2, 5);
  });

  test("a mean of more rows than a thread sums alone, of many columns", async () => {
    const y = await engine.step(() =>
      hg.mean(engine.tensor(new Float32Array(5_001 * 1_025).fill(0.1), [5_001, 1_025]), { axis: 0 }),
    );
    for (const at of [0, 1_024]) expect((await y.data())[at]).toBeCloseTo(0.1, 6);
  });

  test("a recurrence over more examples than one dimension of workgroups takes", async () => {
    const x = new Float32Array(8 * 65_536 + 1);
    x[x.length - 1] = 3;
    const last = await engine.step(() =>
      hg.slice(hg.rnn(sequences(engine.tensor(x)), weights(1), { nonlinearity: "relu" }).hidden, { start: -2 }),
    );
    expect([...(await last.data())]).toEqual([0, 3]);
  });

  test("what earlier steps left in memory does not come into a gradient", async () => {
    const x = engine.tensor([1, 2, 3, 4], [2, 2, 1]);
    const w = { weightIh: engine.parameter([1, 1, 1], [3, 1]), weightHh: engine.parameter([1, 1, 1], [3, 1]) };
    const step = () =>
      engine.step(() =>
        hg
          .sum(hg.gru(x, w, { resetAfter: false, lengths: [2, 1] }).hidden)
          .backward()
          .get(w.weightHh),
      );
    const before = await (await step()).data();
    // All buffers of this size that steps compute in are full of NaN now.
    await engine.step(() =>
      Array.from({ length: 40 }, () => hg.log(engine.tensor(new Float32Array(60).fill(-1)))).reduce((a, b) =>
        hg.add(a, b),
      ),
    );
    expect(await (await step()).data()).toEqual(before);
  });

  test("a tensor of more than one binding holds is refused before the GPU sees it", async () => {
    const row = engine.tensor(new Float32Array(1), [1, 1]);
    const rows = engine.gpu.device.limits.maxStorageBufferBindingSize / 4 + 1;
    await expect(engine.step(() => hg.expand(row, [rows, 1]))).rejects.toThrow(/binds at most/);
    expect(await (await engine.step(() => hg.add(engine.tensor([1]), 1))).item()).toBe(2);
  });
});

describe("tensors without numbers, as PyTorch takes them: the mean of no loss is NaN, its gradient 0", () => {
  const none = (...shape: number[]) => engine.tensor([], shape);
  test.each<[string, () => hg.Tensor, number[], number[]]>([
    ["relu", () => hg.relu(none(0, 3)), [0, 3], []],
    ["add", () => hg.add(none(2, 0), none(1, 0)), [2, 0], []],
    ["matmul of no columns and no rows", () => hg.matmul(none(2, 0), none(0, 3)), [2, 3], [0, 0, 0, 0, 0, 0]],
    ["linear of no rows", () => hg.linear(none(0, 2), engine.tensor([1, 2], [1, 2])), [0, 1], []],
    ["sum", () => hg.sum(none(0, 3)), [], [0]],
    ["sum over the empty axis", () => hg.sum(none(0, 3), { axis: 0 }), [3], [0, 0, 0]],
    ["mean", () => hg.mean(none(0)), [], [nan]],
    ["mean over the empty axis", () => hg.mean(none(0, 2), { axis: 0 }), [2], [nan, nan]],
    ["mse", () => hg.mse(none(0), none(0)), [], [nan]],
    ["huber", () => hg.huber(none(0, 2), none(0, 2)), [], [nan]],
    ["binaryCrossEntropyWithLogits", () => hg.binaryCrossEntropyWithLogits(none(0), none(0)), [], [nan]],
    ["klDivergence", () => hg.klDivergence(none(0, 3), none(0, 3)), [], [nan]],
    ["crossEntropy", () => hg.crossEntropy(none(0, 3), []), [], [nan]],
    ["crossEntropy with weights", () => hg.crossEntropy(none(0, 3), [], { weights: [] }), [], [nan]],
    ["feedbackLoss", () => hg.feedbackLoss(none(0, 3), [], []), [], [nan]],
    ["policyGradient", () => hg.policyGradient(none(0, 3), [], []), [], [nan]],
    ["the sum of losses", () => hg.mse(none(0), none(0), { reduction: "sum" }), [], [0]],
    ["losses kept apart", () => hg.crossEntropy(none(0, 3), [], { reduction: "none" }), [0], []],
    ["concat", () => hg.concat([none(0), engine.tensor([1, 2])]), [2], [1, 2]],
    ["pad", () => hg.pad(none(0), [1, 1], { value: 5 }), [2], [5, 5]],
    ["permute", () => hg.permute(none(0, 2), [1, 0]), [2, 0], []],
    ["embedding", () => hg.embedding(engine.tensor(new Int32Array(0), [0]), engine.tensor([1, 2], [2, 1])), [0, 1], []],
    ["softmax of no rows", () => hg.softmax(none(0, 3)), [0, 3], []],
  ])("%s", (_, op, shape, data) =>
    runCase(engine, {
      name: "",
      async run() {
        const y = await engine.step(op);
        expect(y.shape).toEqual(shape);
        expectClose("y", await y.data(), data);
      },
    }),
  );

  test("the gradient of no loss", async () => {
    const w = engine.parameter([1, 2], [2, 1]);
    const dw = await engine.step(() =>
      hg
        .mse(hg.matmul(none(0, 2), w), none(0, 1))
        .backward()
        .get(w),
    );
    expect([...(await dw.data())]).toEqual([0, 0]);
  });
});
