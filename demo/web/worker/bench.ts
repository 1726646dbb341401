import { expose } from "comlink";
import { Bench } from "tinybench";
import { type Case, casesOf } from "../../../bench/cases.ts";
import { roofline } from "../../../bench/roofline.ts";
import { createEngine, type Engine } from "../../../src/index.ts";
import type { BenchDevice, BenchRow } from "../shared/protocol.ts";

/* The microbenchmarks of bench/, in the browser: each case is checked, then timed, then checked again. */

const REPEATS = 9;

export class BenchLab {
  #engine: Engine | undefined;
  #gflops = 0;

  /** Opens the device, and measures the best it can do. */
  async open(): Promise<BenchDevice> {
    this.#engine = await createEngine({ seed: 1 });
    const { gflops, gbs } = await roofline(this.#engine);
    this.#gflops = gflops;
    return { adapter: this.#engine.adapter, gflops, gbs };
  }

  /** Measures all cases one after another; each is announced, then told. */
  async run(announce: (op: string) => void, tell: (row: BenchRow) => void): Promise<void> {
    for (const make of casesOf(this.#engine!)) {
      const one = make();
      announce(one.op);
      tell(await this.#measure(one));
    }
    this.#engine!.destroy();
  }

  async #measure(one: Case): Promise<BenchRow> {
    const engine = this.#engine!;
    const row: BenchRow = { op: one.op, shape: one.shape, ms: null, gflops: null, share: null, dispatches: 0 };
    const { device } = engine.gpu;
    device.pushErrorScope("validation");
    try {
      const run = async (check?: Case["check"]) => {
        const result = await engine.step(one.record);
        row.dispatches = engine.stats().step.dispatches;
        await check?.(result);
        await device.queue.onSubmittedWorkDone();
        for (const tensor of "dispose" in result ? [result as { dispose(): void }] : Object.values(result))
          tensor.dispose();
      };
      // Twice: from the third step on nothing is created.
      for (let i = 0; i < 2; i++) await run(one.check);
      const bench = new Bench({ iterations: REPEATS, time: 0, warmup: false, throws: true });
      bench.add(one.op, () => run());
      const [task] = await bench.run();
      row.ms = (task!.result as { latency: { p50: number } }).latency.p50;
      await run(one.check);
      if (one.flops > 0) {
        row.gflops = one.flops / row.ms / 1e6;
        row.share = row.gflops / this.#gflops;
      }
    } catch (error) {
      row.error = (error as Error).message;
    }
    const invalid = await device.popErrorScope();
    return invalid ? { ...row, error: invalid.message } : row;
  }
}

expose(new BenchLab());
