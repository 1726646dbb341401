import { expose } from "comlink";
import { createEngine, type Engine } from "handgrad";
import { casesOf } from "../../../bench/cases.ts";
import { measure, type Peak, roofline } from "../../../bench/measure.ts";
import type { BenchDevice, BenchRow } from "../shared/protocol.ts";

/* The microbenchmarks of bench/, in the browser: each case is checked, then timed, then checked again. */

const REPEATS = 9;

export class BenchSession {
  #engine: Engine | undefined;
  #peak: Peak = { gflops: 0, gbs: 0 };

  /** Opens the device, and measures the best it can do. */
  async open(): Promise<BenchDevice> {
    this.#engine = await createEngine({ seed: 1 });
    this.#peak = await roofline(this.#engine);
    return { adapter: this.#engine.adapter, ...this.#peak };
  }

  /** Measures all cases one after another; each is announced, then told. */
  async run(announce: (op: string) => void, tell: (row: BenchRow) => void): Promise<void> {
    for (const make of casesOf(this.#engine!)) {
      const one = make();
      announce(one.op);
      const { row } = await measure(this.#engine!, () => one, this.#peak, { repeats: REPEATS });
      const { op, shape, msMedian: ms, gflops, rooflineShare: share, dispatches, error } = row;
      tell({ op, shape, ms, gflops, share, dispatches, ...(error !== undefined && { error }) });
    }
    this.#engine!.destroy();
  }
}

expose(new BenchSession());
