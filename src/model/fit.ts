import {
  checkFlag,
  checkFunction,
  checkName,
  checkNumber,
  checkOptions,
  describe,
  isPlainObject,
  type Known,
  number,
} from "../check.ts";
import { refusePromise } from "../gpu/index.ts";
import { checkOptimizer, type Optimizer, type Schedule } from "../optim/index.ts";
import { type BestSoFar, BestTracker, type EarlyStopping } from "./best.ts";
import { encodeCheckpoint, restoreCheckpoint } from "./checkpoint.ts";
import { checkMetrics, type EvaluateOptions, evaluated } from "./evaluate.ts";
import { tensorsOf } from "./layers.ts";
import { type EpochRecord, progressLines } from "./progress.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  setWeights,
  type Weights,
  WeightsError,
  weightsOf,
} from "./safetensors.ts";
import { checkSource, SOURCE_OPTIONS, type Source, sourceBatches, stretch } from "./source.ts";
import type { Store } from "./store.ts";
import { type TrainedStep, trainEpoch } from "./train.ts";
import { checkModel, objectiveOf, type Trainable } from "./trainable.ts";

/** How `fit` trains. */
export interface FitOptions<B, E> extends EvaluateOptions<B, E> {
  /** Of the model's parameters, such as `adam(model.parameters(), { lr: 1e-3 })`. */
  optimizer: Optimizer;
  /** Passes over the data. */
  epochs: number;
  /** Of the order of a set's examples, anew in every epoch; null leaves them in order. Default 0. */
  seed?: number | null;
  /** Evaluated after every epoch: its loss, and the metrics. */
  validation?: Source<B, E>;
  /** The learning rate by the steps taken since the beginning, counted from 0. Default: as the optimizer has it. */
  schedule?: Schedule;
  /** The figure that tells the best epoch: "loss" (the default), or a metric. Of the validation, where there is one. */
  monitor?: string;
  /** Ends training when the monitored figure stops improving. Default: never. */
  earlyStopping?: EarlyStopping;
  /** Whether the weights of the best epoch are put back at the end. Default: where there is early stopping. */
  restoreBest?: boolean;
  /** Where last.safetensors (all that is needed to go on) and best.safetensors are kept: `folderStore` of handgrad/node, or a store of your own. */
  checkpoint?: Store;
  /** Steps between two checkpoints; one is always made at the end of an epoch. Default: none between. */
  checkpointEvery?: number;
  /** Go on from the checkpoint, where there is one. Without it, fit refuses to write over one. */
  resume?: boolean;
  /** Called after steps and epochs, in this order. */
  callbacks?: readonly FitCallbacks[];
  /** Called with a line of text after every epoch, and every ten seconds within one: `progress: console.log`. */
  progress?: (line: string) => void;
  /** Ends training before the next step, after a checkpoint. */
  signal?: AbortSignal;
}

/** What is called while `fit` trains; a promise is awaited. */
export interface FitCallbacks {
  /** After each step, while the next one is computed. */
  step?(step: TrainedStep & { epoch: number; number: number }): unknown;
  /** After each epoch's validation, before its checkpoint. True, or a promise of it, ends training. */
  epoch?(epoch: EpochRecord): unknown;
}

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

/** How far a run has come: with weights, optimizer and data enough to go on to the same bits. */
interface FitProgress {
  steps: number;
  /** Steps of the engine, which its seeds follow. */
  engineSteps: number;
  /** Of the epoch under way: its batches used, and their examples and summed loss. */
  batches: number;
  examples: number;
  sum: number;
  lr: number;
  history: EpochRecord[];
  best: BestSoFar;
  ended: "early" | "callback" | null;
}

const LAST = "last.safetensors";
const BEST = "best.safetensors";

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
  } = checked(data, options);
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

const KNOWN: Known<FitOptions<never, never>> = {
  ...SOURCE_OPTIONS,
  objective: true,
  metrics: true,
  optimizer: true,
  epochs: true,
  seed: true,
  validation: true,
  schedule: true,
  monitor: true,
  earlyStopping: true,
  restoreBest: true,
  checkpoint: true,
  checkpointEvery: true,
  resume: true,
  callbacks: true,
  progress: true,
  signal: true,
};

const CALLBACKS: Known<FitCallbacks> = { step: true, epoch: true };

/** The options, each of them one that can be. */
function checked<B, E>(data: Source<B, E>, options: FitOptions<B, E>): FitOptions<B, E> {
  if (options === undefined) throw new TypeError("fit: there are no options, expected { optimizer, epochs } at least.");
  checkOptions("fit", options, KNOWN);
  const { optimizer, epochs, checkpointEvery = Number.POSITIVE_INFINITY, seed, callbacks = [], checkpoint } = options;
  checkOptimizer("fit", optimizer);
  checkNumber("fit", "epochs", epochs, number.wholeAtLeast0);
  if (checkpointEvery !== Number.POSITIVE_INFINITY)
    checkNumber("fit", "checkpointEvery", checkpointEvery, number.wholeAtLeast1);
  if (seed !== undefined && seed !== null) checkNumber("fit", "seed", seed, number.whole);
  checkFlag("fit", "restoreBest", options.restoreBest);
  checkFlag("fit", "resume", options.resume);
  for (const name of ["schedule", "progress"] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(`fit: ${name} is ${describe(value)}, expected a function.`);
  }
  if (!Array.isArray(callbacks)) throw new TypeError(`fit: callbacks is ${describe(callbacks)}, expected a list.`);
  for (const callback of callbacks) {
    // An object of a class may have more of its own beside them.
    if (isPlainObject(callback)) checkOptions("fit: callbacks", callback, CALLBACKS);
    for (const name of ["step", "epoch"] as const)
      if (callback?.[name] !== undefined) checkFunction("fit", `a callback's ${name}`, callback[name]);
    if (typeof callback?.step !== "function" && typeof callback?.epoch !== "function")
      throw new TypeError("fit: a callback has neither step nor epoch, expected a function of one of these names.");
  }
  const isStore = (x: Partial<Store> | null) => typeof x?.read === "function" && typeof x.write === "function";
  if (checkpoint !== undefined && !isStore(checkpoint))
    throw new TypeError(
      `fit: checkpoint is ${describe(checkpoint)}, expected a store, { read, write }, such as folderStore("runs/mine") of handgrad/node.`,
    );
  if (options.signal !== undefined && typeof options.signal?.aborted !== "boolean")
    throw new TypeError(`fit: signal is ${describe(options.signal)}, expected the signal of an AbortController.`);
  checkMetrics("fit", options.metrics);
  const figures = Object.keys(options.metrics ?? {});
  if (figures.length > 0 && options.validation === undefined)
    throw new TypeError(
      `fit: the metrics ${figures.join(", ")} are of the validation data, of which there are none. Give validation, or no metrics.`,
    );
  if (figures.includes("loss"))
    throw new TypeError('fit: a metric is called "loss", which is the name of the loss. Give it another name.');
  checkSource("fit", data, options);
  if (options.validation !== undefined) checkSource("fit: validation", options.validation, options);
  return options;
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
      const known = new Set(Object.values(tensorsOf(model)).map(({ slot }) => slot));
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

/** Where a run stands: at its beginning, or where its checkpoint says. */
async function begin<B>(
  model: Trainable<B>,
  optimizer: Optimizer,
  store: Store | undefined,
  resume: boolean,
): Promise<FitProgress> {
  if (resume && !store) throw new TypeError("fit: resume needs checkpoint: the store to go on from.");
  const file = await store?.read(LAST);
  if (file && !resume)
    throw new Error(
      `fit: there is a checkpoint already (${LAST}). Go on from it with resume: true, or give another store.`,
    );
  if (!file) {
    const best = { epoch: 0, value: null, since: 0 };
    const nothing = { steps: 0, batches: 0, examples: 0, sum: 0, history: [], best, ended: null };
    return { ...nothing, engineSteps: model.engine.stepCount, lr: optimizer.lr };
  }
  const found = restoreCheckpoint(model, optimizer, file, LAST, checkProgress) as FitProgress;
  model.engine.stepCount = found.engineSteps;
  optimizer.lr = found.lr;
  return found;
}

/** @throws RangeError, TypeError naming what a checkpoint of fit has and this one has not. */
function checkProgress(progress: unknown): void {
  const what = "not a checkpoint of fit";
  const found = (typeof progress === "object" && progress !== null ? progress : {}) as Partial<FitProgress>;
  for (const name of ["steps", "engineSteps", "batches", "examples"] as const)
    checkNumber(what, name, found[name], number.wholeAtLeast0);
  checkNumber(what, "sum", found.sum, number.finite);
  checkNumber(what, "lr", found.lr, number.atLeast0);
  if (!Array.isArray(found.history)) throw new TypeError(`${what}: it has no history.`);
  const { epoch, value, since } = found.best ?? {};
  checkNumber(what, "best.epoch", epoch, number.wholeAtLeast0);
  checkNumber(what, "best.since", since, number.wholeAtLeast0);
  if (value !== null) checkNumber(what, "best.value", value, number.finite);
  if (found.ended !== null) checkName(what, "ended", found.ended, ["early", "callback"]);
}

async function readBest(store: Store | undefined): Promise<Weights> {
  const file = await store?.read(BEST);
  if (!file) throw new WeightsError(`fit: ${BEST} is missing beside ${LAST}: the best weights cannot be put back.`);
  return decodeSafetensors(file, BEST);
}
