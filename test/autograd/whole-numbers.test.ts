import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import {
  accuracy,
  argmaxRows,
  auc,
  batchesOf,
  confusionMatrix,
  f1,
  MultimodalNet,
  topK,
} from "../../src/model/index.ts";
import { failureInStep } from "../refused.ts";
import { useEngine } from "../use-engine.ts";

/*
 * What must be a whole number in a range is refused where it is none, in every form that it may be given in. Nothing is
 * rounded, wrapped round or read as another class.
 */

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;
const engine = await useEngine();
const net = new MultimodalNet(engine, {
  text: { vocabSize: 4, embeddingDim: 2 },
  audio: { features: 1, hidden: 2 },
  head: { outputs: 3, hidden: 2 },
});

const t = (...shape: number[]) => engine.tensor(new Float32Array(hg.count(shape)), shape);
const weights = (gates: number) => ({ weightIh: t(gates * 2, 3), weightHh: t(gates * 2, 2) });
const never = [Number.NaN, 1.5, Infinity, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 1];

/** Lists of ids and the like: `n` stands behind a good one. The last column is what else is out of range. */
const lists: [string, (n: Any) => unknown, number[]][] = [
  ["crossEntropy", (n) => hg.crossEntropy(t(2, 3), n), [3, -1, -100]],
  ["feedbackLoss", (n) => hg.feedbackLoss(t(2, 3), n, [1, 1]), [3, -1]],
  ["policyGradient", (n) => hg.policyGradient(t(2, 3), n, [1, 1]), [3, -1]],
  ["embedding", (n) => hg.embedding(n, t(4, 2)), [4, -1]],
  ["indexSelect", (n) => hg.indexSelect(t(3), n), [3, -1]],
  ["maskedMean", (n) => hg.maskedMean(t(1, 2, 3), n), []],
  ["gru", (n) => hg.gru(t(2, 3, 3), weights(3), { lengths: n }), [4, -1]],
  ["lstm", (n) => hg.lstm(t(2, 3, 3), weights(4), { lengths: n }), [4, -1]],
  ["rnn", (n) => hg.rnn(t(2, 3, 3), weights(1), { lengths: n }), [4, -1]],
  ["engine.tensor", (n) => engine.tensor(n, [2], "i32"), []],
  ["MultimodalNet", (n) => net.forward({ size: 1, words: n, audio: new Float32Array(3), frames: [1] }), []],
  ["embedding", (n) => net.forward({ size: 1, words: n, audio: new Float32Array(3), frames: [1] }), [4, -1]],
  ["gru", (n) => net.forward({ size: 2, words: [1, 2], audio: new Float32Array(6), frames: n }), [4, -1]],
  ["crossEntropy", (n) => net.loss(t(2, 3), n), [3, -1]],
];

async function failureOf(call: () => unknown): Promise<string | undefined> {
  const failure = await failureInStep(engine, call);
  return failure === undefined ? undefined : String(failure);
}

describe.each(lists.map((row, i) => [`${i} ${row[0]}`, ...row] as const))("%s", (_, name, call, outside) => {
  test("takes whole numbers in its range, of any type", async () => {
    for (const list of [[0, 1], Int32Array.of(0, 1), Float32Array.of(0, 1), Uint32Array.of(0, 1), Uint8Array.of(0, 1)])
      expect(await failureOf(() => call(list))).toBeUndefined();
  });
  test.each(never)("refuses %s", async (n) => {
    // −2³¹ − 1 is −2³¹ in 32 bits, which may be meant.
    const short = Object.is(Math.fround(n), n) ? [Float32Array.of(0, n)] : [];
    for (const list of [[0, n], Float64Array.of(0, n), ...short]) {
      const failure = await failureOf(() => call(list));
      expect(failure).toMatch(/^\w*Error: [\w.]+: /);
      expect(failure).toMatch(/\[1\] is .*, expected a whole number from -2147483648 to 2147483647/);
    }
  });
  test.each(outside)("refuses %s, which is out of range", async (n) => {
    for (const list of [[0, n], Int32Array.of(0, n)]) {
      const failure = await failureOf(() => call(list));
      expect(failure).toContain(`${name}: `);
      expect(failure).toMatch(new RegExp(`\\[1\\] is ${n}, expected 0 … \\d`));
    }
  });
  test.each([["1"], [undefined], [null], [true], [[1]], [1n]])("refuses %o, which is no number", async (n) => {
    expect(await failureOf(() => call([0, n]))).toMatch(/\[1\] is .*, expected a whole number/);
  });
});

/** Single numbers that must be whole, or in a range. */
const numbers: [string, (n: Any) => unknown, number[]][] = [
  ["embedding", (n) => hg.embedding([0], t(4, 2), { paddingIdx: n }), [4, -1]],
  ["maskedMean", (n) => hg.maskedMean(t(1, 2, 3), [0, 1], { paddingIdx: n }), []],
  ["concat", (n) => hg.concat([t(2), t(2)], { axis: n }), [1, -2]],
  ["stack", (n) => hg.stack([t(2), t(2)], { axis: n }), [2, -3]],
  ["split", (n) => hg.split(t(4), n), [0, -1]],
  ["split", (n) => hg.split(t(4), [n, 4]), [-1, 1]],
  ["split", (n) => hg.split(t(4), 2, { axis: n }), [1, -2]],
  ["slice", (n) => hg.slice(t(4), { axis: n }), [1, -2]],
  ["slice", (n) => hg.slice(t(4), { step: n }), [0, -1]],
  ["flatten", (n) => hg.flatten(t(4, 2), { start: n }), [2, -3]],
  ["transpose", (n) => hg.transpose(t(4, 2), n, 0), [2, -3]],
  ["permute", (n) => hg.permute(t(4, 2), [n, 0]), [0, 2]],
  ["reshape", (n) => hg.reshape(t(4), [n, 4]), [0, -2, 3]],
  ["expand", (n) => hg.expand(t(1), [n, 3, 1, 0]), [-1]],
  ["pad", (n) => hg.pad(t(4), [n, 0]), [-1]],
  ["gather", (n) => hg.gather(t(2), engine.tensor([0], [1], "i32"), { axis: n }), [1, -2]],
  ["indexSelect", (n) => hg.indexSelect(t(2), [0], { axis: n }), [1, -2]],
  ["softmax", (n) => hg.softmax(t(2, 3), { axis: n }), [2, -3]],
  ["sum", (n) => hg.sum(t(2, 3), { axis: n }), [2, -3]],
  ["max", (n) => hg.max(t(2, 3), { axis: [n] }), [2, -3]],
  ["argmax", (n) => hg.argmax(t(2, 3), { axis: n }), [2, -3]],
  ["variance", (n) => hg.variance(t(2, 3), { axis: n }), [2, -3]],
  ["logSumExp", (n) => hg.logSumExp(t(2, 3), { axis: n }), [2, -3]],
  ["conv2d", (n) => hg.conv2d(t(1, 1, 4, 4), t(1, 1, 2, 2), undefined, { stride: n }), [0, -1]],
  ["conv2d", (n) => hg.conv2d(t(1, 1, 4, 4), t(1, 1, 2, 2), undefined, { padding: [0, n] }), [-1]],
  ["conv2d", (n) => hg.conv2d(t(1, 1, 4, 4), t(1, 1, 2, 2), undefined, { groups: n }), [0, -1, 2]],
  ["conv1d", (n) => hg.conv1d(t(1, 1, 4), t(1, 1, 2), undefined, { dilation: n }), [0, -1]],
  ["maxPool2d", (n) => hg.maxPool2d(t(1, 1, 4, 4), { kernelSize: n }), [0, -1]],
  ["avgPool2d", (n) => hg.avgPool2d(t(1, 1, 4, 4), { kernelSize: 2, stride: n }), [0, -1]],
  ["gru", (n) => hg.gru(t(1, 2, 3), weights(3), { numLayers: n }), [0, -1]],
  ["uniform", (n) => hg.uniform(engine, [n]), [-1]],
  ["normal", (n) => hg.normal(engine, [2, n]), [-1]],
  ["engine.tensor", (n) => engine.tensor([1], [n]), [-1, 2]],
  ["batchesOf", (n) => batchesOf([], { batch: n }), [0, -1]],
  ["batchesOf", (n) => batchesOf([], { ahead: n }), [0, -1]],
  ["batchesOf", (n) => batchesOf([], {}, { epoch: 0, from: n, seed: null }), [-1]],
  ["topK", (n) => topK(n), [0, -1]],
  ["argmaxRows", (n) => argmaxRows(Float32Array.of(1, 2), n), [0, -1]],
  ["MultimodalNet", (n) => net.forward({ size: n, words: [1, 2], audio: [1] }), [-1]],
  ["MultimodalNet", (n) => new MultimodalNet(engine, { text: { vocabSize: n }, head: { outputs: 2 } }), [0, -1]],
  ["MultimodalNet", (n) => new MultimodalNet(engine, { text: { vocabSize: 2 }, head: { outputs: n } }), [0, -1]],
];

describe.each(numbers.map((row, i) => [`${i} ${row[0]}`, ...row] as const))("%s", (_, name, call, outside) => {
  test.each([Number.NaN, 1.5, Infinity, "1", [1, 2, 3], ...outside])("refuses %s", async (n) => {
    expect(await failureOf(() => call(n))).toMatch(new RegExp(`^\\w*Error: ${name}\\b.*: `));
  });
});

/** Settings that may be fractions. */
const fractions: [string, (n: Any) => unknown, Any[]][] = [
  ["dropout", (n) => hg.dropout(t(2), { p: n }), [1, 1.5, -0.1]],
  ["dropModalities", (n) => hg.dropModalities(t(2, 2), { p: n }), [1, 1.5, -0.1]],
  ["layerNorm", (n) => hg.layerNorm(t(2, 3), undefined, undefined, { eps: n }), [-1, Infinity]],
  ["batchNorm2d", (n) => hg.batchNorm2d(t(2, 1, 2, 2), undefined, undefined, { training: true, eps: n }), [-1]],
  ["batchNorm2d", (n) => hg.batchNorm2d(t(2, 1, 2, 2), undefined, undefined, { training: true, momentum: n }), [2, -1]],
  ["huber", (n) => hg.huber(t(1), [1], { delta: n }), [0, -1, Infinity]],
  ["crossEntropy", (n) => hg.crossEntropy(t(1, 2), [1], { labelSmoothing: n }), [-0.1, 1.1]],
  ["feedbackLoss", (n) => hg.feedbackLoss(t(1, 2), [1], [1], { labelNoise: n }), [-0.1, 0.5]],
  ["policyGradient", (n) => hg.policyGradient(t(1, 2), [1], [1], { entropyCoef: n }), [Infinity]],
  ["policyGradient", (n) => hg.policyGradient(t(1, 2), [1], [1], { referenceLogits: t(1, 2), klCoef: n }), [Infinity]],
  ["leakyRelu", (n) => hg.leakyRelu(t(1), { negativeSlope: n }), [Infinity]],
  ["clamp", (n) => hg.clamp(t(1), { min: n }), []],
  ["clamp", (n) => hg.clamp(t(1), { max: n, min: 0 }), [-1]],
  ["variance", (n) => hg.variance(t(3), { correction: n }), [Infinity]],
  ["uniform", (n) => hg.uniform(engine, [1], { low: n }), [Infinity, 2]],
  ["normal", (n) => hg.normal(engine, [1], { std: n }), [Infinity, -1]],
  [
    "MultimodalNet",
    (n) => new MultimodalNet(engine, { text: { vocabSize: 2 }, head: { outputs: 2, dropout: n } }),
    [1],
  ],
];

describe.each(fractions.map((row, i) => [`${i} ${row[0]}`, ...row] as const))("%s", (_, name, call, outside) => {
  test.each([Number.NaN, "0.1", null, [0.1], ...outside])("refuses %s", async (n) => {
    expect(await failureOf(() => call(n))).toMatch(new RegExp(`^\\w*Error: ${name}: `));
  });
});

describe("metrics refuse targets that name no class", () => {
  const values = Float32Array.of(0.2, 0.8, 0.6, 0.4);
  test.each([Number.NaN, 0.5, 2, -1, "1", undefined] as Any[])("%s", (target) => {
    for (const metric of [accuracy, topK(1), f1(), auc, confusionMatrix])
      expect(() => metric({ values, numOutputs: 2, targets: [0, target] })).toThrow(
        /target 1 is .*, expected a class of 0 … 1/,
      );
  });
});
