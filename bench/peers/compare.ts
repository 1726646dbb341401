import { smallest } from "handgrad/data";
import { emptyRow, type Row } from "../row.ts";
import { countsNow } from "./count.ts";
import type { About, Peer, Prepared, Times, Workload } from "./workloads.ts";

/** One engine's row for one workload; null where it was not measured. */
export interface Result extends Row {
  /** Processor time of a run, all threads: tells more than the clock on a busy machine. Null in a page. */
  msCpu: number | null;
  /** The first run, compiling and all. */
  msFirst: number | null;
  version: string;
}

interface Runner {
  readonly peer: Peer;
  readonly row: Result;
  prepared?: Prepared;
  outputs?: Record<string, ArrayLike<number>>;
  readonly times: Times[];
}

/** Runs one workload in all engines: each by itself, compared with the first; then in turns, timed. */
export async function compare(
  peers: readonly Peer[],
  work: Workload,
  { repeats, seconds }: { repeats: number; seconds: number },
): Promise<Result[]> {
  const runners: Runner[] = [];
  for (const peer of peers) {
    const runner: Runner = { peer, row: emptyResult(peer, work), times: [] };
    const made = await guarded(runner, async () => {
      const prepared = await peer.prepare(work);
      if (prepared) runner.prepared = prepared;
    });
    if (made && !runner.prepared) continue;
    runners.push(runner);
    await guarded(runner, async () => {
      runner.row.msFirst = (await timed(runner.prepared!, 1)).wall;
      for (let i = 1; i < work.warmUps; i++) await runner.prepared!.run(1);
      runner.outputs = await runner.prepared!.outputs();
      const [first] = runners;
      if (runner === first) return;
      if (!first!.outputs) throw new Error(`${first!.peer.name} gave nothing to compare with`);
      expectEqual(runner.outputs, first!.outputs);
    });
  }
  const alive = () => runners.filter((runner) => !runner.row.error);
  for (let i = 0; i < repeats; i++) {
    for (const runner of alive()) {
      // An engine that takes very long is not asked as often as the others, but at least twice.
      const spent = runner.times.reduce((sum, { wall }) => sum + wall, 0) / 1000;
      if (i > 1 && spent > seconds) continue;
      await guarded(runner, async () => {
        const before = countsNow();
        runner.times.push(await timed(runner.prepared!, work.calls));
        const after = countsNow();
        if (!runner.peer.onGpu) return;
        for (const key of ["dispatches", "submits", "buffers"] as const)
          runner.row[key] = (after[key] - before[key]) / work.calls;
        if (runner.row.dispatches < 1) throw new Error(`${work.calls} calls, but fewer dispatches: work was left out`);
      });
    }
  }
  for (const { row, times } of alive()) {
    row.msMedian = median(times.map(({ wall }) => wall)) / work.calls;
    row.msMin = smallest(times.map(({ wall }) => wall)) / work.calls;
    const cpu = times.flatMap(({ cpu }) => cpu ?? []);
    row.msCpu = cpu.length > 0 ? median(cpu) / work.calls : null;
    row.gflops = work.flops > 0 ? work.flops / row.msMedian / 1e6 : null;
  }
  for (const { prepared } of runners) prepared?.dispose?.();
  return runners.map(({ row }) => row);
}

/** Runs `fn`; what goes wrong, on the device or off it, becomes the row's error. True where nothing did. */
async function guarded({ peer: { device }, row }: Runner, fn: () => Promise<void>): Promise<boolean> {
  if (row.error) return false;
  for (const kind of ["validation", "out-of-memory", "internal"] as const) device?.pushErrorScope(kind);
  try {
    await fn();
  } catch (error) {
    row.error = (error as Error).message;
  }
  for (let i = 0; i < 3; i++) {
    const error = await device?.popErrorScope();
    if (error) row.error = `the GPU refused: ${error.message}`;
  }
  return !row.error;
}

async function timed(prepared: Prepared, calls: number): Promise<Times> {
  const cpu = typeof process === "undefined" ? undefined : process.cpuUsage();
  const start = performance.now();
  await prepared.run(calls);
  const wall = performance.now() - start;
  if (prepared.times) return prepared.times();
  const used = cpu && process.cpuUsage(cpu);
  return { wall, cpu: used ? (used.user + used.system) / 1000 : null };
}

/** Every number within a thousandth of the largest: the engines sum in different orders. */
function expectEqual(found: Record<string, ArrayLike<number>>, expected: Record<string, ArrayLike<number>>): void {
  for (const [name, e] of Object.entries(expected)) {
    const f = found[name];
    if (f?.length !== e.length) throw new Error(`${name} has ${f?.length} numbers, expected ${e.length}`);
    let most = 0;
    for (let i = 0; i < e.length; i++) most = Math.max(most, Math.abs(e[i]!));
    for (let i = 0; i < e.length; i++) {
      if (!(Math.abs(f[i]! - e[i]!) <= 1e-3 * most)) throw new Error(`${name}[${i}] is ${f[i]}, expected ${e[i]}`);
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return (sorted[Math.floor(at)]! + sorted[Math.ceil(at)]!) / 2;
}

/** A row without figures. */
export const emptyResult = ({ name, adapter, version }: About, work: Pick<Workload, "op" | "shape">): Result => ({
  ...emptyRow(adapter, work),
  engine: name,
  msCpu: null,
  msFirst: null,
  version,
});
