import type { Optimiser } from "./optimiser.ts";
import type { Schedule } from "./schedule.ts";
import { type Objective, objectiveOf, type Trainable, targetOf } from "./trainable.ts";

/** One step of training, when its loss has arrived. */
export interface TrainedStep {
  loss: number;
  /** Examples in its batch. */
  examples: number;
}

export interface TrainOptions {
  /** What the model's outputs mean. Default: as the model itself says. */
  objective?: Objective | undefined;
  /** Called with each step's loss, in order, while the next step is computed. */
  onStep?: (step: TrainedStep) => unknown;
  /** Gives the learning rate of each step of this pass, counted from 0. Default: as the optimiser has it. */
  schedule?: Schedule | undefined;
}

/**
 * One pass over the batches, each with its `label`: for each the loss, its gradients and the update, in one submit. The loss of a step is read
 * while the next one is computed, so that the device never waits for the host; when this resolves all are there.
 *
 * @returns the mean loss over the examples; NaN where there was no batch.
 * @throws Error at the first loss that is no finite number.
 */
export async function trainEpoch<B>(
  model: Trainable<B>,
  optimiser: Optimiser,
  batches: Iterable<B> | AsyncIterable<B>,
  { objective, onStep = () => {}, schedule }: TrainOptions = {},
): Promise<number> {
  const { loss } = objectiveOf("training", model, objective);
  let [sum, examples, started] = [0, 0, 0];
  const step = async (batch: B): Promise<TrainedStep> => {
    const number = started++;
    const { value, N } = await model.engine.step(() => {
      if (schedule) optimiser.lr = schedule(number);
      const output = model.forward(batch, { training: true });
      const value = loss(output, targetOf("training", batch));
      optimiser.update(value.backward());
      return { value, N: output.shape[0]! };
    });
    return { loss: await value.item(), examples: N };
  };
  const finish = async (step: Promise<TrainedStep>) => {
    const found = await step;
    if (!Number.isFinite(found.loss))
      throw new Error(`training: the loss is ${found.loss}. Lower the learning rate or clip the gradients.`);
    sum += found.loss * found.examples;
    examples += found.examples;
    await onStep(found);
  };
  let before: Promise<TrainedStep> | undefined;
  for await (const batch of batches) {
    const now = step(batch);
    now.catch(() => {}); // thrown where it is awaited, not as unhandled
    if (before) await finish(before);
    before = now;
  }
  if (before) await finish(before);
  return sum / examples;
}
