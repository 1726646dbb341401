import { crossEntropy, dropout, mse, reshape, sigmoid, softmax, Tensor, type TensorLike } from "../autograd/index.ts";
import { checkName, checkNumber, checkOptions, number } from "../check.ts";
import { linearLayer, type ParameterStore } from "./layers.ts";
import { labelsLoss } from "./trainable.ts";

/** The tasks by name, the default first. */
export const tasks = ["multiclass", "binary", "multilabel", "regression"] as const;
/** What the head answers: one class of several ("multiclass"), yes or no, any of several labels, or numbers. */
export type Task = (typeof tasks)[number];

/** What a network answers, and by how large a hidden layer. */
export interface HeadConfig {
  /** What the outputs mean, and by which loss they learn. Default "multiclass". */
  task?: Task;
  /** A, the number of outputs: classes, labels or values. Default 1 for "binary" and "regression"; else it must be given. */
  outputs?: number;
  /** Size of the hidden layer. Default 128. */
  hidden?: number;
  /** Probability that a number of the hidden layer is dropped in training. Default 0. */
  dropout?: number;
}

/** Fills in the defaults. @throws TypeError or RangeError naming the setting that cannot be, or that there is not. */
export function completeHead(operation: string, config: HeadConfig): Required<HeadConfig> {
  checkOptions(`${operation}: head`, config, { task: true, outputs: true, hidden: true, dropout: true });
  const { task = "multiclass", hidden = 128, dropout = 0 } = config ?? {};
  checkName(operation, "head.task", task, tasks);
  const { outputs = task === "binary" || task === "regression" ? 1 : undefined } = config ?? {};
  checkNumber(operation, "head.outputs", outputs, number.wholeAtLeast1);
  if (task === "binary" && outputs !== 1)
    throw new RangeError(`${operation}: head.outputs is ${outputs}, expected 1, as the task is "binary".`);
  checkNumber(operation, "head.hidden", hidden, number.wholeAtLeast1);
  checkNumber(operation, "head.dropout", dropout, number.under1);
  return { task, outputs, hidden, dropout };
}

/** What the network answers from its fused features, and by which loss it learns to. */
export interface Head {
  /** [N, F] → [N, A]. `p`: the probability that a number of the hidden layer is dropped. */
  logits(features: Tensor, p: number): Tensor;
  /** The mean loss of logits against what is right. */
  loss(logits: Tensor, target: TensorLike): Tensor;
  /** What logits say, [N, A]: probabilities, or the numbers themselves. */
  predict(logits: Tensor): Tensor;
}

/**
 *   multiclass   target [N] classes;             cross-entropy of softmax;              probabilities of the classes
 *   binary       target [N] of 0 and 1;          binary cross-entropy of the sigmoid;   the probability of 1
 *   multilabel   target [N, A] of 0 and 1;       the same, label by label;              each label's probability
 *   regression   target [N, A] numbers;          mean squared error;                    the numbers
 */
const answers: Record<Task, Pick<Head, "loss" | "predict">> = {
  multiclass: { loss: crossEntropy, predict: softmax },
  binary: { loss: byLabel, predict: sigmoid },
  multilabel: { loss: byLabel, predict: sigmoid },
  regression: { loss: (logits, target) => mse(logits, like(logits, target)), predict: (logits) => logits },
};

function byLabel(logits: Tensor, target: TensorLike): Tensor {
  return labelsLoss(logits, like(logits, target));
}

/** One number for each of the logits, also where it is given as [N] beside [N, 1]. */
function like(logits: Tensor, target: TensorLike): Tensor | Exclude<TensorLike, Tensor> {
  return target instanceof Tensor && target.shape.length === 1 ? reshape(target, logits.shape) : target;
}

/** A hidden layer with ReLU, and a linear one. `name`: the beginning of their parameters' names. */
export function createHead(
  store: ParameterStore,
  config: Required<HeadConfig>,
  { name = "head", features }: { name?: string; features: number },
): Head {
  const hidden = linearLayer(store, `${name}.hidden`, { inputs: features, outputs: config.hidden, activation: "relu" });
  const output = linearLayer(store, `${name}.output`, { inputs: config.hidden, outputs: config.outputs });
  return { ...answers[config.task], logits: (x, p) => output(p === 0 ? hidden(x) : dropout(hidden(x), { p })) };
}
