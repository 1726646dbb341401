import { crossEntropy, dropout, mse, reshape, sigmoid, softmax, Tensor, type TensorLike } from "../autograd/index.ts";
import type { FullConfig, Task } from "./config.ts";
import { linearLayer, type ParameterStore } from "./layers.ts";
import { labelsLoss } from "./trainable.ts";

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

/** A hidden layer with ReLU, and a linear one. */
export function headOf(store: ParameterStore, { head, classes, task }: FullConfig, features: number): Head {
  const hidden = linearLayer(store, "head.hidden", features, head, "relu");
  const output = linearLayer(store, "head.output", head, classes);
  return { ...answers[task], logits: (x, p) => output(p === 0 ? hidden(x) : dropout(hidden(x), { p })) };
}
