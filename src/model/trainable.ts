import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  type Engine,
  mse,
  sigmoid,
  softmax,
  type Tensor,
} from "../autograd/index.ts";
import type { HostArray } from "../gpu/index.ts";
import type { Module } from "./layers.ts";

/** What `fit`, `evaluate` and `predict` ask of a model. Its outputs are [N, K]. */
export interface Trainable<B> extends Module, Partial<Objective> {
  readonly engine: Engine;
  /** Called in a step. `training` turns on what only training does, such as dropout. */
  forward(batch: B, options?: { training?: boolean }): Tensor;
}

/** What a model's outputs mean. A model that has these two itself, as MultimodalNet, needs no other. */
export interface Objective {
  /** The mean loss of outputs [N, K] against what is right. Called in a step. */
  loss(output: Tensor, target: HostArray): Tensor;
  /** What outputs say to users and metrics, such as probabilities, [N, K]. Called in a step. */
  predict(output: Tensor): Tensor;
}

export const objectives = {
  /** One of K classes, of which targets [N] give the number: softmax, cross-entropy. */
  class: { loss: crossEntropy, predict: softmax },
  /** Yes or no, or K labels of which several may hold; targets [N, K] are 0 and 1: sigmoid, binary cross-entropy. */
  labels: { loss: binaryCrossEntropyWithLogits, predict: sigmoid },
  /** K numbers; targets [N, K]: their squared error. */
  values: { loss: mse, predict: (output: Tensor) => output },
} satisfies Record<string, Objective>;

/** @throws TypeError where neither the model nor the caller says what its outputs mean. */
export function objectiveOf(who: string, model: Partial<Objective>, given?: Objective): Objective {
  if (given) return given;
  const { loss, predict } = model;
  if (!loss || !predict)
    throw new TypeError(
      `${who}: the model does not say what its outputs mean. Give objective: objectives.class, .labels, .values, or { loss, predict } of your own.`,
    );
  return { loss: loss.bind(model), predict: predict.bind(model) };
}

/** What is right for each example of a batch, as `label` says it. */
export function targetOf(who: string, batch: unknown): HostArray {
  const { label } = batch as { label?: HostArray };
  if (!ArrayBuffer.isView(label))
    throw new TypeError(`${who}: the batch has no label, expected a typed array [N] or [N, K] of what is right.`);
  return label;
}
