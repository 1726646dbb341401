import { checkName, checkNumber, describe, number } from "handgrad/check";
import type { LearnerState } from "handgrad/rl";
import type { HeldOut } from "./held-out.ts";

/** How far a run has come; with the weights and the optimizer's memory, enough to go on as if never stopped. */
export interface Progress {
  stage: "train" | "learn" | "done";
  /** Epochs trained. */
  epochs: number;
  /** Examples of the stream that were asked about. */
  asked: number;
  /** Steps of the engine, which its seeds follow. */
  engineSteps: number;
  learner: LearnerState | null;
  /** How good it was before any judgement, by set. */
  before: Record<HeldOut, { accuracy: number; ece: number }> | null;
}

/** @throws TypeError or RangeError naming what of a checkpoint's progress cannot be. The learner checks its own part. */
export function checkProgress(found: unknown): asserts found is Progress {
  const { stage, epochs, asked, engineSteps, learner, before } = objectOf("progress", found);
  checkName("progress", "stage", stage, ["train", "learn", "done"]);
  for (const [name, value] of Object.entries({ epochs, asked, engineSteps }))
    checkNumber("progress", name, value, number.wholeAtLeast0);
  if (learner !== null) objectOf("progress: learner", learner);
  if (before === null) return;
  const sets = objectOf("progress: before", before);
  for (const name of ["unseen", "seen"] satisfies HeldOut[]) {
    const { accuracy, ece } = objectOf(`progress: before.${name}`, sets[name]);
    for (const [figure, value] of Object.entries({ accuracy, ece }))
      checkNumber("progress", `before.${name}.${figure}`, value, number.share);
  }
}

function objectOf(what: string, found: unknown): Record<string, unknown> {
  if (typeof found === "object" && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
  throw new TypeError(`${what} is ${describe(found)}, expected an object.`);
}
