import type { Tensor } from "../../src/index.ts";
import * as hg from "../../src/index.ts";
import fixture from "../fixtures/ops.json" with { type: "json" };
import wide from "../fixtures/wide.json" with { type: "json" };
import { type Case, expectClose, expectEqual } from "../harness.ts";

/* Every op against PyTorch's values and gradients. */

interface Packed {
  shape: number[];
  data: number[];
  dtype: string;
}
/** Each op's own, as the fixture gives them. */
// biome-ignore lint/suspicious/noExplicitAny: their types are checked by the ops at run time.
type Options = any;
interface OpCase {
  op: string;
  name: string;
  options: Options;
  inputs: Record<string, Packed>;
  outputs: Record<string, Packed>;
  dy: Record<string, Packed>;
  gradients: Record<string, Packed>;
}

type Inputs = Record<string, Tensor>;
type Run = (inputs: Inputs, options: Options) => Record<string, Tensor>;
const y = (tensor: Tensor) => ({ y: tensor });
const loss = (tensor: Tensor) => ({ loss: tensor });
const list = (x: Inputs) =>
  Object.keys(x)
    .filter((k) => /^x\d$/.test(k))
    .map((k) => x[k]!);

const recurrence = ({ output, hidden }: hg.RecurrentResult) => ({ y: output, hidden });
/** Weights are numbered: weightIh0, weightIh1, … */
const layersOf = (x: Inputs): hg.RecurrentWeights[] => {
  const layers: hg.RecurrentWeights[] = [];
  for (let i = 0; x[`weightIh${i}`]; i++)
    layers.push({
      weightIh: x[`weightIh${i}`]!,
      weightHh: x[`weightHh${i}`]!,
      biasIh: x[`biasIh${i}`]!,
      biasHh: x[`biasHh${i}`]!,
    });
  return layers;
};

/** How each op of the fixture is called here. */
export const calls: Record<string, Run> = {
  matmul: (x, o) => y(hg.matmul(x.a!, x.b!, o)),
  linear: (x, o) => y(hg.linear(x.x!, x.w!, x.b, o)),
  conv2d: (x, o) => y(hg.conv2d(x.x!, x.w!, x.b, o)),
  maxPool2d: (x, o) => y(hg.maxPool2d(x.x!, o)),
  averagePool2d: (x, o) => y(hg.avgPool2d(x.x!, o)),
  embedding: (x, o) => y(hg.embedding(x.ids!, x.w!, o)),
  maskedMean: (x, o) => y(hg.maskedMean(x.x!, x.words!, o)),
  meanEmbedding: (x, o) => y(hg.maskedMean(hg.embedding(x.words!, x.w!, o), x.words!, o)),
  gru: (x, o) => {
    if ("weightIh0" in x) return recurrence(hg.gru(x.x!, layersOf(x), { ...o, lengths: x.lengths }));
    const w = {
      weightIh: x.weightIh!,
      weightHh: x.weightHh!,
      ...(x.biasIh && x.biasHh ? { biasIh: x.biasIh, biasHh: x.biasHh } : {}),
    };
    const { output, hidden } = hg.gru(x.x!, w, { ...o, lengths: x.lengths, h0: x.h0 });
    return { y: output, hidden };
  },
  concatFusion: (x) => y(hg.fuse(list(x), "concat", { present: x.present })),
  averageFusion: (x) => y(hg.fuse(list(x), "average", { present: x.present })),
  weightedFusion: (x) => y(hg.fuse(list(x), "weighted", { present: x.present, weights: x.weights })),
  add: (x) => y(hg.add(x.a!, x.b!)),
  sub: (x) => y(hg.sub(x.a!, x.b!)),
  mul: (x) => y(hg.mul(x.a!, x.b!)),
  div: (x) => y(hg.div(x.a!, x.b!)),
  sum: (x, o) => y(hg.sum(x.x!, o)),
  mean: (x, o) => y(hg.mean(x.x!, o)),
  concat: (x, o) => y(hg.concat(list(x), o)),
  reshape: (x, o) => y(hg.reshape(x.x!, o.shape)),
  relu: (x) => y(hg.relu(x.x!)),
  tanh: (x) => y(hg.tanh(x.x!)),
  sigmoid: (x) => y(hg.sigmoid(x.x!)),
  softmax: (x) => y(hg.softmax(x.x!)),
  logSoftmax: (x) => y(hg.logSoftmax(x.x!)),
  crossEntropy: (x, o) => loss(hg.crossEntropy(x.logits!, x.labels!, { ...o, weights: x.weights })),
  mse: (x) => loss(hg.mse(x.x!, x.target!)),
  bceWithLogits: (x) => loss(hg.binaryCrossEntropyWithLogits(x.x!, x.target!)),
  // The fixture's weights multiply the rewards' sizes, which are weights here.
  feedbackLoss: (x) =>
    loss(hg.feedbackLoss(x.logits!, x.actions!, x.weights ? hg.mul(x.rewards!, x.weights) : x.rewards!)),
  policyGradient: (x, o) =>
    loss(
      hg.policyGradient(x.logits!, x.actions!, x.advantages!, { ...o, referenceLogits: x.referenceLogProbabilities }),
    ),
  neg: (x) => y(hg.neg(x.x!)),
  exp: (x) => y(hg.exp(x.x!)),
  log: (x) => y(hg.log(x.x!)),
  sqrt: (x) => y(hg.sqrt(x.x!)),
  abs: (x) => y(hg.abs(x.x!)),
  gelu: (x) => y(hg.gelu(x.x!)),
  silu: (x) => y(hg.silu(x.x!)),
  softplus: (x) => y(hg.softplus(x.x!)),
  globalAvgPool2d: (x) => y(hg.globalAvgPool2d(x.x!)),
  leakyRelu: (x, o) => y(hg.leakyRelu(x.x!, o)),
  clamp: (x, o) => y(hg.clamp(x.x!, o)),
  slice: (x, o) => y(hg.slice(x.x!, o)),
  max: (x, o) => y(hg.max(x.x!, o)),
  min: (x, o) => y(hg.min(x.x!, o)),
  argmax: (x, o) => y(hg.argmax(x.x!, o)),
  variance: (x, o) => y(hg.variance(x.x!, o)),
  logSumExp: (x, o) => y(hg.logSumExp(x.x!, o)),
  flatten: (x, o) => y(hg.flatten(x.x!, o)),
  pow: (x) => y(hg.pow(x.a!, x.b!)),
  maximum: (x) => y(hg.maximum(x.a!, x.b!)),
  minimum: (x) => y(hg.minimum(x.a!, x.b!)),
  where: (x) => y(hg.where(x.condition!, x.a!, x.b!)),
  conv1d: (x, o) => y(hg.conv1d(x.x!, x.w!, x.b, o)),
  permute: (x, o) => y(hg.permute(x.x!, o.axes)),
  transpose: (x, o) => y(hg.transpose(x.x!, o.a, o.b)),
  split: (x, o) => Object.fromEntries(hg.split(x.x!, o.size, { axis: o.axis }).map((t, i) => [`y${i}`, t])),
  stack: (x, o) => y(hg.stack(list(x), o)),
  expand: (x, o) => y(hg.expand(x.x!, o.shape)),
  pad: (x, o) => y(hg.pad(x.x!, o.padding, { value: o.value })),
  gather: (x, o) => y(hg.gather(x.x!, x.index!, o)),
  indexSelect: (x, o) => y(hg.indexSelect(x.x!, x.index!, o)),
  layerNorm: (x, o) => y(hg.layerNorm(x.x!, x.w, x.b, o)),
  batchNorm2d: (x, o) =>
    y(
      hg.batchNorm2d(x.x!, x.w, x.b, {
        ...o,
        ...(x.mean && x.variance ? { running: { mean: x.mean, variance: x.variance } } : {}),
      }),
    ),
  huber: (x, o) => loss(hg.huber(x.x!, x.target!, o)),
  klDivergence: (x, o) => loss(hg.klDivergence(x.x!, x.target!, o)),
  rnn: (x, o) => recurrence(hg.rnn(x.x!, layersOf(x), { ...o, lengths: x.lengths })),
  lstm: (x, o) => recurrence(hg.lstm(x.x!, layersOf(x), { ...o, lengths: x.lengths })),
};

const optimizerOps = ["sgd", "adam", "rmsprop", "adamW", "clipGradientNorm"];
const cases = [fixture, wide].flatMap((file) => (file as unknown as { cases: OpCase[] }).cases);

export const opCases: Case[] = cases
  .filter(({ op }) => !optimizerOps.includes(op))
  .map(({ op, name, options, inputs, outputs, dy, gradients }) => ({
    name: `${op}: ${name}`,
    async run(engine) {
      const tensors: Inputs = {};
      for (const [key, { data, shape, dtype }] of Object.entries(inputs)) {
        const learned = key in gradients;
        tensors[key] = learned ? engine.parameter(data, shape) : engine.tensor(data, shape, dtype as "f32" | "i32");
      }
      const call = calls[op];
      if (!call) throw new Error(`no call for the op ${op}`);
      const twice = async () => {
        const result = await engine.step(() => {
          const found = call(tensors, options);
          // Σ dy · y over all outputs is what the fixture differentiates.
          if (Object.keys(gradients).length === 0 || Object.values(found).every((t) => t.dtype !== "f32"))
            return { found, grads: {} };
          const total = Object.entries(found)
            .map(([key, value]) => hg.sum(hg.mul(value, engine.tensor(dy[key]!.data, dy[key]!.shape))))
            .reduce((a, b) => hg.add(a, b));
          const all = total.backward();
          const grads = Object.fromEntries(Object.keys(gradients).map((key) => [key, all.get(tensors[key]!)]));
          return { found, grads };
        });
        const read = async (set: Inputs) =>
          Promise.all(Object.entries(set).map(async ([key, t]) => [key, t.shape, await t.data()] as const));
        return { found: await read(result.found), grads: await read(result.grads) };
      };
      const first = await twice();
      for (const [key, shape, data] of first.found) {
        expectEqual(`the shape of ${key}`, shape, outputs[key]!.shape);
        expectClose(key, data, outputs[key]!.data);
      }
      for (const [key, shape, data] of first.grads) {
        expectEqual(`the shape of d${key}`, shape, gradients[key]!.shape);
        expectClose(`d${key}`, data, gradients[key]!.data);
      }
      expectEqual("a second run", JSON.stringify(await twice()), JSON.stringify(first));
    },
  }));

export const optimizerCases: Case[] = cases
  .filter(({ op, options }) => ["sgd", "adam", "adamW", "rmsprop"].includes(op) && !("dampening" in options))
  .map(({ op, name, options, inputs, outputs }) => ({
    name: `${op}: ${name}`,
    async run(engine) {
      const { eps, ...rest } = options;
      const make = { sgd: hg.sgd, adam: hg.adam, adamW: hg.adamw, rmsprop: hg.rmsprop }[op as "sgd"];
      const w = engine.parameter(inputs.w!.data, inputs.w!.shape);
      // A second parameter behind the first, without gradients, that must not change.
      const other = engine.parameter([1, 2, 3], [3]);
      const optimizer = make([w, other], { ...rest, ...(eps === undefined ? {} : { eps: eps }) });
      const size = inputs.w!.data.length;
      for (let step = 0; step < 10; step++) {
        const g = engine.tensor(inputs.gradients!.data.slice(step * size, (step + 1) * size), [size]);
        await engine.step(() => {
          optimizer.update(hg.sum(hg.mul(w, g)).backward());
        });
        expectClose(
          `step ${step + 1}`,
          await w.data(),
          outputs.trajectory!.data.slice(step * size, (step + 1) * size),
          1e-5,
        );
      }
      expectEqual("the parameter without gradients", [...(await other.data())], [1, 2, 3]);
      optimizer.dispose();
    },
  }));

export const clippingCases: Case[] = cases
  .filter(({ op }) => op === "clipGradientNorm")
  .map(({ op, name, options, inputs, outputs }) => ({
    name: `${op}: ${name}`,
    async run(engine) {
      const parameters = Object.values(inputs).map(({ data, shape }) =>
        engine.parameter(
          data.map(() => 0),
          shape,
        ),
      );
      const gradients = Object.values(inputs).map(({ data, shape }) => engine.tensor(data, shape));
      // From zeros a step of rate 1 goes to the clipped gradients' negatives.
      const optimizer = hg.sgd(parameters, { lr: 1, clipNorm: options.maxNorm as number });
      await engine.step(() => {
        const loss = parameters.map((p, i) => hg.sum(hg.mul(p, gradients[i]!))).reduce((a, b) => hg.add(a, b));
        optimizer.update(loss.backward());
      });
      for (const [i, key] of Object.keys(inputs).entries())
        expectClose(
          key,
          (await parameters[i]!.data()).map((x) => -x),
          outputs[key]!.data,
        );
    },
  }));
