import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { Bench } from "tinybench";
import { createEngine, type Engine } from "../src/node.ts";
import { type Case, casesOf } from "./cases.ts";
import { roofline } from "./roofline.ts";

/* Microbenchmarks: each case is checked, then timed, submit to done; the device's best rates are measured beside. */

interface Row {
  engine: "handgrad";
  op: string;
  shape: string;
  msMedian: number | null;
  msMin: number | null;
  gflops: number | null;
  rooflineShare: number | null;
  dispatches: number;
  submits: number;
  buffers: number;
  adapter: string;
  error?: string;
}

async function measure(engine: Engine, one: Case, repeats: number, peak: number): Promise<Row> {
  const { op, shape, flops } = one;
  const row: Row = {
    ...{ engine: "handgrad", op, shape, msMedian: null, msMin: null, gflops: null, rooflineShare: null },
    ...{ dispatches: 0, submits: 0, buffers: 0, adapter: engine.adapter },
  };
  const { device } = engine.gpu;
  device.pushErrorScope("validation");
  try {
    const run = async (look?: Case["check"]) => {
      const result = await engine.step(one.record);
      const { dispatches, submits, buffers } = engine.stats().step;
      Object.assign(row, { dispatches, submits, buffers });
      await look?.(result);
      await device.queue.onSubmittedWorkDone();
      for (const t of "dispose" in result ? [result as { dispose(): void }] : Object.values(result)) t.dispose();
    };
    // Twice: from the third step on nothing is created.
    for (let i = 0; i < 2; i++) await run(one.check);
    const bench = new Bench({ iterations: repeats, time: 0, warmup: false, throws: true });
    bench.add(op, () => run());
    const [task] = await bench.run();
    const { latency } = task!.result as { latency: { p50: number; min: number } };
    await run(one.check);
    const gflops = flops > 0 ? flops / latency.p50 / 1e6 : null;
    Object.assign(row, { msMedian: latency.p50, msMin: latency.min, gflops });
    row.rooflineShare = gflops === null ? null : gflops / peak;
  } catch (error) {
    row.error = (error as Error).message;
  }
  const invalid = await device.popErrorScope();
  if (invalid) row.error = invalid.message;
  return row;
}

const program = new Command("bench")
  .option("--json <file>", "write one JSON object a line")
  .option("--only <text>", "only ops whose name contains this", "")
  .option("--repeats <n>", "timed runs of each", (text) => Number.parseInt(text, 10), 9)
  .option("--software", "the software device, even where there is a GPU");
const { json, only, repeats, software } = program.parse().opts();

const engine = await createEngine({ seed: 1, software: software ?? false });
console.log(`device: ${engine.adapter}`);
const peak = await roofline(engine);
console.log(`at best ${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, copies at ${peak.gbs.toFixed(2)} GB/s`);
const rows: Row[] = [];
for (const make of casesOf(engine)) {
  const one = make();
  if (!one.op.includes(only)) continue;
  const row = await measure(engine, one, repeats, peak.gflops);
  rows.push(row);
  const rate =
    row.gflops === null ? "" : `${row.gflops.toFixed(2)} GFLOP/s, ${(100 * row.rooflineShare!).toFixed(1)} %`;
  const time = row.error ?? `${row.msMedian!.toFixed(1)} ms (least ${row.msMin!.toFixed(1)})`;
  console.log(`${row.op.padEnd(20)} ${row.shape.padEnd(54)} ${time.padEnd(30)} ${row.dispatches} dispatches  ${rate}`);
}
if (json) writeFileSync(json, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
engine.destroy();
process.exitCode = rows.some((row) => row.error) ? 1 : 0;
