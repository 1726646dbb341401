import type { HostArray } from "../gpu/index.ts";
import { activation } from "../kernels/activation.ts";
import { type Arithmetic, arithmetic } from "../kernels/arithmetic.ts";
import { concat as concatKernel } from "../kernels/concat.ts";
import { type Conv2dOptions, conv2d as conv2dKernel } from "../kernels/conv2d.ts";
import { type CrossEntropyOptions, crossEntropy as crossEntropyKernel } from "../kernels/crossEntropy.ts";
import { dropModalities as dropModalitiesKernel, dropout as dropoutKernel } from "../kernels/dropout.ts";
import { type Elementwise, elementwise } from "../kernels/elementwise.ts";
import { embedding as embeddingKernel } from "../kernels/embedding.ts";
import { expand as expandKernel } from "../kernels/expand.ts";
import { argmax as argmaxKernel, extreme as extremeKernel } from "../kernels/extreme.ts";
import { type Fusion, fuse as fuseKernel } from "../kernels/fuse.ts";
import { gather as gatherKernel } from "../kernels/gather.ts";
import { judged as judgedKernel } from "../kernels/judged.ts";
import { layerNorm as layerNormKernel } from "../kernels/layerNorm.ts";
import { linear as linearKernel } from "../kernels/linear.ts";
import type { Reduction } from "../kernels/loss.ts";
import { maskedMean as maskedMeanKernel } from "../kernels/maskedMean.ts";
import { type Activation, count, show } from "../kernels/op.ts";
import { type PolicyGradientOptions, policyGradient as policyGradientKernel } from "../kernels/policyGradient.ts";
import { type PoolOptions, pool2d } from "../kernels/pool.ts";
import { type ReduceOptions, sum as sumKernel } from "../kernels/reduce.ts";
import { regression } from "../kernels/regression.ts";
import { reshape as reshapeKernel } from "../kernels/reshape.ts";
import { categorical as categoricalKernel } from "../kernels/sample.ts";
import { softmax as softmaxKernel } from "../kernels/softmax.ts";
import {
  pad as padKernel,
  permute as permuteKernel,
  type SliceOptions,
  slice as sliceKernel,
} from "../kernels/strided.ts";
import { where as whereKernel } from "../kernels/where.ts";
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
export const pow = binary("pow");

const unary =
  (kind: Exclude<Activation, "none">) =>
  (x: Tensor): Tensor =>
    one(kind, activation, [x], { kind });
export const relu = unary("relu");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");

const map =
  (kind: Exclude<Elementwise, "leakyRelu" | "clamp">) =>
  (x: Tensor): Tensor =>
    one(kind, elementwise, [x], { kind });
export const neg = map("neg");
export const exp = map("exp");
export const log = map("log");
export const sqrt = map("sqrt");
export const abs = map("abs");
export const gelu = map("gelu");
export const silu = map("silu");
export const softplus = map("softplus");
export const leakyRelu = (x: Tensor, options: { slope?: number } = {}): Tensor =>
  one("leakyRelu", elementwise, [x], { kind: "leakyRelu", p: options.slope ?? 0.01 });
export const clamp = (x: Tensor, options: { min?: number; max?: number }): Tensor =>
  one("clamp", elementwise, [x], { kind: "clamp", p: options.min ?? -Infinity, q: options.max ?? Infinity });
/** `condition ? a : b`; a condition is anything but 0, of any type. */
export const where = (condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor => {
  const tensor = (x: Tensor | number) => (typeof x === "number" ? asTensor("where", [x], condition, "f32", []) : x);
  return one("where", whereKernel, [condition, tensor(a), tensor(b)], {});
};

export const softmax = (x: Tensor): Tensor => one("softmax", softmaxKernel, [x], { log: false });
export const logSoftmax = (x: Tensor): Tensor => one("logSoftmax", softmaxKernel, [x], { log: true });

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

export const concat = (inputs: readonly Tensor[], options: { axis?: number } = {}): Tensor =>
  one("concat", concatKernel, [...inputs], { axis: options.axis ?? 0 });
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => one("reshape", reshapeKernel, [x], { shape });
/** All axes from `start` on as one. */
export const flatten = (x: Tensor, options: { start?: number } = {}): Tensor => {
  const start = options.start ?? 0;
  return reshape(x, [...x.shape.slice(0, start), count(x.shape.slice(start))]);
};

/** The axes in another order. */
export const permute = (x: Tensor, axes: readonly number[]): Tensor => one("permute", permuteKernel, [x], { axes });
/** Two axes swapped: the last two unless named. */
export const transpose = (x: Tensor, a = -2, b = -1): Tensor => {
  const rank = x.shape.length;
  const [i, j] = [a < 0 ? a + rank : a, b < 0 ? b + rank : b];
  if (![i, j].every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank))
    throw new TypeError(`transpose: axes ${a} and ${b} are not both axes of x ${show(x)}.`);
  return permute(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  );
};
export const slice = (x: Tensor, options: SliceOptions): Tensor => one("slice", sliceKernel, [x], options);
/** Pieces one after another along `axis`: of `size` each (the last may be shorter), or of the sizes listed. */
export function split(x: Tensor, size: number | readonly number[], options: { axis?: number } = {}): Tensor[] {
  const { axis = 0 } = options;
  const length = x.shape.at(axis);
  if (length === undefined || axis >= x.shape.length)
    throw new TypeError(`split: axis ${axis} is outside of x ${show(x)}.`);
  if (typeof size === "number" && !(Number.isInteger(size) && size > 0))
    throw new TypeError(`split: size is ${size}, expected a whole number of at least 1.`);
  const sizes =
    typeof size === "number"
      ? Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size))
      : size;
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== length)
    throw new TypeError(
      `split: sizes [${sizes}] add up to ${total}, but x ${show(x)} has ${length} along axis ${axis}.`,
    );
  let start = 0;
  return sizes.map((n) => {
    start += n;
    return slice(x, { axis, start: start - n, end: start });
  });
}
export const stack = (inputs: readonly Tensor[], options: { axis?: number } = {}): Tensor => {
  const [first] = inputs;
  if (!first) throw new TypeError("stack: there is no tensor to stack.");
  const rank = first.shape.length + 1;
  const axis = (options.axis ?? 0) < 0 ? options.axis! + rank : (options.axis ?? 0);
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank && inputs.every((x) => show(x) === show(first))))
    throw new TypeError(
      `stack: inputs ${inputs.map(show).join(", ")} along axis ${options.axis ?? 0}: expected equal shapes and an axis of 0 … ${rank - 1}.`,
    );
  return concat(
    inputs.map((x) => reshape(x, x.shape.toSpliced(axis, 0, 1))),
    { axis },
  );
};
export const expand = (x: Tensor, shape: readonly number[]): Tensor => one("expand", expandKernel, [x], { shape });
/** Numbers around x: before and after the last axis, then before and after the one in front of it, and so on. */
export function pad(x: Tensor, padding: readonly number[], options: { value?: number } = {}): Tensor {
  if (padding.length % 2 !== 0 || padding.length > 2 * x.shape.length)
    throw new TypeError(`pad: padding [${padding}] does not fit x ${show(x)}, expected two numbers an axis at most.`);
  const perAxis = x.shape.map((_, axis) => {
    const at = 2 * (x.shape.length - 1 - axis);
    return [padding[at] ?? 0, padding[at + 1] ?? 0] as const;
  });
  return one("pad", padKernel, [x], { padding: perAxis, value: options.value ?? 0 });
}
export const gather = (x: Tensor, index: Tensor, options: { axis?: number } = {}): Tensor =>
  one("gather", gatherKernel, [x, index], { axis: options.axis ?? 0, each: true });
export const indexSelect = (x: Tensor, index: Numbers, options: { axis?: number } = {}): Tensor =>
  one("indexSelect", gatherKernel, [x, asTensor("indexSelect", index, x, "i32")], {
    axis: options.axis ?? 0,
    each: false,
  });

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

export const max = (x: Tensor, options: ReduceOptions = {}): Tensor =>
  one("max", extremeKernel, [x], { ...options, kind: "max" });
export const min = (x: Tensor, options: ReduceOptions = {}): Tensor =>
  one("min", extremeKernel, [x], { ...options, kind: "min" });
export const argmax = (x: Tensor, options: { axis?: number; keepDims?: boolean } = {}): Tensor =>
  one("argmax", argmaxKernel, [x], options);
export const layerNorm = (x: Tensor, w?: Tensor, b?: Tensor, options: { epsilon?: number } = {}): Tensor =>
  one("layerNorm", layerNormKernel, [x, w, b], options);
/** A class for each row of logits, drawn by softmax(logits). */
export const categorical = (logits: Tensor): Tensor => one("categorical", categoricalKernel, [logits], {});

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
export const huber = (x: Tensor, target: Numbers, options: { reduction?: Reduction; delta?: number } = {}): Tensor =>
  one("huber", regression, [x, asTensor("huber", target, x, "f32", x.shape)], { kind: "huber", ...options });
/** x holds log-probabilities, target probabilities, as in PyTorch's `kl_div`. */
export const klDivergence = (x: Tensor, target: Numbers, options: { reduction?: Reduction } = {}): Tensor =>
  one("klDivergence", regression, [x, asTensor("klDivergence", target, x, "f32", x.shape)], {
    kind: "klDivergence",
    ...options,
  });
