import { checkName, checkNumber, number } from "../check.ts";
import type { Optimizer } from "../optim/index.ts";
import type { BestSoFar } from "./best.ts";
import { restoreCheckpoint } from "./checkpoint.ts";
import type { EpochRecord } from "./progress.ts";
import { decodeSafetensors, type Weights, WeightsError } from "./safetensors.ts";
import type { Store } from "./store.ts";
import type { Trainable } from "./trainable.ts";

/** How far a run has come: with weights, optimizer and data enough to go on to the same bits. */
export interface FitProgress {
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

export const LAST = "last.safetensors";
export const BEST = "best.safetensors";

/** Where a run stands: at its beginning, or where its checkpoint says. */
export async function begin<B>(
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

export async function readBest(store: Store | undefined): Promise<Weights> {
  const file = await store?.read(BEST);
  if (!file) throw new WeightsError(`fit: ${BEST} is missing beside ${LAST}: the best weights cannot be put back.`);
  return decodeSafetensors(file, BEST);
}
