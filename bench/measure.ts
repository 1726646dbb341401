import type * as hg from "handgrad";
import { Bench } from "tinybench";
import type { Case, Results } from "./case.ts";
import { roofline } from "./roofline.ts";
import { emptyRow, type Row } from "./row.ts";

/* Checks a case, then times it: K runs a step, submitted once, awaited. The same in Node and in a page. */

/** The device's best rates. */
export interface Peak {
  readonly gflops: number;
  readonly gbs: number;
}
export { roofline };

/** A step should take this long at least, so that submitting and waiting do not count: K is chosen so. */
const STEP_MS = 20;
const MOST_RUNS = 64;

/** Measures a case. What goes wrong, on the device or off it, becomes the row's error. `host` is JavaScript's time of a step. */
export async function measure(
  engine: hg.Engine,
  make: () => Case,
  peak: Peak,
  { repeats, tune = false }: { repeats: number; tune?: boolean },
): Promise<{ row: Row; host: number }> {
  let row = emptyRow(engine.adapter, { op: "?", shape: "?" });
  const host: number[] = [];
  try {
    const one = make();
    row = emptyRow(engine.adapter, one);
    const run = async (runs: number, look?: Case["check"], step: "step" | "tune" = "step") => {
      const results = await engine[step](() => {
        let last: Results = {};
        for (let i = 0; i < runs; i++) last = one.record();
        return last;
      });
      const { dispatches, submits, buffers, milliseconds } = engine.stats().step;
      host.push(milliseconds);
      Object.assign(row, { dispatches: dispatches / runs, submits, buffers });
      await look?.(results);
      await engine.synchronize();
      for (const t of Object.values(results)) t.dispose();
    };
    // Three times: from the third step on nothing is created.
    await run(1, one.check, tune ? "tune" : "step");
    await run(1, one.check);
    const start = performance.now();
    await run(1);
    const K = one.alone ? 1 : Math.max(1, Math.min(MOST_RUNS, Math.ceil(STEP_MS / (performance.now() - start))));
    if (K > 1) for (let i = 0; i < 2; i++) await run(K);
    host.length = 0;
    const bench = new Bench({ iterations: repeats, time: 0, warmup: false, throws: true });
    bench.add(one.op, () => run(K));
    const [task] = await bench.run();
    const { latency } = task!.result as { latency: { p50: number; min: number } };
    await run(1, one.check);
    row.msMedian = latency.p50 / K;
    row.msMin = latency.min / K;
    if (one.flops > 0) row.gflops = one.flops / row.msMedian / 1e6;
    if (one.bytes > 0) row.gbs = one.bytes / row.msMedian / 1e6;
    if (one.bytes > 0) row.rooflineShare = Math.max((row.gflops ?? 0) / peak.gflops, (row.gbs ?? 0) / peak.gbs);
  } catch (error) {
    row.error = (error as Error).message;
  }
  if (row.error) Object.assign(row, { msMedian: null, msMin: null, gflops: null, gbs: null, rooflineShare: null });
  return { row, host: median(host) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1]! : 0;
}
