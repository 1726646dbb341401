import { crossEntropy } from "../autograd/index.ts";
import type { Batch, MultimodalNet } from "./multimodal.ts";
import type { Optimiser } from "./optimiser.ts";

export type LabelledBatch = Batch & { label: Int32Array };

/** One supervised step: cross-entropy of a batch, its gradients, the update; one submit. Gives the batch's loss. */
export async function trainStep(net: MultimodalNet, optimiser: Optimiser, batch: LabelledBatch): Promise<number> {
  const loss = await net.engine.step(() => {
    const loss = crossEntropy(net.forward(batch, { training: true }), batch.label);
    optimiser.update(loss.backward());
    return loss;
  });
  return loss.item();
}

/**
 * One pass over the batches. The loss of each step is read while the next one is computed, so that the device never
 * waits for the host.
 *
 * @returns the mean loss.
 */
export async function trainEpoch(
  net: MultimodalNet,
  optimiser: Optimiser,
  batches: Iterable<LabelledBatch>,
  onStep: (loss: number) => void = () => {},
): Promise<number> {
  let sum = 0;
  let steps = 0;
  let before: Promise<number> | undefined;
  const finish = async () => {
    if (!before) return;
    const loss = await before;
    if (!Number.isFinite(loss))
      throw new Error(`training: the loss is ${loss}. Lower the learning rate or clip the gradients.`);
    sum += loss;
    steps += 1;
    onStep(loss);
  };
  for (const batch of batches) {
    const now = trainStep(net, optimiser, batch);
    now.catch(() => {});
    await finish();
    before = now;
  }
  await finish();
  return sum / steps;
}
