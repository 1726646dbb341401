/** A learning rate by the steps taken: `optimiser.lr = schedule(step)` before each one. */
export type Schedule = (step: number) => number;

export const constant =
  (lr: number): Schedule =>
  () =>
    lr;

/** From `lr` down to `least` in `steps`, by half a cosine, and `least` from then on (Loshchilov and Hutter 2017). */
export const cosine =
  (lr: number, steps: number, least = 0): Schedule =>
  (step) =>
    least + (lr - least) * (0.5 + 0.5 * Math.cos(Math.PI * Math.min(1, step / steps)));

/** `factor` times as much after every `every` steps. */
export const stepped =
  (lr: number, every: number, factor = 0.1): Schedule =>
  (step) =>
    lr * factor ** Math.floor(step / every);

/** In even steps up to what `schedule` begins with, then `schedule`. */
export const warmUp =
  (steps: number, schedule: Schedule): Schedule =>
  (step) =>
    step < steps ? (schedule(0) * (step + 1)) / steps : schedule(step - steps);
