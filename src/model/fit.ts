import { refusePromise } from "../gpu/index.ts";
import { type BestSoFar, BestTracker } from "./best.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { evaluated } from "./evaluate.ts";
import { checkFitOptions, type FitOptions } from "./fitOptions.ts";
import { BEST, begin, LAST, readBest } from "./fitProgress.ts";
import { tensorsOf } from "./layers.ts";
import { type EpochRecord, progressLines } from "./progress.ts";
import { encodeSafetensors, setWeights, type Weights, weightsOf } from "./safetensors.ts";
import { type Source, sourceBatches, stretch } from "./source.ts";
import { trainEpoch } from "./train.ts";
import { checkModel, objectiveOf, type Trainable } from "./trainable.ts";

/** What `fit` did. */
export interface Fitted {
  /** A record for each epoch. */
  history: EpochRecord[];
  /** The best epoch by the monitored figure; undefined where no epoch had one that is a number. */
  best:
    | {
        /** From 1 on. */
        epoch: number;
        /** The monitored figure. */
        value: number;
      }
    | undefined;
  /** Why it ended: all epochs done, early stopping, a callback, or the signal. */
  ended: "epochs" | "early" | "callback" | "signal";
}

/**
 * Trains a model for `epochs` passes over the data, with validation after each. The same seed, data and adapter give the
 * same bits, also where a run was killed and resumes from its checkpoint.
 *
 * @param model such as a `MultimodalNet`, or anything with `forward`, `parameters` and `engine`.
 * @param data a set of examples, or a function that gives batches; batches have a `label`.
 * @param options optimizer, epochs and the rest.
 * @returns the history, the best epoch, and why training ended.
 * @throws Error at the first loss that is no finite number, or where a checkpoint would hold such weights; the last checkpoint
 * is from before it.
 * @throws TypeError or RangeError naming what of model, data or options cannot be.
 * @example await fit(net, trainSet, { optimizer: adam(net.parameters(), { lr: 1e-3 }), epochs: 10, validation });
 */
export async function fit<B, E>(model: Trainable<B>, data: Source<B, E>, options: FitOptions<B, E>): Promise<Fitted> {
  const {
    optimizer,
    epochs,
    checkpoint: store,
    callbacks = [],
    signal,
    validation,
    metrics = {},
    schedule,
    seed = 0,
  } = checkFitOptions(data, options);
  const { checkpointEvery = Number.POSITIVE_INFINITY, restoreBest = options.earlyStopping !== undefined } = options;
  checkModel("fit", model);
  const objective = objectiveOf("fit", model, options.objective);
  const watch = BestTracker.of(options.monitor ?? "loss", validation ? metrics : {}, options.earlyStopping);
  const at = await begin(model, optimizer, store, options.resume ?? false);
  const { progress } = options;
  const lines = progress && progressLines((line) => refusePromise("fit: progress", progress(line)), epochs);
  const config = "config" in model ? { config: JSON.stringify(model.config) } : {};
  let best: Weights | undefined;

  const save = async () => {
    at.engineSteps = model.engine.stepCount;
    await store?.write(LAST, await encodeCheckpoint(model, optimizer, at));
  };
  const kept = store || restoreBest ? expectingAllKept(model) : model;
  const going = () => !signal?.aborted;

  while (at.history.length < epochs && at.ended === null && going()) {
    const epoch = at.history.length;
    const batches = sourceBatches(data, options, { epoch, from: at.batches, seed });
    try {
      for (;;) {
        const [before, first] = [at.batches, at.steps];
        await trainEpoch(kept, optimizer, stretch(batches, checkpointEvery, going), {
          objective,
          schedule: schedule && ((step) => schedule(first + step)),
          onStep: async (step) => {
            at.steps += 1;
            at.batches += 1;
            at.examples += step.examples;
            at.sum += step.loss * step.examples;
            lines?.step({ ...step, epoch: epoch + 1 });
            for (const callback of callbacks) await callback.step?.({ ...step, epoch: epoch + 1, number: at.steps });
          },
        });
        at.lr = optimizer.lr;
        if (at.batches - before < checkpointEvery) break;
        await save();
      }
    } finally {
      await batches.return(undefined);
    }
    if (!going()) break;
    if (at.examples === 0)
      throw new Error(
        `fit: epoch ${epoch + 1} has no batches. Give a set, or a function that gives the batches anew in every epoch.`,
      );
    const record: EpochRecord = { epoch: epoch + 1, steps: at.steps, loss: at.sum / at.examples, lr: at.lr };
    if (validation) {
      const { loss, metrics } = await evaluated("fit: validation", model, validation, options);
      record.validation = { loss, metrics };
    }
    at.history.push(record);
    [at.batches, at.examples, at.sum] = [0, 0, 0];
    at.best = watch.after(at.best, epoch + 1, watch.figureOf(record.validation ?? { loss: record.loss, metrics: {} }));
    if (at.best.epoch === epoch + 1 && (restoreBest || store)) {
      best = await weightsOf(model, { ...config, epoch: String(epoch + 1), [watch.name]: String(at.best.value) });
      await store?.write(BEST, encodeSafetensors(best));
    }
    if (watch.isOver(at.best)) at.ended = "early";
    for (const callback of callbacks) if ((await callback.epoch?.(record)) === true) at.ended ??= "callback";
    lines?.epoch(record, at.best.epoch === epoch + 1);
    await save();
  }
  if (!going() && at.history.length < epochs && at.ended === null) {
    await save();
    return { history: at.history, best: bestOf(at.best), ended: "signal" };
  }
  if (restoreBest && at.best.value !== null) {
    best ??= await readBest(store);
    setWeights(model, best, BEST);
  }
  return { history: at.history, best: bestOf(at.best), ended: at.ended ?? "epochs" };
}

/** The model, but for an error where a step changes something in place that weights and checkpoints would not hold. */
function expectingAllKept<B>(model: Trainable<B>): Trainable<B> {
  return {
    engine: model.engine,
    parameters: () => model.parameters(),
    forward(batch, options) {
      const output = model.forward(batch, options);
      const changed = model.engine.gpu.recording!.changed;
      if (changed.size === 0) return output;
      const known = new Set(Object.values(tensorsOf("fit", model)).map(({ slot }) => slot));
      for (const slot of changed) {
        if (!known.has(slot))
          throw new Error(
            `fit: the model changes running averages of ${slot.bytes / 4} numbers that its weights do not hold, so that a checkpoint or the best weights would give another model. Let it have buffers(): { "norm.mean": …, "norm.variance": … }.`,
          );
      }
      return output;
    },
  };
}

const bestOf = ({ epoch, value }: BestSoFar) => (value === null ? undefined : { epoch, value });
