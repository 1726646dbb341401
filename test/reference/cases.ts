import { readFileSync } from "node:fs";
import * as reference from "./index.ts";
import { type Array64, array } from "./index.ts";

/** An array as the fixtures store it. */
export interface Stored {
  shape: number[];
  data: number[];
  dtype: "f32" | "i32";
}

/** One case of ops.json: gradients are those of Σ dy·y over all outputs. */
export interface Case {
  op: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: each op has its own options, and the op's tests know which.
  options: any;
  inputs: Record<string, Stored>;
  outputs: Record<string, Stored>;
  dy: Record<string, Stored>;
  gradients: Record<string, Stored>;
}

export const readFixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8"));

/** All cases of ops.json and wide.json, or those of one op. */
export const cases = (op?: string): Case[] =>
  ([...readFixture("ops.json").cases, ...readFixture("wide.json").cases] as Case[]).filter(
    (c) => op === undefined || c.op === op,
  );

export const fromStored = ({ shape, data }: Stored): Array64 => array(shape, data);

type Arrays = Record<string, Array64>;
/** x0, x1, … in order. */
const numbered = (i: Arrays): Array64[] =>
  Object.keys(i)
    .filter((k) => /^[xg]\d+$/.test(k))
    .map((k) => i[k]!);

/** Every step of an optimizer: w after each of the gradients [steps, n]. */
function trajectory(step: reference.Step, { w, gradients }: Arrays): Arrays {
  const path: Array64[] = [];
  for (let t = 0; t < gradients!.shape[0]!; t++)
    path.push(step(path.at(-1) ?? w!, array(w!.shape, reference.row(gradients!, t))));
  return {
    trajectory: array(
      gradients!.shape,
      path.flatMap((p) => [...p.data]),
    ),
  };
}

/** Weights are numbered: weightIh0, weightIh1, … */
function recurrence(cell: reference.Cell, i: Arrays, options: { bidirectional?: boolean; reverse?: boolean }): Arrays {
  const layers: reference.Layer[] = [];
  for (let n = 0; i[`weightIh${n}`]; n++)
    layers.push({
      weightIh: i[`weightIh${n}`]!,
      weightHh: i[`weightHh${n}`]!,
      biasIh: i[`biasIh${n}`]!,
      biasHh: i[`biasHh${n}`]!,
    });
  return { ...reference.layered(cell, i.x!, layers, options, i.lengths) };
}

const { crossEntropy, feedbackLoss, policyGradient } = reference;

/** What the reference gives for a case's inputs and options, by output name. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
const run: Record<string, (inputs: Arrays, options: any) => Arrays> = {
  matmul: (i, o) => ({ y: reference.matmulAny(i.a!, i.b!, o) }),
  linear: (i, o) => ({ y: reference.linear(i.x!, i.w!, i.b, o) }),
  conv2d: (i, o) => ({ y: reference.conv2d(i.x!, i.w!, i.b, o) }),
  maxPool2d: (i, o) => ({ y: reference.maxPool2d(i.x!, o) }),
  averagePool2d: (i, o) => ({ y: reference.averagePool2d(i.x!, o) }),
  embedding: (i) => ({ y: reference.embedding(i.ids!, i.w!) }),
  maskedMean: (i, o) => ({ y: reference.maskedMean(i.x!, i.words!, o) }),
  meanEmbedding: (i, o) => ({ y: reference.meanEmbedding(i.words!, i.w!, o) }),
  gru: (i, o) =>
    "weightIh0" in i
      ? recurrence(o.resetAfter ? "gru" : "gruBefore", i, o)
      : { ...reference.gru(i as unknown as reference.GruInputs, o) },
  rnn: (i, o) => recurrence(o.nonlinearity === "relu" ? "relu" : "rnn", i, o),
  lstm: (i, o) => recurrence("lstm", i, o),
  concatFusion: (i) => ({ y: reference.concatFusion(numbered(i), i.present) }),
  averageFusion: (i) => ({ y: reference.averageFusion(numbered(i), i.present) }),
  weightedFusion: (i) => ({ y: reference.weightedFusion(numbered(i), i.weights!, i.present) }),
  add: (i) => ({ y: reference.add(i.a!, i.b!) }),
  sub: (i) => ({ y: reference.sub(i.a!, i.b!) }),
  mul: (i) => ({ y: reference.mul(i.a!, i.b!) }),
  div: (i) => ({ y: reference.div(i.a!, i.b!) }),
  sum: (i, o) => ({ y: reference.sum(i.x!, o) }),
  mean: (i, o) => ({ y: reference.mean(i.x!, o) }),
  concat: (i, o) => ({ y: reference.concat(numbered(i), o) }),
  reshape: (i, o) => ({ y: reference.reshape(i.x!, o) }),
  relu: (i) => ({ y: reference.relu(i.x!) }),
  tanh: (i) => ({ y: reference.tanh(i.x!) }),
  sigmoid: (i) => ({ y: reference.sigmoid(i.x!) }),
  softmax: (i) => ({ y: reference.softmax(i.x!) }),
  logSoftmax: (i) => ({ y: reference.logSoftmax(i.x!) }),
  crossEntropy: (i, o) => ({ loss: crossEntropy(i.logits!, i.labels!, i.weights, o) }),
  mse: (i) => ({ loss: reference.mse(i.x!, i.target!) }),
  bceWithLogits: (i) => ({ loss: reference.bceWithLogits(i.x!, i.target!) }),
  feedbackLoss: (i) => ({ loss: feedbackLoss(i.logits!, i.actions!, i.rewards!, i.weights) }),
  policyGradient: (i, o) => ({
    loss: policyGradient(i.logits!, i.actions!, i.advantages!, o, i.referenceLogProbabilities),
  }),
  neg: (i) => ({ y: reference.neg(i.x!) }),
  exp: (i) => ({ y: reference.exp(i.x!) }),
  log: (i) => ({ y: reference.log(i.x!) }),
  sqrt: (i) => ({ y: reference.sqrt(i.x!) }),
  abs: (i) => ({ y: reference.abs(i.x!) }),
  gelu: (i) => ({ y: reference.gelu(i.x!) }),
  silu: (i) => ({ y: reference.silu(i.x!) }),
  softplus: (i) => ({ y: reference.softplus(i.x!) }),
  globalAvgPool2d: (i) => ({ y: reference.globalAvgPool2d(i.x!) }),
  leakyRelu: (i, o) => ({ y: reference.leakyRelu(i.x!, o) }),
  clamp: (i, o) => ({ y: reference.clamp(i.x!, o) }),
  permute: (i, o) => ({ y: reference.permute(i.x!, o) }),
  transpose: (i, o) => ({ y: reference.transpose(i.x!, o) }),
  slice: (i, o) => ({ y: reference.slice(i.x!, o) }),
  expand: (i, o) => ({ y: reference.expand(i.x!, o) }),
  pad: (i, o) => ({ y: reference.pad(i.x!, o) }),
  max: (i, o) => ({ y: reference.max(i.x!, o) }),
  min: (i, o) => ({ y: reference.min(i.x!, o) }),
  argmax: (i, o) => ({ y: reference.argmax(i.x!, o) }),
  variance: (i, o) => ({ y: reference.variance(i.x!, o) }),
  logSumExp: (i, o) => ({ y: reference.logSumExpOver(i.x!, o) }),
  flatten: (i, o) => ({ y: reference.flatten(i.x!, o) }),
  pow: (i) => ({ y: reference.pow(i.a!, i.b!) }),
  maximum: (i) => ({ y: reference.maximum(i.a!, i.b!) }),
  minimum: (i) => ({ y: reference.minimum(i.a!, i.b!) }),
  where: (i) => ({ y: reference.where(i.condition!, i.a!, i.b!) }),
  conv1d: (i, o) => ({ y: reference.conv1d(i.x!, i.w!, i.b, o) }),
  split: (i, o) => Object.fromEntries(reference.split(i.x!, o).map((y, n) => [`y${n}`, y])),
  stack: (i, o) => ({ y: reference.stack(numbered(i), o) }),
  gather: (i, o) => ({ y: reference.gather(i.x!, i.index!, o) }),
  indexSelect: (i, o) => ({ y: reference.indexSelect(i.x!, i.index!, o) }),
  layerNorm: (i, o) => ({ y: reference.layerNorm(i.x!, i.w, i.b, o) }),
  batchNorm2d: (i, o) => ({
    y: reference.batchNorm2d(i.x!, i.w!, i.b!, o, i.mean && { mean: i.mean, variance: i.variance! }),
  }),
  huber: (i, o) => ({ loss: reference.huber(i.x!, i.target!, o) }),
  klDivergence: (i, o) => ({ loss: reference.klDivergence(i.x!, i.target!, o) }),
  sgd: (i, o) => trajectory(reference.sgd(o), i),
  adam: (i, o) => trajectory(reference.adam(o), i),
  rmsprop: (i, o) => trajectory(reference.rmsprop(o), i),
  adamW: (i, o) => trajectory(reference.adamW(o), i),
  clipGradientNorm: (i, { maxNorm }) => {
    const { gradients, norm } = reference.clipGradientNorm(numbered(i), maxNorm);
    return { ...Object.fromEntries(gradients.map((g, n) => [`g${n}`, g])), norm: reference.scalar(norm) };
  },
};

export function runReference({ op, options }: Case, inputs: Arrays): Arrays {
  const forward = run[op];
  if (!forward) throw new Error(`no reference of ${op}`);
  return forward(inputs, options);
}
