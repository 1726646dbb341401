import { checkRecording } from "./dispatch.ts";
import type { Memory } from "./memory.ts";
import type { Pipelines } from "./pipelines.ts";
import type { Recording } from "./recording.ts";
import type { Region, Slot } from "./slot.ts";

const ALIGN = 256;
const align = (bytes: number) => Math.ceil(bytes / ALIGN) * ALIGN;

/** A recording made ready to run again and again: pipelines, bind groups, and where everything lies. */
export interface Plan {
  readonly commands: readonly {
    readonly label: string;
    readonly pipeline: GPUComputePipeline;
    readonly bindGroup: GPUBindGroup;
    readonly grid: readonly [number, number, number];
  }[];
  /** Where each uploaded slot's numbers go in `uploadBuffer`, in order of first use; there are `uploadBytes` in all. */
  readonly uploadOffsets: readonly number[];
  readonly uploadBytes: number;
  readonly uploadBuffer: GPUBuffer | undefined;
  readonly paramsBuffer: GPUBuffer | undefined;
  /** The scratch buffers that it uses, and their bytes together with those of `paramsBuffer`. */
  readonly buffers: readonly GPUBuffer[];
  readonly bytes: number;
  /** The memory of tensors that its commands name. */
  readonly regions: readonly Region[];
  /** The step's results that were computed in it, in order. */
  readonly results: readonly { buffer: GPUBuffer; offset: number; bytes: number }[];
}

/**
 * What a recording looks like, leaving aside the numbers in it: equal signatures can share a plan. `uploads` lists the
 * slots to upload in the order in which the plan expects them.
 */
export function signature(recording: Recording, results: readonly Slot[]): { key: string; uploads: Slot[] } {
  const names = new Map<Slot, string>();
  const uploads: Slot[] = [];
  const name = (slot: Slot): string => {
    let known = names.get(slot);
    if (known === undefined) {
      if (slot.resident) known = `r${slot.resident.id}`;
      else if (slot.host) {
        known = `u${names.size}_${slot.bytes}`;
        uploads.push(slot);
      } else {
        const placed = recording.aliases.get(slot);
        known = `t${names.size}_${slot.bytes}${placed ? `@${placed.offset}` : ""}`;
        names.set(slot, known);
        if (placed) known += name(placed.into);
      }
      names.set(slot, known);
    }
    return known;
  };
  const parts: string[] = [];
  for (const { kernel, reads, writes, params, grid } of recording.dispatches) {
    parts.push(`${kernel.id}(${reads.map(name)};${writes.map(name)};${params ?? ""})${grid}`);
  }
  return { key: `${parts.join("|")}>${results.map(name)}`, uploads };
}

/**
 * The GPU buffers that steps upload to and compute in. Steps run one after another, so all plans share them. A buffer goes
 * with the last plan that uses it.
 */
export class Scratch {
  /** Bytes of all of them. */
  bytes = 0;
  readonly #users = new Map<GPUBuffer, number>();

  constructor(readonly memory: Memory) {}

  leave(buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      const users = this.#users.get(buffer)! - 1;
      this.#users.set(buffer, users);
      if (users > 0) continue;
      this.#users.delete(buffer);
      this.bytes -= buffer.size;
      this.memory.destroy(buffer);
    }
  }

  /**
   * Gives every temporary of a recording a buffer: one whose last reader comes before this one's first writer may be
   * used again. Best fit, so that a small temporary does not take a big one's place. What is uploaded has a buffer for itself.
   */
  allocate(
    recording: Recording,
    results: readonly Slot[],
    uploadBytes: number,
  ): { places: Map<Slot, { buffer: GPUBuffer; offset: number }>; uploads: GPUBuffer | undefined; used: GPUBuffer[] } {
    const root = (slot: Slot) => recording.aliases.get(slot)?.into ?? slot;
    const lastUse = new Map<Slot, number>();
    recording.dispatches.forEach(({ reads, writes }, i) => {
      for (const slot of [...reads, ...writes]) if (!slot.resident && !slot.host) lastUse.set(root(slot), i);
    });
    for (const slot of results) lastUse.set(root(slot), Number.POSITIVE_INFINITY);

    const free = new Set(this.#users.keys());
    const used = new Set<GPUBuffer>();
    const places = new Map<Slot, GPUBuffer>();
    const take = (bytes: number): GPUBuffer => {
      let best: GPUBuffer | undefined;
      for (const b of free)
        if (b.size >= bytes && b.size <= 2 * bytes + 65536 && (!best || b.size < best.size)) best = b;
      if (!best) {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        best = this.memory.create(align(Math.max(bytes, 4)), usage, "scratch");
        this.bytes += best.size;
        this.#users.set(best, 0);
      }
      free.delete(best);
      used.add(best);
      return best;
    };
    const uploads = uploadBytes > 0 ? take(uploadBytes) : undefined;
    recording.dispatches.forEach(({ reads, writes }, i) => {
      const touched = new Set([...reads, ...writes].filter((s) => !s.resident && !s.host).map(root));
      for (const slot of touched) if (!places.has(slot)) places.set(slot, take(slot.bytes));
      for (const slot of touched) if (lastUse.get(slot) === i) free.add(places.get(slot)!);
    });
    for (const slot of results) if (!places.has(root(slot))) places.set(root(slot), take(slot.bytes));

    const all = new Map<Slot, { buffer: GPUBuffer; offset: number }>();
    for (const [slot, buffer] of places) all.set(slot, { buffer, offset: 0 });
    for (const [slot, { into, offset }] of recording.aliases) {
      const buffer = places.get(into);
      if (buffer) all.set(slot, { buffer, offset });
    }
    for (const buffer of used) this.#users.set(buffer, this.#users.get(buffer)! + 1);
    return { places: all, uploads, used: [...used] };
  }
}

/** What plans are made of. */
export interface Parts {
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly scratch: Scratch;
}

/** @throws Error where a dispatch cannot be, the GPU has no memory for the plan, or refuses it. */
export async function makePlan(
  recording: Recording,
  uploads: readonly Slot[],
  results: readonly Slot[],
  parts: Parts,
): Promise<Plan> {
  checkRecording(recording, results);
  const { dispatches } = recording;
  const { memory, pipelines, scratch } = parts;
  const { health } = memory;
  const compiled = Promise.all(dispatches.map((d) => pipelines.compile(d)));
  compiled.catch(() => {});

  const uploadOffsets: number[] = [];
  let uploadBytes = 0;
  for (const slot of uploads) {
    uploadOffsets.push(uploadBytes);
    uploadBytes += align(Math.max(slot.bytes, 4));
  }
  const { places, uploads: uploadBuffer, used } = scratch.allocate(recording, results, uploadBytes);
  uploads.forEach((slot, i) => {
    places.set(slot, { buffer: uploadBuffer!, offset: uploadOffsets[i]! });
  });
  const params = packParams(dispatches);
  const paramsBuffer = params.packed.length
    ? memory.create(4 * params.packed.length, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, "params")
    : undefined;
  const regions = new Set<Region>();
  const where = (slot: Slot): Pick<Region, "buffer" | "offset"> => {
    if (slot.resident) regions.add(slot.resident);
    return slot.resident ?? places.get(slot)!;
  };
  const bound = dispatches.map(({ reads, writes }) =>
    [...reads, ...writes].map((slot) => ({ ...where(slot), size: Math.max(slot.bytes, 4) })),
  );
  const computed = results.map((slot) => ({ ...where(slot), bytes: slot.bytes }));

  try {
    const all = await compiled;
    await health.settled();
    for (const buffer of [...used, paramsBuffer]) if (buffer) memory.granted("engine.step", buffer);
    let refused: Error | undefined;
    const commands = health.watch(
      () => {
        if (paramsBuffer) memory.device.queue.writeBuffer(paramsBuffer, 0, params.packed);
        return dispatches.map((dispatch, i) => {
          const resources: GPUBufferBinding[] = bound[i]!.map(({ buffer, offset, size }) => ({ buffer, offset, size }));
          if (dispatch.params) {
            const size = Math.ceil(dispatch.params.length / 4) * 16;
            resources.push({ buffer: paramsBuffer!, offset: params.offsets[i]!, size });
          }
          memory.counters.bindGroups += 1;
          const bindGroup = memory.device.createBindGroup({
            label: dispatch.kernel.label,
            layout: pipelines.layout(dispatch),
            entries: resources.map((resource, binding) => ({ binding, resource })),
          });
          return { label: dispatch.kernel.label, pipeline: all[i]!, bindGroup, grid: dispatch.grid };
        });
      },
      (error) => {
        refused = error;
      },
    );
    await health.settled();
    if (refused) throw new Error(`engine.step: ${(refused as Error).message}`);
    return {
      commands,
      uploadOffsets,
      uploadBytes,
      uploadBuffer,
      paramsBuffer,
      buffers: used,
      bytes: used.reduce((sum, b) => sum + b.size, paramsBuffer?.size ?? 0),
      regions: [...regions],
      results: computed,
    };
  } catch (error) {
    scratch.leave(used);
    if (paramsBuffer) memory.destroy(paramsBuffer);
    throw error;
  }
}

/** The parameters of all dispatches in one array, each at a multiple of 256 bytes, and where those of each begin. */
function packParams(dispatches: Recording["dispatches"]): { packed: Uint32Array<ArrayBuffer>; offsets: number[] } {
  const known = new Map<string, number>();
  const words: number[] = [];
  const offsets = dispatches.map(({ params }) => {
    if (!params) return 0;
    const key = params.join();
    let offset = known.get(key);
    if (offset === undefined) {
      offset = 4 * words.length;
      known.set(key, offset);
      const end = words.length + align(4 * params.length) / 4;
      for (const n of params) words.push(n >>> 0);
      while (words.length < end) words.push(0);
    }
    return offset;
  });
  return { packed: Uint32Array.from(words), offsets };
}
