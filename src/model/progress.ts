/** What one epoch of `fit` came to. */
export interface EpochRecord {
  /** From 1 on. */
  epoch: number;
  /** Steps taken since the beginning. */
  steps: number;
  /** Mean loss over the examples of the epoch, each as it was when its batch was learned. */
  loss: number;
  /** The learning rate of the last step. */
  lr: number;
  /** Loss and metrics of the validation data, where there are some. */
  validation?: {
    /** Mean loss over the examples. */
    loss: number;
    /** Each metric by name. */
    metrics: Record<string, number>;
  };
}

/** Milliseconds between two lines within an epoch. */
const QUIET = 10_000;

/** Tells how training goes, a line at a time. */
export function progressLines(write: (line: string) => void, epochs: number) {
  let [said, began, steps] = [performance.now(), performance.now(), 0];
  return {
    step({ epoch, loss }: { epoch: number; loss: number }): void {
      steps += 1;
      const now = performance.now();
      if (now - said < QUIET) return;
      said = now;
      write(`epoch ${epoch}/${epochs}: step ${steps}, loss ${loss.toFixed(4)}, ${perStep(now - began, steps)}`);
    },
    epoch({ epoch, loss, validation }: EpochRecord, best: boolean): void {
      const now = performance.now();
      const { loss: held, metrics } = validation ?? { metrics: {} };
      const figures = Object.entries({ ...(held !== undefined && { loss: held }), ...metrics });
      const found = figures.map(([name, value]) => `${name} ${value.toFixed(4)}`).join(", ");
      write(
        `epoch ${epoch}/${epochs}: ${steps} steps, loss ${loss.toFixed(4)}${found ? `; validation: ${found}` : ""}${best ? " (best so far)" : ""}, ${perStep(now - began, steps)}`,
      );
      [said, began, steps] = [now, now, 0];
    },
  };
}

const perStep = (milliseconds: number, steps: number) => `${Math.round(milliseconds / Math.max(1, steps))} ms a step`;
