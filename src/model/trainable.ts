import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  Engine,
  mse,
  sigmoid,
  softmax,
  Tensor,
  type TensorLike,
} from "../autograd/index.ts";
import { checkNumber, describe, number } from "../check.ts";
import { type HostArray, refusePromise } from "../gpu/index.ts";
import { count } from "../kernels/op.ts";
import type { ForwardOptions } from "./batch.ts";
import type { Module } from "./layers.ts";

/** What `fit`, `evaluate` and `predict` ask of a model. Its outputs are [N, K]. */
export interface Trainable<B> extends Module {
  /** The engine that its parameters belong to. */
  readonly engine: Engine;
  /** Called in a step. `training` turns on what only training does, such as dropout. */
  forward(batch: B, options?: ForwardOptions): Tensor;
  /** As of `Objective`; a model that has it and `predict` needs no other. */
  loss?(output: Tensor, target: HostArray): Tensor;
  /** As of `Objective`. */
  predict?(output: Tensor): Tensor;
}

/** What a model's outputs mean. A model that has these two itself, as MultimodalNet, needs no other. */
export interface Objective {
  /** The mean loss of outputs [N, K] against what is right. Called in a step. */
  loss(output: Tensor, target: HostArray): Tensor;
  /** What outputs say to users and metrics, such as probabilities, [N, K]. Called in a step. */
  predict(output: Tensor): Tensor;
}

/** Binary cross-entropy against labels from 0 to 1; others would make a loss that sinks for ever. */
export function labelsLoss(logits: Tensor, target: TensorLike): Tensor {
  const labels = target instanceof Tensor ? undefined : target;
  if (labels) for (let i = 0; i < labels.length; i++) checkNumber("labels", `target ${i}`, labels[i], number.share);
  return binaryCrossEntropyWithLogits(logits, target);
}

/**
 * Objectives for models that have none of their own:
 *
 * - `multiclass`: one of K classes, of which targets [N] give the number: softmax, cross-entropy
 * - `multilabel`: K labels of which several may hold, targets [N, K] of 0 and 1: sigmoid, binary cross-entropy
 * - `regression`: K numbers, targets [N, K]: the outputs themselves, their squared error
 *
 * @example await fit(model, source, { optimizer, epochs: 10, objective: objectives.multiclass });
 */
export const objectives: Readonly<Record<"multiclass" | "multilabel" | "regression", Objective>> = {
  multiclass: { loss: crossEntropy, predict: softmax },
  multilabel: { loss: labelsLoss, predict: sigmoid },
  regression: { loss: mse, predict: (output: Tensor) => output },
};

/** @throws TypeError naming what a model lacks: its engine, its parameters or its outputs. */
export function checkModel(who: string, model: Trainable<never>): void {
  const fail = (fault: string) => new TypeError(`${who}: ${fault}`);
  if (typeof model !== "object" || model === null)
    throw fail(`the model is ${describe(model)}, expected an object such as a MultimodalNet.`);
  if (!(model.engine instanceof Engine)) throw fail(`model.engine is ${describe(model.engine)}, expected its engine.`);
  for (const name of ["parameters", "forward"] as const)
    if (typeof model[name] !== "function")
      throw fail(`model.${name} is ${describe(model[name])}, expected a function.`);
}

/** What an objective's loss gave, where it is one number that can be learned from or told. */
export function lossOf(who: string, value: unknown): Tensor {
  refusePromise(`${who}: the objective's loss`, value);
  if (!(value instanceof Tensor) || count(value.shape) !== 1)
    throw new TypeError(
      `${who}: the objective's loss gives ${value instanceof Tensor ? value : describe(value)}, expected a tensor of one number, such as the mean over the batch.`,
    );
  return value;
}

/** @throws TypeError where neither the model nor the caller says what its outputs mean, or says it by what is no function. */
export function objectiveOf(who: string, model: Partial<Objective>, given?: Objective): Objective {
  if (given !== undefined) {
    for (const name of ["loss", "predict"] as const)
      if (typeof given?.[name] !== "function")
        throw new TypeError(
          `${who}: objective.${name} is ${describe(given?.[name])}, expected a function. Give objectives.multiclass, .multilabel, .regression, or { loss, predict } of your own.`,
        );
    return given;
  }
  const { loss, predict } = model;
  if (!loss || !predict)
    throw new TypeError(
      `${who}: the model does not say what its outputs mean. Give objective: objectives.multiclass, .multilabel, .regression, or { loss, predict } of your own.`,
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
