import { checkNumber, checkOptions, number } from "../check.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Metric } from "./metrics.ts";

/** When `fit` ends before all epochs are done. */
export interface EarlyStopping {
  /** Epochs without a better figure after which training ends. */
  patience: number;
  /** By how much a figure has to be better to count. Default 0. */
  minDelta?: number;
}

/** The best epoch so far, and how many have come since. Plain data: it goes into the checkpoint. */
export interface BestSoFar {
  epoch: number;
  /** Null until there was a figure that is a number. */
  value: number | null;
  since: number;
}

/** What "best" means: which figure of an epoch, and whether it should be small or large. */
export class BestTracker {
  constructor(
    readonly name: string,
    readonly lowest: boolean,
    readonly stopping: EarlyStopping | undefined,
  ) {}

  /**
   * @param name "loss" or the name of a metric.
   * @throws RangeError naming the figure that nobody computes, or a setting out of its range.
   */
  static of(name: string, metrics: Readonly<Record<string, Metric>>, stopping: EarlyStopping | undefined): BestTracker {
    const known = ["loss", ...Object.keys(metrics)];
    if (!known.includes(name)) throw new RangeError(`fit: monitor is "${name}", expected one of ${known.join(", ")}.`);
    checkOptions("fit: earlyStopping", stopping, { patience: true, minDelta: true });
    if (stopping) {
      checkNumber("fit", "earlyStopping.patience", stopping.patience, number.wholeAtLeast1);
      checkNumber("fit", "earlyStopping.minDelta", stopping.minDelta ?? 0, number.atLeast0);
    }
    return new BestTracker(name, name === "loss" || metrics[name]!.lowerIsBetter === true, stopping);
  }

  figureOf({ loss, metrics }: Pick<Evaluation, "loss" | "metrics">): number {
    return this.name === "loss" ? loss : metrics[this.name]!;
  }

  /** The best after an epoch with this figure. One that is NaN or infinite is never better: a checkpoint cannot hold it. */
  after(best: BestSoFar, epoch: number, value: number): BestSoFar {
    const gain = (from: number) => (this.lowest ? from - value : value - from);
    const better = best.value === null ? Number.isFinite(value) : gain(best.value) > (this.stopping?.minDelta ?? 0);
    return better ? { epoch, value, since: 0 } : { ...best, since: best.since + 1 };
  }

  isOver({ since }: BestSoFar): boolean {
    return this.stopping !== undefined && since >= this.stopping.patience;
  }
}
