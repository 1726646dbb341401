import type { HostArray } from "../gpu/index.ts";
import { activation } from "../kernels/activation.ts";
import { type Arithmetic, arithmetic } from "../kernels/arithmetic.ts";
import { concat as concatKernel } from "../kernels/concat.ts";
import { type Conv2dOptions, conv2d as conv2dKernel } from "../kernels/conv2d.ts";
import { type CrossEntropyOptions, crossEntropy as crossEntropyKernel } from "../kernels/crossEntropy.ts";
import { dropModalities as dropModalitiesKernel, dropout as dropoutKernel } from "../kernels/dropout.ts";
import { embedding as embeddingKernel } from "../kernels/embedding.ts";
import { type Fusion, fuse as fuseKernel } from "../kernels/fuse.ts";
import { type GruOptions, gru as gruKernel } from "../kernels/gru.ts";
import { judged as judgedKernel } from "../kernels/judged.ts";
import { linear as linearKernel } from "../kernels/linear.ts";
import type { Reduction } from "../kernels/loss.ts";
import { maskedMean as maskedMeanKernel } from "../kernels/maskedMean.ts";
import { matmul as matmulKernel } from "../kernels/matmul.ts";
import { type Activation, count } from "../kernels/op.ts";
import { type PolicyGradientOptions, policyGradient as policyGradientKernel } from "../kernels/policyGradient.ts";
import { type PoolOptions, pool2d } from "../kernels/pool.ts";
import { type ReduceOptions, sum as sumKernel } from "../kernels/reduce.ts";
import { regression } from "../kernels/regression.ts";
import { reshape as reshapeKernel } from "../kernels/reshape.ts";
import { softmax as softmaxKernel } from "../kernels/softmax.ts";
import { apply, asTensor } from "./apply.ts";
import type { Tensor } from "./tensor.ts";

/*
 * The functions that users call, named as in PyTorch. Each is documented with its equation in its file in `kernels`.
 * Labels, ids and the like may be tensors or plain typed arrays; a number beside a tensor is a tensor of one number.
 */

export type Numbers = Tensor | HostArray | readonly number[];

const one = <O>(name: string, op: Parameters<typeof apply<O>>[1], inputs: (Tensor | undefined)[], options: O): Tensor =>
  apply(name, op, inputs, options)[0]!;

const binary =
  (kind: Arithmetic) =>
  (a: Tensor | number, b: Tensor | number): Tensor => {
    const like = typeof a === "number" ? b : a;
    if (typeof like === "number")
      throw new TypeError(`${kind}: both arguments are plain numbers, expected at least one tensor.`);
    const tensor = (x: Tensor | number) => (typeof x === "number" ? asTensor(kind, [x], like, "f32", []) : x);
    return one(kind, arithmetic, [tensor(a), tensor(b)], { kind });
  };
export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
export const maximum = binary("maximum");
export const minimum = binary("minimum");

const unary =
  (kind: Exclude<Activation, "none">) =>
  (x: Tensor): Tensor =>
    one(kind, activation, [x], { kind });
export const relu = unary("relu");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");

export const softmax = (x: Tensor): Tensor => one("softmax", softmaxKernel, [x], { log: false });
export const logSoftmax = (x: Tensor): Tensor => one("logSoftmax", softmaxKernel, [x], { log: true });

export const matmul = (a: Tensor, b: Tensor, options: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor =>
  one("matmul", matmulKernel, [a, b], options);
export const linear = (x: Tensor, w: Tensor, b?: Tensor, options: { activation?: Activation } = {}): Tensor =>
  one("linear", linearKernel, [x, w, b], options);

export const conv2d = (x: Tensor, w: Tensor, b?: Tensor, options: Conv2dOptions = {}): Tensor =>
  one("conv2d", conv2dKernel, [x, w, b], options);
export const maxPool2d = (x: Tensor, options: PoolOptions): Tensor =>
  one("maxPool2d", pool2d, [x], { ...options, kind: "max" });
export const avgPool2d = (x: Tensor, options: PoolOptions): Tensor =>
  one("avgPool2d", pool2d, [x], { ...options, kind: "average" });

export const embedding = (ids: Numbers, w: Tensor, options: { paddingIdx?: number } = {}): Tensor =>
  one("embedding", embeddingKernel, [asTensor("embedding", ids, w, "i32"), w], options);
export const maskedMean = (x: Tensor, words: Numbers, options: { paddingIdx?: number } = {}): Tensor =>
  one("maskedMean", maskedMeanKernel, [x, asTensor("maskedMean", words, x, "i32", x.shape.slice(0, 2))], options);

export interface GruWeights {
  weightIh: Tensor;
  weightHh: Tensor;
  /** Both biases or none. */
  biasIh?: Tensor;
  biasHh?: Tensor;
}
export function gru(
  x: Tensor,
  w: GruWeights,
  options: GruOptions & { lengths?: Numbers | undefined; h0?: Tensor | undefined } = {},
): { output: Tensor; hidden: Tensor } {
  const { lengths, h0, ...rest } = options;
  const ends = lengths && asTensor("gru", lengths, x, "i32");
  const [output, hidden] = apply("gru", gruKernel, [x, w.weightIh, w.weightHh, w.biasIh, w.biasHh, ends, h0], rest);
  return { output: output!, hidden: hidden! };
}

export const concat = (inputs: readonly Tensor[], options: { axis?: number } = {}): Tensor =>
  one("concat", concatKernel, [...inputs], { axis: options.axis ?? 0 });
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => one("reshape", reshapeKernel, [x], { shape });
/** All axes from `start` on as one. */
export const flatten = (x: Tensor, options: { start?: number } = {}): Tensor => {
  const start = options.start ?? 0;
  return reshape(x, [...x.shape.slice(0, start), count(x.shape.slice(start))]);
};

export interface FuseInputs {
  present?: Numbers | undefined;
  weights?: Tensor | undefined;
}
export function fuse(features: readonly Tensor[], fusion: Fusion, { present, weights }: FuseInputs = {}): Tensor {
  const M = features.length;
  const mask = present && asTensor("fuse", present, features[0]!, "f32", [features[0]!.shape[0]!, M]);
  return one("fuse", fuseKernel, [...features, mask, weights], { fusion, modalities: M });
}

export const dropout = (x: Tensor, options: { p: number }): Tensor =>
  options.p === 0 ? x : one("dropout", dropoutKernel, [x], options);
export const dropModalities = (present: Tensor, options: { p: number }): Tensor =>
  one("dropModalities", dropModalitiesKernel, [present], options);

export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => one("sum", sumKernel, [x], options);
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor =>
  one("mean", sumKernel, [x], { ...options, mean: true });

export function crossEntropy(
  logits: Tensor,
  labels: Numbers,
  options: CrossEntropyOptions & { weights?: Numbers | undefined } = {},
): Tensor {
  const { weights, ...rest } = options;
  const rows = weights && asTensor("crossEntropy", weights, logits, "f32");
  return one("crossEntropy", crossEntropyKernel, [logits, asTensor("crossEntropy", labels, logits, "i32"), rows], rest);
}
export function judged(
  logits: Tensor,
  actions: Numbers,
  rewards: Numbers,
  options: { noise?: number; reduction?: Reduction } = {},
): Tensor {
  const { noise = 0, ...rest } = options;
  if (!(noise >= 0 && noise < 0.5))
    throw new TypeError(`judged: noise is ${noise}, expected at least 0 and under 0.5.`);
  const given = asTensor("judged", actions, logits, "i32");
  return one(
    "judged",
    judgedKernel,
    [logits, given, asTensor("judged", rewards, logits, "f32"), asTensor("judged", [noise], logits, "f32")],
    rest,
  );
}
export function policyGradient(
  logits: Tensor,
  actions: Numbers,
  advantages: Numbers,
  options: PolicyGradientOptions & { klTo?: Numbers | undefined } = {},
): Tensor {
  const { klTo, ...rest } = options;
  const given = asTensor("policyGradient", actions, logits, "i32");
  const leash = klTo && asTensor("policyGradient", klTo, logits, "f32", logits.shape);
  return one(
    "policyGradient",
    policyGradientKernel,
    [logits, given, asTensor("policyGradient", advantages, logits, "f32"), leash],
    rest,
  );
}
export const mse = (x: Tensor, target: Numbers, options: { reduction?: Reduction } = {}): Tensor =>
  one("mse", regression, [x, asTensor("mse", target, x, "f32", x.shape)], { kind: "mse", ...options });
export const binaryCrossEntropyWithLogits = (
  x: Tensor,
  target: Numbers,
  options: { reduction?: Reduction } = {},
): Tensor =>
  one(
    "binaryCrossEntropyWithLogits",
    regression,
    [x, asTensor("binaryCrossEntropyWithLogits", target, x, "f32", x.shape)],
    { kind: "binaryCrossEntropy", ...options },
  );
