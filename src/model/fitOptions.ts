import {
  checkFlag,
  checkFunction,
  checkNumber,
  checkOptions,
  describe,
  isPlainObject,
  type Known,
  number,
} from "../check.ts";
import { checkOptimizer, type Optimizer, type Schedule } from "../optim/index.ts";
import type { EarlyStopping } from "./best.ts";
import { checkMetrics, type EvaluateOptions } from "./evaluate.ts";
import type { EpochRecord } from "./progress.ts";
import { checkSource, SOURCE_OPTIONS, type Source } from "./source.ts";
import type { Store } from "./store.ts";
import type { TrainedStep } from "./train.ts";

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
export function checkFitOptions<B, E>(data: Source<B, E>, options: FitOptions<B, E>): FitOptions<B, E> {
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
