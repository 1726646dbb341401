import { checkNumber, describe, number } from "../check.ts";

/** A learning rate by the steps taken: `optimizer.lr = schedule(step)` before each one. */
export type Schedule = (step: number) => number;

/** What every schedule refuses: a step that is no number of at least 0. */
const checked =
  (name: string, schedule: Schedule): Schedule =>
  (step) => {
    checkNumber(`${name}'s schedule`, "step", step, number.atLeast0);
    return schedule(step);
  };

/** @throws RangeError where the rate is negative or no finite number, as the other schedules do of what they are told. */
export function constant(lr: number): Schedule {
  checkNumber("constant", "lr", lr, number.atLeast0);
  return checked("constant", () => lr);
}

/** From `lr` down to `least` in `steps`, by half a cosine, and `least` from then on (Loshchilov and Hutter 2017). */
export function cosine(lr: number, steps: number, least = 0): Schedule {
  checkNumber("cosine", "lr", lr, number.atLeast0);
  checkNumber("cosine", "steps", steps, number.wholeAtLeast1);
  checkNumber("cosine", "least", least, number.atLeast0);
  return checked("cosine", (step) => {
    const share = 0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, step / steps));
    return least + (lr - least) * share;
  });
}

/** `factor` times as much after every `every` steps. */
export function stepped(lr: number, every: number, factor = 0.1): Schedule {
  checkNumber("stepped", "lr", lr, number.atLeast0);
  checkNumber("stepped", "every", every, number.wholeAtLeast1);
  checkNumber("stepped", "factor", factor, number.atLeast0);
  return checked("stepped", (step) => lr * factor ** Math.floor(step / every));
}

/** In even steps up to what `schedule` begins with, then `schedule`. Without steps it is `schedule` itself. */
export function warmUp(steps: number, schedule: Schedule): Schedule {
  checkNumber("warmUp", "steps", steps, number.wholeAtLeast0);
  if (typeof schedule !== "function")
    throw new TypeError(`warmUp: schedule is ${describe(schedule)}, expected one such as cosine(1e-3, 1000).`);
  return checked("warmUp", (step) => (step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - steps)));
}
