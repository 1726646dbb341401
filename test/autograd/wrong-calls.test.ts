import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { useEngine } from "../use-engine.ts";

/* Wrong use: an error that begins with the function's name and tells what was found, before anything is recorded. */

const engine = await useEngine();

const t = (...shape: number[]) => engine.tensor(new Float32Array(hg.count(shape)), shape);
const ids = (...values: number[]) => engine.tensor(Int32Array.from(values), [values.length]);
const weights = (G: number, I: number, H: number): hg.RecurrentWeights => ({
  weightIh: t(G * H, I),
  weightHh: t(G * H, H),
  biasIh: t(G * H),
  biasHh: t(G * H),
});
const without = ({ weightIh, weightHh, biasIh }: hg.RecurrentWeights) =>
  ({ weightIh, weightHh, biasIh }) as hg.RecurrentWeights;

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;
const wrong: [string, () => unknown, RegExp][] = [
  // Not tensors, or of the wrong type
  ["relu", () => hg.relu([1, 2] as Any), /argument 1 is an array, expected a tensor/],
  ["exp", () => hg.exp(ids(1)), /x \[1\] is i32, expected f32/],
  ["add", () => hg.add(1, 2), /both arguments are plain numbers/],
  ["add", () => hg.add(ids(1), t(1)), /a \[1\] is i32/],
  ["mul", () => hg.mul(t(1), "2" as Any), /argument 2 is "2"/],
  ["sum", () => hg.sum(ids(1, 2)), /is i32, expected f32/],
  ["softmax", () => hg.softmax(ids(1, 2)), /is i32/],
  ["matmul", () => hg.matmul(ids(1), t(1, 2)), /is i32/],
  ["concat", () => hg.concat([t(1), ids(1)]), /input 1 \[1\] is i32/],
  ["gather", () => hg.gather(t(2, 2), t(2, 2)), /index/],
  ["embedding", () => hg.embedding(t(3), t(4, 2)), /ids/],
  // Shapes that do not fit
  ["add", () => hg.add(t(2, 3), t(2)), /do not broadcast: a \[2, 3\] and b \[2\]/],
  ["sub", () => hg.sub(t(2), t(3)), /a \[2\] and b \[3\]/],
  ["mul", () => hg.mul(t(4, 1, 3), t(2, 2)), /do not broadcast/],
  ["div", () => hg.div(t(2), t(3)), /do not broadcast/],
  ["pow", () => hg.pow(t(2), t(3)), /do not broadcast/],
  ["maximum", () => hg.maximum(t(2), t(3)), /do not broadcast/],
  ["minimum", () => hg.minimum(t(2), t(3)), /do not broadcast/],
  ["where", () => hg.where(t(2), t(3), t(3)), /condition \[2\], a \[3\] and b \[3\]/],
  ["matmul", () => hg.matmul(t(2, 3), t(4, 3)), /a \[2, 3\] · b \[4, 3\] \(3 ≠ 4\)\. Did you mean transposeB: true/],
  ["matmul", () => hg.matmul(t(3), t(2)), /3 ≠ 2/],
  ["matmul", () => hg.matmul(t(2, 3, 4), t(3, 4, 5)), /do not broadcast: a \[2, 3, 4\] and b \[3, 4, 5\]/],
  ["matmul", () => hg.matmul(t(), t(2)), /expected vectors or matrices/],
  ["linear", () => hg.linear(t(2, 3), t(5, 4)), /x \[2, 3\] ends in 3, but w \[5, 4\] takes 4/],
  ["linear", () => hg.linear(t(2, 3), t(3, 5)), /is yours transposed/],
  ["linear", () => hg.linear(t(2, 3), t(5, 3), t(4)), /b is \[4\], expected \[5\]/],
  ["conv2d", () => hg.conv2d(t(3, 8, 8), t(2, 3, 3, 3)), /x is \[3, 8, 8\], expected 4 dimensions/],
  ["conv2d", () => hg.conv2d(t(1, 3, 8, 8), t(2, 4, 3, 3)), /has 3 channels/],
  ["conv2d", () => hg.conv2d(t(1, 3, 2, 2), t(2, 3, 3, 3)), /window of w \[2, 3, 3, 3\] is larger/],
  ["conv2d", () => hg.conv2d(t(1, 4, 8, 8), t(3, 2, 3, 3), undefined, { groups: 2 }), /3 outputs do not divide by 2/],
  ["conv2d", () => hg.conv2d(t(1, 1, 8, 8), t(1, 1, 3, 3), t(2)), /b is \[2\]/],
  ["conv1d", () => hg.conv1d(t(3, 8), t(2, 3, 3)), /x is \[3, 8\] and w \[2, 3, 3\]/],
  ["maxPool2d", () => hg.maxPool2d(t(3, 8), { kernelSize: 2 }), /x is \[3, 8\], expected 4/],
  ["avgPool2d", () => hg.avgPool2d(t(1, 1, 2, 2), { kernelSize: 3 }), /\[1, 1, 2, 2\]/],
  ["globalAvgPool2d", () => hg.globalAvgPool2d(t(3, 8)), /\[3, 8\], expected 4/],
  ["maskedMean", () => hg.maskedMean(t(2, 3), ids(1, 2)), /\[2, 3\]/],
  ["gru", () => hg.gru(t(2, 3), weights(3, 4, 5)), /x is \[2, 3\], expected 3 dimensions \[N, T, I\]/],
  ["gru", () => hg.gru(t(2, 3, 4), weights(3, 7, 5)), /w_ih is \[15, 7\], expected \[15, 4\]/],
  ["gru", () => hg.gru(t(2, 3, 4), weights(3, 4, 5), { h0: t(2, 4) }), /h0 is \[2, 4\], expected \[2, 5\]/],
  ["gru", () => hg.gru(t(2, 3, 4), without(weights(3, 4, 5))), /one bias is given/],
  ["lstm", () => hg.lstm(t(2, 3, 4), weights(3, 4, 5)), /w_ih is \[15, 4\], expected \[20, 4\]/],
  ["lstm", () => hg.lstm(t(2, 3, 4), weights(4, 4, 5), { h0: t(2, 5) }), /h0 is \[2, 5\], expected \[2, 2, 5\]/],
  ["rnn", () => hg.rnn(t(2, 3, 4), weights(3, 4, 5)), /w_ih is \[15, 4\], expected \[5, 4\]/],
  ["rnn", () => hg.rnn(t(2, 0, 4), weights(1, 4, 5)), /no time steps/],
  ["reshape", () => hg.reshape(t(2, 3), [4]), /x \[2, 3\] holds 6 numbers, which do not fill \[4\]/],
  ["expand", () => hg.expand(t(2, 3), [2, 4]), /x \[2, 3\] does not repeat to \[2, 4\]/],
  ["concat", () => hg.concat([t(2, 3), t(3, 3)], { axis: 1 }), /must be equal in all sizes but that of axis 1/],
  ["stack", () => hg.stack([t(2), t(3)]), /inputs \[2\], \[3\].*expected equal shapes/],
  ["gather", () => hg.gather(t(2, 3), ids(0, 1)), /index is \[2\] and x \[2, 3\]/],
  ["indexSelect", () => hg.indexSelect(t(2, 3), engine.tensor(Int32Array.of(0), [1, 1])), /expected one dimension/],
  ["layerNorm", () => hg.layerNorm(t(2, 3), t(2)), /w is \[2\], expected \[3\]/],
  ["batchNorm2d", () => hg.batchNorm2d(t(2, 3)), /\[2, 3\], expected 4/],
  ["batchNorm2d", () => hg.batchNorm2d(t(2, 3, 4, 4), t(4), t(3), { training: true }), /w is \[4\], expected \[3\]/],
  ["fuse", () => hg.fuse([t(2, 3), t(2, 4)], "average"), /\[2, 3\].*\[2, 4\]/],
  ["fuse", () => hg.fuse([t(2, 3), t(3, 3)], "concat"), /\[2, 3\].*\[3, 3\]/],
  ["crossEntropy", () => hg.crossEntropy(t(3), [0]), /logits is \[3\]|logits are \[3\]/],
  ["crossEntropy", () => hg.crossEntropy(t(2, 3), [0]), /labels are \[1\], expected \[2\]/],
  ["crossEntropy", () => hg.crossEntropy(t(2, 3), [0, 1], { weights: [1] }), /weights are \[1\]/],
  ["mse", () => hg.mse(t(2), [1, 2, 3]), /3 numbers do not fill/],
  ["huber", () => hg.huber(t(2), t(3)), /x is \[2\] and target \[3\]/],
  ["klDivergence", () => hg.klDivergence(t(2), t(3)), /x is \[2\] and target \[3\]/],
  ["binaryCrossEntropyWithLogits", () => hg.binaryCrossEntropyWithLogits(t(2), t(3)), /x is \[2\] and target \[3\]/],
  ["feedbackLoss", () => hg.feedbackLoss(t(2, 3), [0], [1]), /\[1\]/],
  ["policyGradient", () => hg.policyGradient(t(2, 3), [0, 1], [1]), /advantages are \[1\]/],
  [
    "policyGradient",
    () => hg.policyGradient(t(2, 3), [0, 1], [1, 1], { referenceLogits: t(2, 2), klCoef: 1 }),
    /referenceLogits is \[2, 2\]/,
  ],
  // Options and numbers out of range
  ["sum", () => hg.sum(t(2, 3), { axis: 2 }), /axis 2 is outside of x \[2, 3\]/],
  ["mean", () => hg.mean(t(2, 3), { axis: [0, -2] }), /names one axis twice/],
  ["max", () => hg.max(t(2, 3), { axis: -3 }), /axis -3 is outside/],
  ["max", () => hg.max(t(2, 0), { axis: 1 }), /there is no number to choose/],
  ["min", () => hg.min(t(0)), /there is no number/],
  ["argmax", () => hg.argmax(t(0, 3)), /holds no number/],
  ["variance", () => hg.variance(t(2), { axis: 1 }), /axis 1 is outside/],
  ["logSumExp", () => hg.logSumExp(t(2), { axis: 1 }), /axis 1 is outside/],
  ["clamp", () => hg.clamp(t(2), { min: 2, max: 1 }), /min is 2 and max is 1, expected min ≤ max/],
  [
    "leakyRelu",
    () => hg.leakyRelu(t(2), { negativeSlope: Number.NaN }),
    /negativeSlope is NaN, expected a finite number/,
  ],
  ["permute", () => hg.permute(t(2, 3), [0, 0]), /axes \[0,0\].*expected each of 0 … 1 once/],
  ["transpose", () => hg.transpose(t(2)), /axes -2 and -1 are not both axes of x \[2\]/],
  ["slice", () => hg.slice(t(2), { axis: 1 }), /axis 1 is outside of x \[2\]/],
  ["slice", () => hg.slice(t(2), { step: 0 }), /a step of at least 1/],
  ["split", () => hg.split(t(5), [2, 2]), /add up to 4, but x \[5\] has 5/],
  ["split", () => hg.split(t(5), 0), /size is 0/],
  ["pad", () => hg.pad(t(2), [1]), /padding \[1\] does not fit x \[2\]/],
  ["pad", () => hg.pad(t(2), [-1, 0]), /at least 0/],
  ["concat", () => hg.concat([t(2)], { axis: 1 }), /axis 1 is outside of input 0 \[2\]/],
  ["stack", () => hg.stack([]), /no tensor to stack/],
  ["gather", () => hg.gather(t(2), ids(2)), /index\[0\] is 2/],
  ["indexSelect", () => hg.indexSelect(t(2), [0, -1]), /index\[1\] is -1/],
  ["embedding", () => hg.embedding(ids(0, 4), t(4, 2)), /ids\[1\] is 4/],
  ["crossEntropy", () => hg.crossEntropy(t(1, 3), [3]), /labels\[0\] is 3/],
  ["crossEntropy", () => hg.crossEntropy(t(1, 3), [0], { labelSmoothing: 2 }), /labelSmoothing is 2/],
  ["huber", () => hg.huber(t(1), t(1), { delta: 0 }), /delta is 0/],
  ["feedbackLoss", () => hg.feedbackLoss(t(1, 3), [0], [1], { labelNoise: 0.5 }), /labelNoise is 0\.5/],
  ["policyGradient", () => hg.policyGradient(t(1, 3), [0], [1], { klCoef: 1 }), /there is no referenceLogits/],
  ["dropout", () => hg.dropout(t(2), { p: 1 }), /p is 1, expected a number of at least 0 and under 1/],
  ["dropModalities", () => hg.dropModalities(t(2), { p: 0.5 }), /\[2\], expected 2 dimensions/],
  ["layerNorm", () => hg.layerNorm(t(2, 0)), /expected a last axis of at least 1/],
  ["layerNorm", () => hg.layerNorm(t(2, 3), undefined, undefined, { eps: -1 }), /eps is -1/],
  ["batchNorm2d", () => hg.batchNorm2d(t(2, 3, 4, 4)), /it needs `running`/],
  ["categorical", () => hg.categorical(t(3)), /\[3\], expected 2 dimensions/],
  ["uniform", () => hg.uniform(engine, [2], { low: 1, high: 0 }), /low is 1 and high 0/],
  ["normal", () => hg.normal(engine, [-1]), /not a whole number of at least 0/],
  ["gru", () => hg.gru(t(2, 3, 4), weights(3, 4, 5), { lengths: [4, 1] }), /lengths\[0\] is 4, expected 0 … 3/],
  ["gru", () => hg.gru(t(2, 3, 4), weights(3, 4, 5), { numLayers: 2 }), /1 sets of weights, expected 2/],
  ["lstm", () => hg.lstm(t(2, 3, 4), weights(4, 4, 5), { numLayers: 0 }), /layers is 0/],
  [
    "rnn",
    () => hg.rnn(t(1, 1, 1), weights(1, 1, 1), { nonlinearity: "sin" as Any }),
    /nonlinearity is "sin", expected one of tanh, relu/,
  ],
  ["maxPool2d", () => hg.maxPool2d(t(1, 1, 4, 4), { kernelSize: 0 }), /0/],
  // What cannot be, silently taken elsewhere
  ["pad", () => hg.pad(t(2), [1, 1], { value: null as Any }), /value is null/],
  ["stack", () => hg.stack([t(2)], { axis: null as Any }), /axis is null/],
  ["concat", () => hg.concat([t(2)], { axis: 0.5 }), /axis is 0.5/],
  [
    "fuse",
    () => hg.fuse([t(1, 2), t(1, 2)], "average", { present: [1, Number.NaN] }),
    /present\[1\] is NaN, expected 1/,
  ],
  ["fuse", () => hg.fuse([t(1, 2), t(1, 2)], "concat", { present: [0.5, 1] }), /present\[0\] is 0.5, expected 1/],
  ["dropModalities", () => hg.dropModalities(engine.tensor([2], [1, 1]), { p: 0.5 }), /present\[0\] is 2, expected 1/],
  [
    "batchNorm2d",
    () => {
      const both = engine.parameter([0]);
      return hg.batchNorm2d(t(2, 1, 2, 2), undefined, undefined, {
        training: true,
        running: { mean: both, variance: both },
      });
    },
    /mean and variance are one tensor/,
  ],
  ["own", () => hg.customOp("own", () => undefined as Any)([t(1)], {}), /the op gives undefined, expected \{ outputs/],
  ["own", () => hg.customOp("own", (async () => ({ outputs: [] })) as Any)([t(1)], {}), /must work synchronously/],
  ["conv2d", () => hg.conv2d(t(1, 1, 8, 8), t(1, 1, 3, 3), undefined, { stride: 0 }), /stride is 0/],
  ["backward", () => hg.add(engine.parameter([1, 2]), 1).backward(), /there is no dy/],
  ["backward", () => t(1).backward(), /was not computed from a parameter/],
];

describe("what is no tensor is refused by name wherever one is needed", () => {
  type Call = (x: Any) => unknown;
  const calls: Record<string, readonly Call[]> = {
    relu: [hg.relu],
    exp: [hg.exp],
    add: [(x) => hg.add(x, 1), (x) => hg.add(t(1), x)],
    where: [(x) => hg.where(x, t(1), 1), (x) => hg.where(t(1), x, 1), (x) => hg.where(t(1), 1, x)],
    clamp: [(x) => hg.clamp(x, { min: 0 })],
    softmax: [(x) => hg.softmax(x), (x) => hg.softmax(x, { axis: 0 })],
    linear: [(x) => hg.linear(x, t(1, 1)), (x) => hg.linear(t(1, 1), x)],
    conv1d: [(x) => hg.conv1d(x, t(1, 1, 1)), (x) => hg.conv1d(t(1, 1, 1), x)],
    conv2d: [(x) => hg.conv2d(x, t(1, 1, 1, 1)), (x) => hg.conv2d(t(1, 1, 1, 1), x)],
    matmul: [(x) => hg.matmul(x, t(1, 1)), (x) => hg.matmul(t(1, 1), x)],
    maxPool2d: [(x) => hg.maxPool2d(x, { kernelSize: 1 })],
    globalAvgPool2d: [hg.globalAvgPool2d],
    batchNorm2d: [(x) => hg.batchNorm2d(x, undefined, undefined, { training: true })],
    layerNorm: [(x) => hg.layerNorm(x)],
    embedding: [(x) => hg.embedding([0], x), (x) => hg.embedding(x, t(1, 1))],
    maskedMean: [(x) => hg.maskedMean(x, [1]), (x) => hg.maskedMean(t(1, 1, 1), x)],
    concat: [(x) => hg.concat([x]), (x) => hg.concat([t(1), x])],
    stack: [(x) => hg.stack([x]), (x) => hg.stack([t(1), x])],
    split: [(x) => hg.split(x, 1)],
    reshape: [(x) => hg.reshape(x, [1])],
    flatten: [(x) => hg.flatten(x)],
    permute: [(x) => hg.permute(x, [0])],
    transpose: [(x) => hg.transpose(x)],
    slice: [(x) => hg.slice(x)],
    expand: [(x) => hg.expand(x, [1])],
    pad: [(x) => hg.pad(x, [0, 0])],
    detach: [hg.detach],
    dropout: [(x) => hg.dropout(x, { p: 0 }), (x) => hg.dropout(x, { p: 0.5 })],
    gather: [(x) => hg.gather(x, ids(0)), (x) => hg.gather(t(1), x)],
    indexSelect: [(x) => hg.indexSelect(x, [0]), (x) => hg.indexSelect(t(1), x)],
    fuse: [(x) => hg.fuse([x], "concat"), (x) => hg.fuse([t(1, 1), x], "concat")],
    sum: [(x) => hg.sum(x)],
    variance: [(x) => hg.variance(x)],
    logSumExp: [(x) => hg.logSumExp(x)],
    mse: [(x) => hg.mse(x, [1]), (x) => hg.mse(t(1), x)],
    crossEntropy: [(x) => hg.crossEntropy(x, [0]), (x) => hg.crossEntropy(t(1, 1), x)],
    policyGradient: [(x) => hg.policyGradient(x, [0], [1]), (x) => hg.policyGradient(t(1, 1), [0], x)],
    gru: [(x) => hg.gru(x, weights(3, 1, 1)), (x) => hg.gru(t(1, 1, 1), { ...weights(3, 1, 1), weightHh: x })],
  };
  const what = Object.entries(calls).flatMap(([name, list]) => list.map((call, i) => [name, i, call] as const));

  test.each(what)("%s, %d", async (name, _, call) => {
    for (const x of [undefined, null, "x", {}])
      await expect(engine.step(() => call(x) as hg.Tensor)).rejects.toThrow(
        new RegExp(`^${name}: (argument|input|features|its weights|\\w+ is ).*(expected|lack)`),
      );
  });

  test("typed arrays list sizes and axes as plain ones do", async () => {
    const x = engine.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const [first, second] = await engine.step(() => hg.split(x, Int32Array.of(1, 2) as Any, { axis: 1 }));
    expect([...(await first!.data()), ...(await second!.data())]).toEqual([1, 4, 2, 3, 5, 6]);
    const y = await engine.step(() => hg.stack([hg.reshape(x, Int32Array.of(3, 2) as Any)]));
    expect(y.shape).toEqual([1, 3, 2]);
  });
});

test("there are at least 80 of them", () => expect(wrong.length).toBeGreaterThanOrEqual(80));

describe("in a step", () => {
  test.each(wrong.map((one, i) => [`${i}`, ...one] as const))("%s %s", async (_, name, call, message) => {
    const before = engine.stats();
    const failure = await engine
      .step(() => call() as hg.Tensor)
      .then(
        () => undefined,
        (error: unknown) => error as Error,
      );
    expect(failure?.message).toMatch(new RegExp(`^${name}: `));
    expect(failure?.message).toMatch(message);
    const after = engine.stats();
    expect([after.total.dispatches, after.total.submits]).toEqual([before.total.dispatches, before.total.submits]);
  });

  test("and the engine works on", async () => {
    const y = await engine.step(() => hg.add(engine.tensor([1, 2]), 1));
    expect([...(await y.data())]).toEqual([2, 3]);
  });
});

describe("outside of a step", () => {
  test.each([
    ["relu", () => hg.relu(t(1))],
    ["uniform", () => hg.uniform(engine, [1])],
    ["backward", () => t(1).backward()],
  ] as const)("%s says how to write it", (name, call) => {
    expect(call).toThrow(new RegExp(`^${name}: no step is open`));
  });
});
