import { checkNumber, checkOptions, type Known, number } from "../check.ts";
import {
  type CrossEntropyOptions as CrossEntropyKernelOptions,
  crossEntropy as crossEntropyKernel,
  crossEntropyOptions,
} from "../kernels/crossEntropy.ts";
import { type ElementwiseLoss, elementwiseLoss } from "../kernels/elementwiseLoss.ts";
import { feedbackLoss as feedbackLossKernel } from "../kernels/feedbackLoss.ts";
import type { Reduction } from "../kernels/loss.ts";
import {
  type PolicyGradientOptions as PolicyGradientKernelOptions,
  policyGradient as policyGradientKernel,
  policyGradientOptions,
} from "../kernels/policyGradient.ts";
import { applySingle, asTensor, expectTensor } from "./apply.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/* Losses. Labels and actions as arrays are held against the classes when a loss is called; on the GPU they cannot be. */

/** Options of every loss. */
export interface LossOptions {
  /** "mean" over the rows of a classification or the numbers of a regression, "sum", or "none": each by itself. Default "mean". */
  reduction?: Reduction;
}
const lossOptions: Known<LossOptions> = { reduction: true };

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends CrossEntropyKernelOptions {
  /** u, a weight for each row [N], or an array; the mean is over rows, whatever their weights. Default: 1. */
  weights?: TensorLike | undefined;
}
const weightedOptions: Known<CrossEntropyOptions> = { ...crossEntropyOptions, weights: true };

/**
 * Softmax and cross-entropy in one kernel, PyTorch's `cross_entropy`.
 *
 * loss_i = u_i · ((1 − ε) · (log Σ_j e^{x_ij} − x_{i,label}) + ε / A · Σ_j (log Σ_k e^{x_ik} − x_ij))
 *
 * @param logits x [N, A], f32
 * @param labels [N], i32 or u32, or an array, of 0 … A − 1
 * @param options.labelSmoothing ε, 0 … 1 (Szegedy et al. 2016). Default 0.
 * @param options.weights u, a weight for each row [N]. Default: 1.
 * @param options.reduction "mean" over rows, "sum" or "none". Default "mean".
 * @returns [] or, for "none", [N]. Differentiable in logits and weights.
 * @throws TypeError where shapes do not fit or a label is no class, RangeError where the smoothing is out of range.
 * @example const loss = crossEntropy(logits, [3, 0, 7], { labelSmoothing: 0.1 });
 */
export function crossEntropy(logits: Tensor, labels: TensorLike, options: CrossEntropyOptions = {}): Tensor {
  checkOptions("crossEntropy", options, weightedOptions);
  const { weights, ...rest } = options;
  const rows = weights && asTensor("crossEntropy", "weights", weights, logits, { dtype: "f32" });
  const classes = asTensor("crossEntropy", "labels", labels, logits, { dtype: "i32" });
  return applySingle("crossEntropy", crossEntropyKernel, [logits, classes, rows], rest, 2);
}

/** Options of `feedbackLoss`. */
export interface FeedbackLossOptions extends LossOptions {
  /** ε, the share of judgements that are mistaken, 0 ≤ ε < 0.5. Default 0. */
  labelNoise?: number;
}
const feedbackLossOptions: Known<FeedbackLossOptions> = { labelNoise: true, ...lossOptions };

/**
 * Likelihood of judgements of answers: "right" and "wrong" alike teach, and mistaken ones are allowed for.
 *
 * With p = softmax(x)_a and u the reward: loss = −|u| · log((1 − ε) p + ε (1 − p)) where u > 0, and
 * −|u| · log((1 − ε)(1 − p) + ε p) where u < 0
 *
 * @param logits x [N, A], f32, A ≥ 2
 * @param actions a [N], the answers that were judged, i32 or u32, or an array, of 0 … A − 1
 * @param rewards u [N], f32, or an array: over 0 for right, under 0 for wrong, 0 for not judged; its size is the weight
 * @param options.labelNoise ε, the share of judgements that are mistaken, 0 ≤ ε < 0.5. Default 0.
 * @param options.reduction "mean" over rows, "sum" or "none". Default "mean".
 * @returns [] or, for "none", [N]. Differentiable in logits.
 * @throws TypeError where shapes do not fit or an action is none, RangeError where the noise is out of range.
 * @example const loss = feedbackLoss(logits, [2, 5], [1, -1], { labelNoise: 0.05 });
 */
export function feedbackLoss(
  logits: Tensor,
  actions: TensorLike,
  rewards: TensorLike,
  options: FeedbackLossOptions = {},
): Tensor {
  checkOptions("feedbackLoss", options, feedbackLossOptions);
  const { labelNoise = 0, ...rest } = options;
  checkNumber("feedbackLoss", "labelNoise", labelNoise, number.underHalf);
  const given = asTensor("feedbackLoss", "actions", actions, logits, { dtype: "i32" });
  const signs = asTensor("feedbackLoss", "rewards", rewards, logits, { dtype: "f32" });
  return applySingle(
    "feedbackLoss",
    feedbackLossKernel,
    [logits, given, signs, asTensor("feedbackLoss", "labelNoise", [labelNoise], logits, { dtype: "f32" })],
    rest,
  );
}

/** Options of `policyGradient`. */
export interface PolicyGradientOptions extends PolicyGradientKernelOptions {
  /** Logits or log-probabilities of the reference policy ρ, [N, A], or an array. Default: none. */
  referenceLogits?: TensorLike | undefined;
}
const policyGradientCallOptions: Known<PolicyGradientOptions> = { ...policyGradientOptions, referenceLogits: true };

/**
 * REINFORCE with an entropy bonus and a KL penalty (Williams 1992).
 *
 * With π = softmax(x): loss_i = −advantage_i · log π_i(a_i) − c · H(π_i) + β · KL(π_i ‖ ρ_i)
 *
 * @param logits x [N, A], f32
 * @param actions a [N], sampled from the policy, i32 or u32, or an array, of 0 … A − 1
 * @param advantages [N], f32, or an array
 * @param options.entropyCoef c, the weight of the entropy bonus. Default 0.
 * @param options.klCoef β, the weight of the KL penalty. Default 0.
 * @param options.referenceLogits logits or log-probabilities of the reference policy ρ, [N, A]. Default: none.
 * @param options.reduction "mean" over rows, "sum" or "none". Default "mean".
 * @returns [] or, for "none", [N]. Differentiable in logits.
 * @throws TypeError where shapes do not fit or an action is none, RangeError where a weight is out of range.
 * @example const loss = policyGradient(logits, actions, advantages, { entropyCoef: 0.01 });
 */
export function policyGradient(
  logits: Tensor,
  actions: TensorLike,
  advantages: TensorLike,
  options: PolicyGradientOptions = {},
): Tensor {
  checkOptions("policyGradient", options, policyGradientCallOptions);
  expectTensor("policyGradient", "argument 1", logits);
  const { referenceLogits, ...rest } = options;
  const given = asTensor("policyGradient", "actions", actions, logits, { dtype: "i32" });
  const reference =
    referenceLogits &&
    asTensor("policyGradient", "referenceLogits", referenceLogits, logits, { dtype: "f32", shape: logits.shape });
  const weights = asTensor("policyGradient", "advantages", advantages, logits, { dtype: "f32" });
  return applySingle("policyGradient", policyGradientKernel, [logits, given, weights, reference], rest, 3);
}

/** Options of `huber`. */
export interface HuberOptions extends LossOptions {
  /** δ, over 0: smaller errors count by their square, larger ones by their size. Default 1. */
  delta?: number;
}
const huberOptions: Known<HuberOptions> = { ...lossOptions, delta: true };

/** A loss of numbers against others of the same shape. */
function compare(name: string, kind: ElementwiseLoss, x: Tensor, target: TensorLike, options: HuberOptions): Tensor {
  checkOptions(name, options, (kind === "huber" ? huberOptions : lossOptions) as typeof huberOptions);
  expectTensor(name, "argument 1", x);
  const goal = asTensor(name, "target", target, x, { dtype: "f32", shape: x.shape });
  return applySingle(name, elementwiseLoss, [x, goal], { kind, ...options });
}

/**
 * Mean squared error.
 *
 * loss = (x − t)²
 *
 * @param x f32 of any shape
 * @param target t, of the shape of x, or an array
 * @param options.reduction "mean" over all numbers, "sum" or "none". Default "mean".
 * @returns [] or, for "none", the shape of x. Differentiable in x and target.
 * @throws TypeError where the shapes differ.
 * @example const loss = mse(prediction, [0.5, 1.5]);
 */
export const mse = (x: Tensor, target: TensorLike, options: LossOptions = {}): Tensor =>
  compare("mse", "mse", x, target, options);

/**
 * Binary cross-entropy of logits: one question of yes or no for each number.
 *
 * loss = −t · log σ(x) − (1 − t) · log(1 − σ(x)), computed so that nothing overflows
 *
 * @param x logits, f32 of any shape
 * @param target t, probabilities of yes, of the shape of x, or an array
 * @param options.reduction "mean" over all numbers, "sum" or "none". Default "mean".
 * @returns [] or, for "none", the shape of x. Differentiable in x and target.
 * @throws TypeError where the shapes differ.
 * @example const loss = binaryCrossEntropyWithLogits(logits, [1, 0, 1]);
 */
export const binaryCrossEntropyWithLogits = (x: Tensor, target: TensorLike, options: LossOptions = {}): Tensor =>
  compare("binaryCrossEntropyWithLogits", "binaryCrossEntropy", x, target, options);

/**
 * Huber's loss (1964): squared for small errors, linear for large ones.
 *
 * loss = d² / 2 where |d| ≤ δ, else δ · (|d| − δ / 2), with d = x − t
 *
 * @param x f32 of any shape
 * @param target t, of the shape of x, or an array
 * @param options.delta δ, over 0. Default 1.
 * @param options.reduction "mean" over all numbers, "sum" or "none". Default "mean".
 * @returns [] or, for "none", the shape of x. Differentiable in x and target.
 * @throws TypeError where the shapes differ, RangeError where delta is out of range.
 * @example const loss = huber(prediction, target, { delta: 0.5 });
 */
export const huber = (x: Tensor, target: TensorLike, options: HuberOptions = {}): Tensor =>
  compare("huber", "huber", x, target, options);

/**
 * Kullback-Leibler divergence of distributions, PyTorch's `kl_div`.
 *
 * loss = t · (log t − x), 0 · log 0 being 0
 *
 * @param x log-probabilities, f32 of any shape
 * @param target t, probabilities, of the shape of x, or an array
 * @param options.reduction "mean" over all numbers, "sum" or "none". Default "mean".
 * @returns [] or, for "none", the shape of x. Differentiable in x and target.
 * @throws TypeError where the shapes differ.
 * @example const loss = klDivergence(logSoftmax(student), softmax(teacher), { reduction: "sum" });
 */
export const klDivergence = (x: Tensor, target: TensorLike, options: LossOptions = {}): Tensor =>
  compare("klDivergence", "klDivergence", x, target, options);
