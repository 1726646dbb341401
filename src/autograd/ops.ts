import { checkList, checkName, checkNumber, checkOptions, type Known, number } from "../check.ts";
import type { HostArray } from "../gpu/index.ts";
import { activation } from "../kernels/activation.ts";
import { type Arithmetic, arithmetic } from "../kernels/arithmetic.ts";
import { show } from "../kernels/checks.ts";
import { concat as concatKernel } from "../kernels/concat.ts";
import { type Conv2dOptions, conv2d as conv2dKernel, conv2dOptions } from "../kernels/conv2d/index.ts";
import {
  type CrossEntropyOptions,
  crossEntropy as crossEntropyKernel,
  crossEntropyOptions,
} from "../kernels/crossEntropy.ts";
import { dropModalities as dropModalitiesKernel, dropout as dropoutKernel } from "../kernels/dropout.ts";
import { type Elementwise, elementwise } from "../kernels/elementwise.ts";
import { type ElementwiseLoss, elementwiseLoss } from "../kernels/elementwiseLoss.ts";
import { embedding as embeddingKernel } from "../kernels/embedding/index.ts";
import { expand as expandKernel } from "../kernels/expand.ts";
import { type FuseKind, fuse as fuseKernel, fusions } from "../kernels/fuse.ts";
import { gather as gatherKernel } from "../kernels/gather.ts";
import { judged as judgedKernel } from "../kernels/judged.ts";
import { layerNorm as layerNormKernel } from "../kernels/layerNorm.ts";
import {
  pad as padKernel,
  permute as permuteKernel,
  type SliceOptions,
  slice as sliceKernel,
  sliceOptions,
} from "../kernels/layout.ts";
import { linear as linearKernel } from "../kernels/linear.ts";
import type { Reduction } from "../kernels/loss.ts";
import { maskedMean as maskedMeanKernel } from "../kernels/maskedMean.ts";
import { argmax as argmaxKernel, minmax as minmaxKernel } from "../kernels/minmax.ts";
import { count } from "../kernels/op.ts";
import {
  type PolicyGradientOptions,
  policyGradient as policyGradientKernel,
  policyGradientOptions,
} from "../kernels/policyGradient.ts";
import { type PoolOptions, pool2d, poolOptions } from "../kernels/pool/index.ts";
import { type ReduceOptions, reduceOptions, sum as sumKernel } from "../kernels/reduce.ts";
import { reshape as reshapeKernel } from "../kernels/reshape.ts";
import { categorical as categoricalKernel } from "../kernels/sample.ts";
import type { Activation } from "../kernels/snippets.ts";
import { softmax as softmaxKernel } from "../kernels/softmax.ts";
import { where as whereKernel } from "../kernels/where.ts";
import { apply, asTensor, expectTensor, noMore } from "./apply.ts";
import { noGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/*
 * The functions that users call, named as in PyTorch. Each is documented with its equation in its file in `kernels`.
 * Labels, ids and the like may be tensors or plain typed arrays; a number beside a tensor is a tensor of one number.
 */

export type TensorLike = Tensor | HostArray | readonly number[];

/** An op of one output; `needed` as in `apply`. */
const applySingle = <O>(
  name: string,
  op: Parameters<typeof apply<O>>[1],
  inputs: (Tensor | undefined)[],
  options: O,
  needed = inputs.length,
): Tensor => apply(name, op, inputs, options, needed)[0]!;

type AxisOptions = { axis?: number };
const axisOptions: Known<AxisOptions> = { axis: true };
function axisOf(name: string, { axis = 0 }: AxisOptions): number {
  checkNumber(name, "axis", axis, number.whole);
  return axis;
}

const binary =
  (kind: Arithmetic): ((a: Tensor | number, b: Tensor | number) => Tensor) =>
  (a, b, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    const like = typeof a === "number" ? b : a;
    if (typeof like === "number")
      throw new TypeError(`${kind}: both arguments are plain numbers, expected at least one tensor.`);
    const tensor = (x: Tensor | number) => (typeof x === "number" ? asTensor(kind, "number", [x], like, "f32", []) : x);
    return applySingle(kind, arithmetic, [tensor(a), tensor(b)], { kind });
  };
export const add = binary("add");
export const sub = binary("sub");
export const mul = binary("mul");
export const div = binary("div");
export const maximum = binary("maximum");
export const minimum = binary("minimum");
export const pow = binary("pow");

const unary =
  (kind: Exclude<Activation, "none">): ((x: Tensor) => Tensor) =>
  (x, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    return applySingle(kind, activation, [x], { kind });
  };
export const relu = unary("relu");
export const tanh = unary("tanh");
export const sigmoid = unary("sigmoid");

const map =
  (kind: Exclude<Elementwise, "leakyRelu" | "clamp">): ((x: Tensor) => Tensor) =>
  (x, extra?: unknown, array?: unknown) => {
    noMore(kind, extra, array);
    return applySingle(kind, elementwise, [x], { kind });
  };
export const neg = map("neg");
export const exp = map("exp");
export const log = map("log");
export const sqrt = map("sqrt");
export const abs = map("abs");
export const gelu = map("gelu");
export const silu = map("silu");
export const softplus = map("softplus");
const slopeOptions: Known<{ negativeSlope?: number }> = { negativeSlope: true };
export const leakyRelu = (x: Tensor, options: { negativeSlope?: number } = {}): Tensor => {
  checkOptions("leakyRelu", options, slopeOptions);
  const { negativeSlope = 0.01 } = options;
  checkNumber("leakyRelu", "negativeSlope", negativeSlope, number.finite);
  return applySingle("leakyRelu", elementwise, [x], { kind: "leakyRelu", p: negativeSlope });
};
const clampOptions: Known<{ min?: number; max?: number }> = { min: true, max: true };
export const clamp = (x: Tensor, options: { min?: number; max?: number }): Tensor => {
  checkOptions("clamp", options, clampOptions);
  if (options?.min === undefined && options?.max === undefined)
    throw new TypeError("clamp: neither min nor max is given, expected at least one of them.");
  const { min = -Infinity, max = Infinity } = options;
  checkNumber("clamp", "min", min, number.bound);
  checkNumber("clamp", "max", max, number.bound);
  return applySingle("clamp", elementwise, [x], { kind: "clamp", p: min, q: max });
};
/** `condition ? a : b`; a condition is anything but 0, of any type. */
export const where: (condition: Tensor, a: Tensor | number, b: Tensor | number) => Tensor = (
  condition,
  a,
  b,
  extra?: unknown,
) => {
  noMore("where", extra);
  const tensor = (x: Tensor | number) =>
    typeof x === "number" ? asTensor("where", "number", [x], condition, "f32", []) : x;
  return applySingle("where", whereKernel, [condition, tensor(a), tensor(b)], {});
};

/** The kernel goes over the last axis: another one is brought there, and back. */
const alongAxis =
  (name: "softmax" | "logSoftmax") =>
  (x: Tensor, options: AxisOptions = {}): Tensor => {
    checkOptions(name, options, axisOptions);
    const settings = { log: name === "logSoftmax" };
    const { axis = -1 } = options;
    if (axis === -1) return applySingle(name, softmaxKernel, [x], settings);
    checkNumber(name, "axis", axis, number.whole);
    expectTensor(name, "argument 1", x);
    const rank = x.shape.length;
    if (axis < -rank || axis >= rank) throw new TypeError(`${name}: axis ${axis} is outside of x ${show(x)}.`);
    if (axis === rank - 1) return applySingle(name, softmaxKernel, [x], settings);
    return transpose(applySingle(name, softmaxKernel, [transpose(x, axis, -1)], settings), axis, -1);
  };
/** Over the last axis, or the one that `axis` names. */
export const softmax = alongAxis("softmax");
/** Over the last axis, or the one that `axis` names. */
export const logSoftmax = alongAxis("logSoftmax");

const linearOptions: Known<{ activation?: Activation }> = { activation: true };
export const linear = (x: Tensor, w: Tensor, b?: Tensor, options: { activation?: Activation } = {}): Tensor => {
  checkOptions("linear", options, linearOptions);
  return applySingle("linear", linearKernel, [x, w, b], options, 2);
};

export const conv2d = (x: Tensor, w: Tensor, b?: Tensor, options: Conv2dOptions = {}): Tensor => {
  checkOptions("conv2d", options, conv2dOptions);
  return applySingle("conv2d", conv2dKernel, [x, w, b], options, 2);
};
const pool = (name: string, kind: "max" | "average", x: Tensor, options: PoolOptions): Tensor => {
  checkOptions(name, options, poolOptions);
  if (options?.kernelSize === undefined)
    throw new TypeError(`${name}: there is no kernel, the window's size, expected such as { kernel: 2 }.`);
  return applySingle(name, pool2d, [x], { ...options, kind });
};
export const maxPool2d = (x: Tensor, options: PoolOptions): Tensor => pool("maxPool2d", "max", x, options);
export const avgPool2d = (x: Tensor, options: PoolOptions): Tensor => pool("avgPool2d", "average", x, options);

type PaddingOptions = { paddingIdx?: number };
const paddingOptions: Known<PaddingOptions> = { paddingIdx: true };
/**
 * ids as an array are held against 0 … V − 1 when this is called; of a tensor that is on the GPU already, an id outside
 * gives NaN and no gradient.
 */
export const embedding = (ids: TensorLike, w: Tensor, options: PaddingOptions = {}): Tensor => {
  checkOptions("embedding", options, paddingOptions);
  expectTensor("embedding", "argument 2", w);
  return applySingle("embedding", embeddingKernel, [asTensor("embedding", "ids", ids, w, "i32"), w], options);
};
export const maskedMean = (x: Tensor, words: TensorLike, options: PaddingOptions = {}): Tensor => {
  checkOptions("maskedMean", options, paddingOptions);
  expectTensor("maskedMean", "argument 1", x);
  const given = asTensor("maskedMean", "words", words, x, "i32", x.shape.slice(0, 2));
  return applySingle("maskedMean", maskedMeanKernel, [x, given], options);
};

export const concat = (inputs: readonly Tensor[], options: AxisOptions = {}): Tensor => {
  checkOptions("concat", options, axisOptions);
  checkList("concat", "inputs", inputs, "an array of tensors");
  if (inputs.length === 0) throw new TypeError("concat: there is no tensor to concat.");
  return applySingle("concat", concatKernel, [...inputs], { axis: axisOf("concat", options) });
};
export const reshape: (x: Tensor, shape: readonly number[]) => Tensor = (x, shape, extra?: unknown) => {
  noMore("reshape", extra);
  checkList("reshape", "shape", shape, "an array of sizes");
  return applySingle("reshape", reshapeKernel, [x], { shape: [...shape] });
};
/** The same numbers, through which no gradient flows: what was computed from parameters counts as given. */
export const detach: (x: Tensor) => Tensor = (x, extra?: unknown, array?: unknown) => {
  noMore("detach", extra, array);
  expectTensor("detach", "argument 1", x);
  return noGrad(() => applySingle("detach", reshapeKernel, [x], { shape: x.shape }));
};
const flattenOptions: Known<{ start?: number }> = { start: true };
/** All axes from `start` on as one; a negative `start` counts from the end. */
export const flatten = (x: Tensor, options: { start?: number } = {}): Tensor => {
  checkOptions("flatten", options, flattenOptions);
  expectTensor("flatten", "argument 1", x);
  const { start = 0 } = options;
  checkNumber("flatten", "start", start, number.whole);
  const rank = x.shape.length;
  if (start !== 0 && (start < -rank || start >= rank))
    throw new TypeError(`flatten: start ${start} is outside of x ${show(x)}, which has axes 0 … ${rank - 1}.`);
  return reshape(x, [...x.shape.slice(0, start), count(x.shape.slice(start))]);
};

/** The axes in another order. */
export const permute: (x: Tensor, axes: readonly number[]) => Tensor = (x, axes, extra?: unknown) => {
  noMore("permute", extra);
  checkList("permute", "axes", axes, "an array of axes");
  return applySingle("permute", permuteKernel, [x], { axes: [...axes] });
};
/** Two axes swapped: the last two unless named. */
export const transpose: (x: Tensor, a?: number, b?: number) => Tensor = (x, a = -2, b = -1, extra?: unknown) => {
  noMore("transpose", extra);
  expectTensor("transpose", "argument 1", x);
  const rank = x.shape.length;
  const [i, j] = [a < 0 ? a + rank : a, b < 0 ? b + rank : b];
  if (![i, j].every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank))
    throw new TypeError(`transpose: axes ${a} and ${b} are not both axes of x ${show(x)}.`);
  return permute(
    x,
    x.shape.map((_, axis) => (axis === i ? j : axis === j ? i : axis)),
  );
};
export const slice = (x: Tensor, options: SliceOptions = {}): Tensor => {
  checkOptions("slice", options, sliceOptions);
  return applySingle("slice", sliceKernel, [x], options);
};
/** Pieces one after another along `axis`: of `size` each (the last may be shorter), or of the sizes listed. */
export function split(x: Tensor, size: number | readonly number[], options: AxisOptions = {}): Tensor[] {
  checkOptions("split", options, axisOptions);
  expectTensor("split", "argument 1", x);
  const { axis = 0 } = options;
  checkNumber("split", "axis", axis, number.whole);
  const length = x.shape.at(axis);
  if (length === undefined || axis >= x.shape.length)
    throw new TypeError(`split: axis ${axis} is outside of x ${show(x)}.`);
  if (typeof size === "number" && !(Number.isInteger(size) && size > 0))
    throw new TypeError(`split: size is ${size}, expected a whole number of at least 1.`);
  if (typeof size !== "number") {
    checkList("split", "size", size, "a number or an array of sizes");
    for (const n of size) checkNumber("split", "a size", n, number.wholeAtLeast0);
  }
  const sizes =
    typeof size === "number"
      ? Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size))
      : [...size];
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
export const stack = (inputs: readonly Tensor[], options: AxisOptions = {}): Tensor => {
  checkOptions("stack", options, axisOptions);
  checkList("stack", "inputs", inputs, "an array of tensors");
  const [first] = inputs;
  if (inputs.length === 0) throw new TypeError("stack: there is no tensor to stack.");
  inputs.forEach((x, i) => {
    expectTensor("stack", `input ${i}`, x);
  });
  const rank = first!.shape.length + 1;
  const asked = axisOf("stack", options);
  const axis = asked < 0 ? asked + rank : asked;
  if (!(Number.isInteger(axis) && axis >= 0 && axis < rank && inputs.every((x) => show(x) === show(first!))))
    throw new TypeError(
      `stack: inputs ${inputs.map(show).join(", ")} along axis ${asked}: expected equal shapes and an axis of 0 … ${rank - 1}.`,
    );
  return concat(
    inputs.map((x) => reshape(x, x.shape.toSpliced(axis, 0, 1))),
    { axis },
  );
};
export const expand: (x: Tensor, shape: readonly number[]) => Tensor = (x, shape, extra?: unknown) => {
  noMore("expand", extra);
  checkList("expand", "shape", shape, "an array of sizes");
  return applySingle("expand", expandKernel, [x], { shape: [...shape] });
};
const padOptions: Known<{ value?: number }> = { value: true };
/** Numbers around x: before and after the last axis, then before and after the one in front of it, and so on. */
export function pad(x: Tensor, padding: readonly number[], options: { value?: number } = {}): Tensor {
  checkOptions("pad", options, padOptions);
  checkList("pad", "padding", padding, "an array of numbers, two an axis");
  expectTensor("pad", "argument 1", x);
  if (padding.length % 2 !== 0 || padding.length > 2 * x.shape.length)
    throw new TypeError(`pad: padding [${padding}] does not fit x ${show(x)}, expected two numbers an axis at most.`);
  const perAxis = x.shape.map((_, axis) => {
    const at = 2 * (x.shape.length - 1 - axis);
    return [padding[at] ?? 0, padding[at + 1] ?? 0] as const;
  });
  const { value = 0 } = options;
  return applySingle("pad", padKernel, [x], { padding: perAxis, value });
}
/** Of an index that is on the GPU already, what lies outside is taken for the last place, and gets no gradient. */
export const gather = (x: Tensor, index: Tensor, options: AxisOptions = {}): Tensor => {
  checkOptions("gather", options, axisOptions);
  return applySingle("gather", gatherKernel, [x, index], { axis: axisOf("gather", options), each: true });
};
/** As `gather`, with one index for all. */
export const indexSelect = (x: Tensor, index: TensorLike, options: AxisOptions = {}): Tensor => {
  checkOptions("indexSelect", options, axisOptions);
  const places = asTensor("indexSelect", "index", index, x, "i32");
  return applySingle("indexSelect", gatherKernel, [x, places], { axis: axisOf("indexSelect", options), each: false });
};

export interface FuseInputs {
  present?: TensorLike | undefined;
  weights?: Tensor | undefined;
}
const fuseInputs: Known<FuseInputs> = { present: true, weights: true };
export function fuse(features: readonly Tensor[], fusion: FuseKind, inputs: FuseInputs = {}): Tensor {
  checkOptions("fuse", inputs, fuseInputs);
  checkName("fuse", "fusion", fusion, fusions);
  checkList("fuse", "features", features, "an array of tensors");
  const { present, weights } = inputs;
  const M = features.length;
  if (M === 0) throw new TypeError("fuse: there are no features to fuse.");
  features.forEach((x, i) => {
    expectTensor("fuse", `features[${i}]`, x);
  });
  const mask = present && asTensor("fuse", "present", present, features[0]!, "f32", [features[0]!.shape[0]!, M]);
  return applySingle("fuse", fuseKernel, [...features, mask, weights], { fusion, modalities: M }, M);
}

const dropOptions: Known<{ p: number }> = { p: true };
/** The probability of being dropped. */
function probability(name: string, options: { p: number }): number {
  checkOptions(name, options, dropOptions);
  checkNumber(name, "p", options?.p, number.under1);
  return options.p;
}
/** Where `p` is 0 it gives the same numbers under the same shape, as a tensor of its own. */
export const dropout = (x: Tensor, options: { p: number }): Tensor => {
  const p = probability("dropout", options);
  expectTensor("dropout", "argument 1", x);
  return p === 0 ? reshape(x, x.shape) : applySingle("dropout", dropoutKernel, [x], { p });
};
export const dropModalities = (present: Tensor, options: { p: number }): Tensor =>
  applySingle("dropModalities", dropModalitiesKernel, [present], { p: probability("dropModalities", options) });

export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("sum", options, reduceOptions);
  return applySingle("sum", sumKernel, [x], options);
};
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("mean", options, reduceOptions);
  return applySingle("mean", sumKernel, [x], { ...options, mean: true });
};

export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("max", options, reduceOptions);
  return applySingle("max", minmaxKernel, [x], { ...options, kind: "max" });
};
export const min = (x: Tensor, options: ReduceOptions = {}): Tensor => {
  checkOptions("min", options, reduceOptions);
  return applySingle("min", minmaxKernel, [x], { ...options, kind: "min" });
};
export const argmax = (x: Tensor, options: { axis?: number; keepDims?: boolean } = {}): Tensor => {
  checkOptions("argmax", options, reduceOptions);
  return applySingle("argmax", argmaxKernel, [x], options);
};
const normOptions: Known<{ eps?: number }> = { eps: true };
export const layerNorm = (x: Tensor, w?: Tensor, b?: Tensor, options: { eps?: number } = {}): Tensor => {
  checkOptions("layerNorm", options, normOptions);
  return applySingle("layerNorm", layerNormKernel, [x, w, b], options, 1);
};
/** A class for each row of logits, drawn by softmax(logits). */
export const categorical: (logits: Tensor) => Tensor = (logits, extra?: unknown, array?: unknown) => {
  noMore("categorical", extra, array);
  return applySingle("categorical", categoricalKernel, [logits], {});
};

/** Labels and actions as arrays are held against the classes when a loss is called; on the GPU they cannot be. */
const lossOptions: Known<{ reduction?: Reduction }> = { reduction: true };
const weightedOptions: Known<CrossEntropyOptions & { weights?: TensorLike | undefined }> = {
  ...crossEntropyOptions,
  weights: true,
};
export function crossEntropy(
  logits: Tensor,
  labels: TensorLike,
  options: CrossEntropyOptions & { weights?: TensorLike | undefined } = {},
): Tensor {
  checkOptions("crossEntropy", options, weightedOptions);
  const { weights, ...rest } = options;
  const rows = weights && asTensor("crossEntropy", "weights", weights, logits, "f32");
  const classes = asTensor("crossEntropy", "labels", labels, logits, "i32");
  return applySingle("crossEntropy", crossEntropyKernel, [logits, classes, rows], rest, 2);
}
const feedbackLossOptions: Known<{ labelNoise?: number; reduction?: Reduction }> = { labelNoise: true, ...lossOptions };
export function feedbackLoss(
  logits: Tensor,
  actions: TensorLike,
  rewards: TensorLike,
  options: { labelNoise?: number; reduction?: Reduction } = {},
): Tensor {
  checkOptions("feedbackLoss", options, feedbackLossOptions);
  const { labelNoise = 0, ...rest } = options;
  checkNumber("feedbackLoss", "labelNoise", labelNoise, number.underHalf);
  const given = asTensor("feedbackLoss", "actions", actions, logits, "i32");
  const signs = asTensor("feedbackLoss", "rewards", rewards, logits, "f32");
  return applySingle(
    "feedbackLoss",
    judgedKernel,
    [logits, given, signs, asTensor("feedbackLoss", "labelNoise", [labelNoise], logits, "f32")],
    rest,
  );
}
const policyGradientCallOptions: Known<PolicyGradientOptions & { referenceLogits?: TensorLike | undefined }> = {
  ...policyGradientOptions,
  referenceLogits: true,
};
export function policyGradient(
  logits: Tensor,
  actions: TensorLike,
  advantages: TensorLike,
  options: PolicyGradientOptions & { referenceLogits?: TensorLike | undefined } = {},
): Tensor {
  checkOptions("policyGradient", options, policyGradientCallOptions);
  expectTensor("policyGradient", "argument 1", logits);
  const { referenceLogits, ...rest } = options;
  const given = asTensor("policyGradient", "actions", actions, logits, "i32");
  const reference =
    referenceLogits && asTensor("policyGradient", "referenceLogits", referenceLogits, logits, "f32", logits.shape);
  const weights = asTensor("policyGradient", "advantages", advantages, logits, "f32");
  return applySingle("policyGradient", policyGradientKernel, [logits, given, weights, reference], rest, 3);
}

/** A loss of numbers against others of the same shape. */
function regressionLoss(
  name: string,
  kind: ElementwiseLoss,
  x: Tensor,
  target: TensorLike,
  options: { reduction?: Reduction; delta?: number },
  known: Known<{ reduction?: Reduction; delta?: number }> | typeof lossOptions,
): Tensor {
  checkOptions(name, options, known as typeof huberOptions);
  expectTensor(name, "argument 1", x);
  return applySingle(name, elementwiseLoss, [x, asTensor(name, "target", target, x, "f32", x.shape)], {
    kind,
    ...options,
  });
}
const huberOptions: Known<{ reduction?: Reduction; delta?: number }> = { ...lossOptions, delta: true };
export const mse = (x: Tensor, target: TensorLike, options: { reduction?: Reduction } = {}): Tensor =>
  regressionLoss("mse", "mse", x, target, options, lossOptions);
export const binaryCrossEntropyWithLogits = (
  x: Tensor,
  target: TensorLike,
  options: { reduction?: Reduction } = {},
): Tensor => regressionLoss("binaryCrossEntropyWithLogits", "binaryCrossEntropy", x, target, options, lossOptions);
export const huber = (x: Tensor, target: TensorLike, options: { reduction?: Reduction; delta?: number } = {}): Tensor =>
  regressionLoss("huber", "huber", x, target, options, huberOptions);
/** x holds log-probabilities, target probabilities, as in PyTorch's `kl_div`. */
export const klDivergence = (x: Tensor, target: TensorLike, options: { reduction?: Reduction } = {}): Tensor =>
  regressionLoss("klDivergence", "klDivergence", x, target, options, lossOptions);
