import type { Plan } from "./plan.ts";
import type { Wait } from "./wait.ts";

type Command = Plan["commands"][number];

/** Queries of one set, at most; a dispatch takes two. */
const QUERIES = 4096;

/** One dispatch of a profile. */
export interface TimedDispatch {
  /** The kernel's label, such as `conv2d.backwardWeight`. */
  readonly kernel: string;
  /** When it began, in milliseconds after the profile's first. */
  readonly start: number;
  /** How long it took. */
  readonly milliseconds: number;
}

/** All dispatches of one kernel in a profile. */
export interface KernelTime {
  /** The kernel's label. */
  readonly kernel: string;
  /** How many dispatches it had. */
  count: number;
  /** How long they took together. */
  milliseconds: number;
}

/** Where the time of steps went, kernel by kernel: `engine.profile` gives it. As text it is a table. */
export class Profile {
  /** Every dispatch, in order. */
  readonly dispatches: TimedDispatch[] = [];

  /**
   * @internal
   * @param how "timestamps" are the device's own; "waiting" is from submitting a dispatch alone to its end, which is longer
   * by a constant.
   */
  constructor(
    /** How time was taken: by the device's own "timestamps", or by "waiting" for each dispatch alone. */
    readonly how: "timestamps" | "waiting",
  ) {}

  /** @returns the time of each kernel, the slowest first. */
  kernels(): KernelTime[] {
    const all = new Map<string, KernelTime>();
    for (const { kernel, milliseconds } of this.dispatches) {
      const entry = all.get(kernel) ?? { kernel, count: 0, milliseconds: 0 };
      entry.count += 1;
      entry.milliseconds += milliseconds;
      all.set(kernel, entry);
    }
    return [...all.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** @returns a table: each kernel's count, milliseconds and share. */
  toString(): string {
    const rows = this.kernels();
    const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
    const line = (...[kernel, count, ms, share]: string[]) =>
      `${kernel!.padEnd(32)} ${count!.padStart(6)} ${ms!.padStart(10)} ${share!.padStart(7)}`;
    return [
      line("kernel", "count", "ms", "share"),
      ...rows.map(({ kernel, count, milliseconds }) =>
        line(kernel, `${count}`, milliseconds.toFixed(3), `${((100 * milliseconds) / (total || 1)).toFixed(1)} %`),
      ),
      line(`all, by ${this.how}`, `${this.dispatches.length}`, total.toFixed(3), ""),
    ].join("\n");
  }

  /** @returns a trace file for chrome://tracing or ui.perfetto.dev, as JSON. */
  trace(): string {
    const traceEvents = this.dispatches.map(({ kernel, start, milliseconds }) => ({
      name: kernel,
      cat: "gpu",
      ph: "X",
      pid: 1,
      tid: 1,
      ts: start * 1000,
      dur: milliseconds * 1000,
    }));
    return JSON.stringify({ traceEvents, displayTimeUnit: "ms" });
  }
}

/** Runs commands and adds what each took: by the device's clock where it has one to ask, else by waiting for each. */
export async function timeCommands(
  device: GPUDevice,
  commands: readonly Command[],
  profile: Profile,
  wait: Wait,
): Promise<void> {
  await wait(device.queue.onSubmittedWorkDone());
  const last = profile.dispatches.at(-1);
  let start = last ? last.start + last.milliseconds : 0;
  const add = ({ label }: Command, begin: number, milliseconds: number) =>
    profile.dispatches.push({ kernel: label, start: start + begin, milliseconds });
  if (profile.how === "timestamps") {
    for (let from = 0; from < commands.length; from += QUERIES / 2) {
      const part = commands.slice(from, from + QUERIES / 2);
      const times = await stamp(device, part, wait);
      const since = (i: number) => Number(times[i]! - times[0]!) / 1e6;
      part.forEach((command, i) => {
        // A clock may be coarse, and may stand still, but does not run backwards here.
        add(command, since(2 * i), Math.max(0, since(2 * i + 1) - since(2 * i)));
      });
      start += Math.max(0, since(times.length - 1));
    }
    return;
  }
  const begin = performance.now();
  for (const command of commands) {
    const before = performance.now();
    const encoder = device.createCommandEncoder();
    encode(encoder.beginComputePass(), command);
    device.queue.submit([encoder.finish()]);
    await wait(device.queue.onSubmittedWorkDone());
    add(command, before - begin, performance.now() - before);
  }
}

function encode(pass: GPUComputePassEncoder, { pipeline, bindGroup, grid }: Command): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...grid);
  pass.end();
}

/** Nanoseconds at the beginning and end of each command, all in one submit. */
async function stamp(device: GPUDevice, commands: readonly Command[], wait: Wait): Promise<BigInt64Array> {
  const count = 2 * commands.length;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = device.createBuffer({ size: 8 * count, usage: QUERY_RESOLVE | COPY_SRC });
  const read = device.createBuffer({ size: 8 * count, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  commands.forEach((command, i) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    encode(encoder.beginComputePass({ timestampWrites }), command);
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, read, 0, 8 * count);
  device.queue.submit([encoder.finish()]);
  await wait(read.mapAsync(GPUMapMode.READ));
  const times = new BigInt64Array(read.getMappedRange().slice(0));
  for (const one of [querySet, resolved, read]) one.destroy();
  return times;
}
