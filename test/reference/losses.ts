import { type Array64, array, row, scalar } from "./array.ts";

/** log Σⱼ e^{xⱼ}, shifted by the greatest so that nothing overflows. −∞ for no numbers. */
function logSumExp(xs: ArrayLike<number>): number {
  const values = Array.from(xs);
  const top = Math.max(...values);
  return top === -Infinity ? top : top + Math.log(values.reduce((total, x) => total + Math.exp(x - top), 0));
}

/** yᵢ = xᵢ − log Σⱼ e^{xⱼ} over the last axis. */
export function logSoftmax(x: Array64): Array64 {
  const A = x.shape.at(-1)!;
  const y = array(x.shape);
  for (let start = 0; start < x.data.length; start += A) {
    const values = x.data.slice(start, start + A);
    const total = logSumExp(values);
    values.forEach((value, i) => {
      y.data[start + i] = value - total;
    });
  }
  return y;
}

/** yᵢ = e^{xᵢ} / Σⱼ e^{xⱼ} over the last axis. */
export const softmax = (x: Array64): Array64 => array(x.shape, logSoftmax(x).data.map(Math.exp));

/** Σᵢ f(i) / n */
const meanOf = (n: number, f: (i: number) => number): Array64 => {
  let total = 0;
  for (let i = 0; i < n; i++) total += f(i);
  return scalar(total / n);
};

export type Reduction = "mean" | "sum" | "none";
/** f of each of a shape's numbers, their sum, or their mean. */
function reduced(reduction: Reduction, shape: readonly number[], f: (i: number) => number): Array64 {
  const each = array(shape).data.map((_, i) => f(i));
  if (reduction === "none") return array(shape, each);
  return scalar(each.reduce((a, b) => a + b, 0) / (reduction === "mean" ? each.length : 1));
}

/** d²/2 where |d| ≤ δ, else δ (|d| − δ/2), d = x − target */
export const huber = (
  x: Array64,
  target: Array64,
  { delta = 1, reduction = "mean" }: { delta?: number; reduction?: Reduction } = {},
): Array64 =>
  reduced(reduction, x.shape, (i) => {
    const d = Math.abs(x.data[i]! - target.data[i]!);
    return d <= delta ? (d * d) / 2 : delta * (d - delta / 2);
  });

/** t · (log t − x), 0 where t is */
export const klDivergence = (
  x: Array64,
  target: Array64,
  { reduction = "mean" }: { reduction?: Reduction } = {},
): Array64 =>
  reduced(reduction, x.shape, (i) => {
    const t = target.data[i]!;
    return t === 0 ? 0 : t * (Math.log(t) - x.data[i]!);
  });

/**
 * Softmax cross-entropy of logits [N,A] and labels [N], each row with a weight:
 *
 *   loss = Σᵢ weightᵢ · −log softmax(logitsᵢ)[labelᵢ] / N
 *
 * It divides by the number of rows, not by the weights' sum. Without weights it is the plain mean.
 */
export function crossEntropy(
  logits: Array64,
  labels: Array64,
  weights?: Array64,
  { reduction = "mean", labelSmoothing: e = 0 }: { reduction?: Reduction; labelSmoothing?: number } = {},
): Array64 {
  const logp = logSoftmax(logits);
  return reduced(reduction, [logits.shape[0]!], (i) => {
    const own = row(logp, i);
    const smooth = own.reduce((total, l) => total - l, 0) / own.length;
    const loss = (1 - e) * -own[labels.data[i]!]! + (e > 0 ? e * smooth : 0);
    return loss * (weights ? weights.data[i]! : 1);
  });
}

/** mean (x − target)² */
export const mse = (x: Array64, target: Array64): Array64 =>
  meanOf(x.data.length, (i) => (x.data[i]! - target.data[i]!) ** 2);

/** mean −(t·log σ(x) + (1 − t)·log(1 − σ(x))), written stably: max(x, 0) − x·t + log(1 + e^{−|x|}) */
export const bceWithLogits = (x: Array64, target: Array64): Array64 =>
  meanOf(x.data.length, (i) => {
    const [value, t] = [x.data[i]!, target.data[i]!];
    return Math.max(value, 0) - value * t + Math.log1p(Math.exp(-Math.abs(value)));
  });

/**
 * What a judge said of actions [N] taken from logits [N,A]: right where reward > 0, wrong where reward < 0.
 *
 *   loss = Σᵢ weightᵢ · |rewardᵢ| · lᵢ / N,   l = −log pₐ if right,   l = −log(1 − pₐ) if wrong
 *
 * 1 − pₐ is never formed: log(1 − pₐ) = logsumexp_{j≠a} logitsⱼ − logsumexp_j logitsⱼ.
 */
export function feedbackLoss(logits: Array64, actions: Array64, rewards: Array64, weights?: Array64): Array64 {
  return meanOf(logits.shape[0]!, (i) => {
    const reward = rewards.data[i]!;
    if (reward === 0) return 0;
    const [values, action] = [row(logits, i), actions.data[i]!];
    const chosen = reward > 0 ? values[action]! : logSumExp(values.filter((_, a) => a !== action));
    return (weights ? weights.data[i]! : 1) * Math.abs(reward) * (logSumExp(values) - chosen);
  });
}

export interface PolicyGradientOptions {
  /** The bonus for entropy. */
  entropyCoef?: number;
  /** The strength of the KL penalty to the reference policy. */
  klCoef?: number;
}

/**
 * REINFORCE with an entropy bonus and a KL penalty to a reference policy, over N rows of A actions:
 *
 *   loss = meanᵢ( −advantageᵢ · log π(aᵢ) − entropyCoef · H(πᵢ) + klCoef · KL(πᵢ ‖ refᵢ) )
 *   H(π) = −Σₐ π log π,   KL(π ‖ ref) = Σₐ π · (log π − log ref)
 *
 * `referenceLogProbabilities` [N,A] is needed where klCoef ≠ 0.
 */
export function policyGradient(
  logits: Array64,
  actions: Array64,
  advantages: Array64,
  { entropyCoef = 0, klCoef = 0 }: PolicyGradientOptions = {},
  referenceLogProbabilities?: Array64,
): Array64 {
  const logp = logSoftmax(logits);
  return meanOf(logits.shape[0]!, (i) => {
    const own = row(logp, i);
    const reference = referenceLogProbabilities ? row(referenceLogProbabilities, i) : own;
    let [H, KL] = [0, 0];
    own.forEach((l, a) => {
      const p = Math.exp(l);
      if (p === 0) return;
      H -= p * l;
      KL += p * (l - reference[a]!);
    });
    return -advantages.data[i]! * own[actions.data[i]!]! - entropyCoef * H + klCoef * KL;
  });
}
