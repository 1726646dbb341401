import { checkNumber, describe, number } from "../check.ts";

/** A learning rate by the steps taken before, from 0 on: `optimizer.lr = schedule(step)` before each one. */
export type Schedule = (step: number) => number;

/** What every schedule refuses: a step that is no number of at least 0. */
const checked =
  (name: string, schedule: Schedule): Schedule =>
  (step) => {
    checkNumber(`${name}'s schedule`, "step", step, number.atLeast0);
    return schedule(step);
  };

/**
 * The same learning rate always.
 *
 * @param lr the learning rate, at least 0.
 * @returns the schedule; it throws RangeError where the step is no number of at least 0.
 * @throws RangeError where the rate is negative or not finite.
 * @example const schedule = warmUp(100, constant(1e-3));
 */
export function constant(lr: number): Schedule {
  checkNumber("constant", "lr", lr, number.atLeast0);
  return checked("constant", () => lr);
}

/**
 * Half a cosine from `lr` down to `minLr` in `steps` steps, and `minLr` from then on (Loshchilov and Hutter 2017), PyTorch's
 * `CosineAnnealingLR`: minLr + (lr − minLr) · (1 + cos(π · step / steps)) / 2.
 *
 * @param lr the learning rate of step 0.
 * @param steps how many steps it takes to reach `minLr`.
 * @param minLr the last learning rate. Default 0.
 * @returns the schedule; it throws RangeError where the step is no number of at least 0.
 * @throws RangeError naming what is negative, not finite or not whole.
 * @example
 * const schedule = cosine(1e-3, 1000);
 * optimizer.lr = schedule(step);
 */
export function cosine(lr: number, steps: number, minLr = 0): Schedule {
  checkNumber("cosine", "lr", lr, number.atLeast0);
  checkNumber("cosine", "steps", steps, number.wholeAtLeast1);
  checkNumber("cosine", "minLr", minLr, number.atLeast0);
  return checked("cosine", (step) => {
    const share = 0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, step / steps));
    return minLr + (lr - minLr) * share;
  });
}

/**
 * `factor` times as much after every `every` steps, PyTorch's `StepLR`: lr · factor^⌊step / every⌋.
 *
 * @param lr the learning rate of step 0.
 * @param every steps between two changes.
 * @param factor of each change. Default 0.1.
 * @returns the schedule; it throws RangeError where the step is no number of at least 0.
 * @throws RangeError naming what is negative, not finite or not whole.
 * @example const schedule = stepped(0.1, 1000, 0.5);
 */
export function stepped(lr: number, every: number, factor = 0.1): Schedule {
  checkNumber("stepped", "lr", lr, number.atLeast0);
  checkNumber("stepped", "every", every, number.wholeAtLeast1);
  checkNumber("stepped", "factor", factor, number.atLeast0);
  return checked("stepped", (step) => lr * factor ** Math.floor(step / every));
}

/**
 * Even steps up to what `schedule` begins with, then `schedule` from its step 0 on. Without steps it is `schedule` itself.
 *
 * @param steps of the warm-up.
 * @param schedule that follows.
 * @returns the schedule; it throws RangeError where the step is no number of at least 0.
 * @throws TypeError where `schedule` is no function, RangeError where `steps` is no whole number of at least 0.
 * @example const schedule = warmUp(100, cosine(1e-3, 1000));
 */
export function warmUp(steps: number, schedule: Schedule): Schedule {
  checkNumber("warmUp", "steps", steps, number.wholeAtLeast0);
  if (typeof schedule !== "function")
    throw new TypeError(`warmUp: schedule is ${describe(schedule)}, expected one such as cosine(1e-3, 1000).`);
  return checked("warmUp", (step) => (step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - steps)));
}
