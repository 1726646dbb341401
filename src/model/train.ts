import { checkIterable, checkNumber, checkOptions, describe, number as rules } from "../check.ts";
import { checkOptimizer, type Optimizer, type Schedule } from "../optim/index.ts";
import { checkModel, lossOf, type Objective, objectiveOf, type Trainable, targetOf } from "./trainable.ts";

/** One step of training, when its loss has arrived. */
export interface TrainedStep {
  /** The mean over the batch. */
  loss: number;
  /** Examples in its batch. */
  examples: number;
}

/** Objective, learning rate and callback of training. */
export interface TrainOptions {
  /** What the model's outputs mean. Default: as the model itself says. */
  objective?: Objective | undefined;
  /** Called with each step's loss, in order, while the next step is computed. */
  onStep?: (step: TrainedStep) => unknown;
  /** Gives the learning rate of each step of this pass, counted from 0. Default: as the optimizer has it. */
  schedule?: Schedule | undefined;
}

/**
 * One training step in one submit: forward, loss, gradients and update.
 *
 * @param model such as a `MultimodalNet`.
 * @param optimizer of its parameters.
 * @param batch with a `label`.
 * @param options objective and schedule. Default: the model's own, and the optimizer's learning rate.
 * @param number of the step, for the schedule. Default 0.
 * @returns the loss of the batch before the update.
 * @throws TypeError or RangeError naming what of model, batch or schedule cannot be.
 * @example const { loss } = await trainStep(net, adam(net.parameters(), { lr: 1e-3 }), batch);
 */
export async function trainStep<B>(
  model: Trainable<B>,
  optimizer: Optimizer,
  batch: B,
  { objective, schedule }: Pick<TrainOptions, "objective" | "schedule"> = {},
  number = 0,
): Promise<TrainedStep> {
  checkModel("trainStep", model);
  checkOptimizer("trainStep", optimizer);
  const { loss } = objectiveOf("training", model, objective);
  const lr = schedule?.(number);
  if (schedule) checkNumber("training", "what the schedule gives", lr, rules.atLeast0);
  const { value, examples } = await model.engine.step(() => {
    if (lr !== undefined) optimizer.lr = lr;
    const output = model.forward(batch, { training: true });
    if (output.shape[0] === 0)
      throw new RangeError("training: a batch holds no example, of which there is no mean loss. Leave it out.");
    const value = lossOf("training", loss(output, targetOf("training", batch)));
    optimizer.update(value.backward());
    return { value, examples: output.shape[0]! };
  });
  return { loss: await value.item(), examples };
}

/**
 * One pass over the batches, a step each. The loss of a step is read while the next one is computed, so that the device
 * never waits for the host; when this resolves all are there.
 *
 * @param model such as a `MultimodalNet`.
 * @param optimizer of its parameters.
 * @param batches with a `label` each.
 * @param options objective, schedule and callback.
 * @returns the mean loss over the examples; NaN where there was no batch.
 * @throws Error at the first loss that is no finite number.
 * @example const loss = await trainEpoch(net, optimizer, batches(trainSet, 32));
 */
export async function trainEpoch<B>(
  model: Trainable<B>,
  optimizer: Optimizer,
  batches: Iterable<B> | AsyncIterable<B>,
  options: TrainOptions = {},
): Promise<number> {
  checkOptions("trainEpoch", options, { objective: true, onStep: true, schedule: true });
  const { objective, onStep = () => {}, schedule } = options;
  checkModel("trainEpoch", model);
  checkIterable("trainEpoch", "batches", batches);
  checkOptimizer("trainEpoch", optimizer);
  if (typeof onStep !== "function")
    throw new TypeError(`trainEpoch: onStep is ${describe(onStep)}, expected a function.`);
  if (schedule !== undefined && typeof schedule !== "function")
    throw new TypeError(`trainEpoch: schedule is ${describe(schedule)}, expected one such as cosine(1e-3, 1000).`);
  let [sum, examples, started] = [0, 0, 0];
  const finish = async ({ step, batch }: { step: Promise<TrainedStep>; batch: B }) => {
    const found = await step;
    if (!Number.isFinite(found.loss)) {
      const advice = notFiniteIn(batch) ?? "Lower the learning rate or clip the gradients.";
      throw new Error(`training: the loss is ${found.loss}. ${advice}`);
    }
    sum += found.loss * found.examples;
    examples += found.examples;
    await onStep(found);
  };
  let before: { step: Promise<TrainedStep>; batch: B } | undefined;
  for await (const batch of batches) {
    const step = trainStep(model, optimizer, batch, { objective, schedule }, started++);
    step.catch(() => {}); // thrown where it is awaited, not as unhandled
    if (before) await finish(before);
    before = { step, batch };
  }
  if (before) await finish(before);
  return sum / examples;
}

/** What a batch holds that makes every loss of it no number, as advice; undefined where its numbers are finite or on the device. */
function notFiniteIn(batch: unknown): string | undefined {
  for (const [name, data] of Object.entries(batch ?? {})) {
    const numbers = Array.isArray(data) || ArrayBuffer.isView(data) ? (data as ArrayLike<unknown> & object) : [];
    const at = Array.prototype.findIndex.call(numbers, (x) => typeof x === "number" && !Number.isFinite(x));
    if (at >= 0)
      return `The batch's ${name} holds ${String((numbers as ArrayLike<unknown>)[at])} at ${at}: mend the data.`;
  }
  return undefined;
}
