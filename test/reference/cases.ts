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

/** All cases of ops.json, or those of one op. */
export const cases = (op?: string): Case[] =>
  (readFixture("ops.json").cases as Case[]).filter((c) => op === undefined || c.op === op);

export const fromStored = ({ shape, data }: Stored): Array64 => array(shape, data);

type Arrays = Record<string, Array64>;
/** x0, x1, … in order. */
const numbered = (i: Arrays): Array64[] =>
  Object.keys(i)
    .filter((k) => /^[xg]\d+$/.test(k))
    .map((k) => i[k]!);

/** Every step of an optimiser: w after each of the gradients [steps, n]. */
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

const { crossEntropy, judged, policyGradient } = reference;

/** What the reference gives for a case's inputs and options, by output name. */
// biome-ignore lint/suspicious/noExplicitAny: as above.
const run: Record<string, (inputs: Arrays, options: any) => Arrays> = {
  matmul: (i, o) => ({ y: reference.matmul(i.a!, i.b!, o) }),
  linear: (i, o) => ({ y: reference.linear(i.x!, i.w!, i.b, o) }),
  conv2d: (i, o) => ({ y: reference.conv2d(i.x!, i.w!, i.b, o) }),
  maxPool2d: (i, o) => ({ y: reference.maxPool2d(i.x!, o) }),
  averagePool2d: (i, o) => ({ y: reference.averagePool2d(i.x!, o) }),
  embedding: (i) => ({ y: reference.embedding(i.ids!, i.w!) }),
  maskedMean: (i, o) => ({ y: reference.maskedMean(i.x!, i.words!, o) }),
  meanEmbedding: (i, o) => ({ y: reference.meanEmbedding(i.words!, i.w!, o) }),
  gru: (i, o) => ({ ...reference.gru(i as unknown as reference.GruInputs, o) }),
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
  crossEntropy: (i) => ({ loss: crossEntropy(i.logits!, i.labels!, i.weights) }),
  mse: (i) => ({ loss: reference.mse(i.x!, i.target!) }),
  bceWithLogits: (i) => ({ loss: reference.bceWithLogits(i.x!, i.target!) }),
  judged: (i) => ({ loss: judged(i.logits!, i.actions!, i.rewards!, i.weights) }),
  policyGradient: (i, o) => ({
    loss: policyGradient(i.logits!, i.actions!, i.advantages!, o, i.referenceLogProbabilities),
  }),
  sgd: (i, o) => trajectory(reference.sgd(o), i),
  adam: (i, o) => trajectory(reference.adam(o), i),
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
