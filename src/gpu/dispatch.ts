import { checkList, checkObject, checkOptions, describe, type Known, number } from "../check.ts";
import type { Kernel } from "./kernel.ts";
import { Slot } from "./slot.ts";

/*
 * What a dispatch must be. Ops of one's own may give anything, and what is not looked at here is left out, cut to whole
 * numbers or read as it lies, without a word.
 */

/** One dispatch of a kernel. Its bindings are in this order: what it reads, what it writes, then its `params`. */
export interface Dispatch {
  /** The variant of the kernel. */
  readonly kernel: Kernel;
  /** Bound as `var<storage, read>`. */
  readonly reads: readonly Slot[];
  /** Bound as `var<storage, read_write>`. */
  readonly writes: readonly Slot[];
  /** Bound as one `var<uniform>`, a struct of 32-bit integers, where there are any. */
  readonly params?: readonly number[];
  /** Workgroups in x, y, z. */
  readonly grid: readonly [number, number, number];
}

/** Refuses what can be seen to be wrong at the call. Asked at every dispatch of every step: it makes nothing. */
export function checkDispatch(dispatch: Dispatch): void {
  checkObject("dispatch", "the dispatch", dispatch, "{ kernel, reads, writes, params, grid }");
  const { kernel, reads, writes, grid } = dispatch;
  if (typeof kernel?.code !== "string")
    throw new TypeError(
      `dispatch: kernel is ${describe(kernel)}, expected what a kernel gives for a variant, such as square({}).`,
    );
  checkSlots(kernel.label, "reads", reads);
  checkSlots(kernel.label, "writes", writes);
  for (const slot of writes)
    if (reads.includes(slot))
      throw new Error(`${kernel.label}: it reads and writes one tensor at once. Give it another to write.`);
  const [x, y, z] = Array.isArray(grid) && grid.length === 3 ? grid : [];
  if (!(isCount(x) && isCount(y) && isCount(z)))
    throw new TypeError(
      `${kernel.label}: the grid is ${Array.isArray(grid) ? `[${grid.join(", ")}]` : describe(grid)}, expected three whole numbers of at least 0, such as grid(n, 64) gives.`,
    );
}

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;

function checkSlots(label: string, what: string, slots: unknown): void {
  if (!Array.isArray(slots))
    throw new TypeError(`${label}: ${what} is ${describe(slots)}, expected a list of slots, such as [x.slot].`);
  for (let i = 0; i < slots.length; i++)
    if (!(slots[i] instanceof Slot))
      throw new TypeError(
        `${label}: ${what}[${i}] is ${describe(slots[i])}, expected the slot of a value, such as x.slot.`,
      );
}

const PARTS: Known<Dispatch> = { kernel: true, reads: true, writes: true, params: true, grid: true };

/** What is looked at of a recording. */
interface Dispatches {
  readonly dispatches: readonly Dispatch[];
  readonly aliases: ReadonlyMap<Slot, { readonly into: Slot }>;
  readonly limits: GPUSupportedLimits;
  readonly within?: unknown;
}

/**
 * Refuses what a plan would take without a word: names that a dispatch does not have, params that 32 bits do not hold, and
 * tensors that are read, or are results, though nothing has written them. Asked when a plan is made, not at a replay.
 */
export function checkRecording(recording: Dispatches, results: readonly Slot[]): void {
  const most = recording.limits.maxComputeWorkgroupsPerDimension;
  const written = new Set<Slot>();
  const isWritten = (slot: Slot): boolean => {
    const into = recording.aliases.get(slot)?.into;
    return slot.bytes === 0 || written.has(slot) || (into !== undefined && written.has(into));
  };
  for (const dispatch of recording.dispatches) {
    const { kernel, reads, writes, params, grid } = dispatch;
    const { label } = kernel;
    checkOptions(label, dispatch, PARTS);
    if (params !== undefined) checkParams(label, params);
    if (grid.some((n) => n > most))
      throw new RangeError(
        `${label}: the grid is [${grid.join(", ")}], and the device takes at most ${most} in each. grid(n, size) folds more.`,
      );
    for (const [i, slot] of reads.entries())
      if (isComputed(slot) && !isWritten(slot) && !recording.within)
        throw new Error(
          `${label}: reads[${i}], of ${slot.bytes} bytes, was written by no dispatch of this step before.`,
        );
    for (const slot of writes) {
      written.add(slot);
      const alias = recording.aliases.get(slot);
      if (alias) written.add(alias.into);
    }
  }
  for (const slot of results)
    if (!isWritten(slot)) throw new Error(`engine.step: a result of ${slot.bytes} bytes was written by no dispatch.`);
}

/** Whether a step is to compute it: neither the host nor earlier steps have its numbers. */
const isComputed = (slot: Slot): boolean => !slot.resident && !slot.host;

function checkParams(label: string, params: unknown): void {
  checkList(label, "params", params, "a list of whole numbers");
  for (const [i, n] of Array.from(params).entries())
    if (typeof n !== "number" || !(number.i32.holds(n) || number.u32.holds(n)))
      throw new TypeError(
        `${label}: params[${i}] is ${describe(n)}, expected a whole number of 32 bits. Upload others: reads: [r.upload(Float32Array.of(x))].`,
      );
}
