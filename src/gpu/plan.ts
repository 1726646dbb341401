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
  /** Where each uploaded slot's numbers go in `staging`, in order of first use. */
  readonly uploadOffsets: readonly number[];
  readonly staging: Uint8Array;
  readonly uploadBuffer: GPUBuffer | undefined;
  readonly sizesBuffer: GPUBuffer | undefined;
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
      if (slot.home) known = `r${slot.home.id}`;
      else if (slot.host) {
        known = `u${names.size}_${slot.bytes}`;
        uploads.push(slot);
      } else {
        const placed = recording.placements.get(slot);
        known = `t${names.size}_${slot.bytes}${placed ? `@${placed.offset}` : ""}`;
        names.set(slot, known);
        if (placed) known += name(placed.into);
      }
      names.set(slot, known);
    }
    return known;
  };
  const parts: string[] = [];
  for (const { kernel, reads, writes, sizes, grid } of recording.dispatches) {
    parts.push(`${kernel.id}(${reads.map(name)};${writes.map(name)};${sizes ?? ""})${grid}`);
  }
  return { key: `${parts.join("|")}>${results.map(name)}`, uploads };
}

/** The GPU buffers that steps compute in. Steps run one after another, so all plans share them. */
export class Scratch {
  readonly buffers: GPUBuffer[] = [];

  constructor(readonly memory: Memory) {}

  /**
   * Gives every temporary of a recording a buffer: one whose last reader comes before this one's first writer may be
   * used again. Best fit, so that a small temporary does not take a big one's place.
   */
  allocate(recording: Recording, results: readonly Slot[]): Map<Slot, { buffer: GPUBuffer; offset: number }> {
    const root = (slot: Slot) => recording.placements.get(slot)?.into ?? slot;
    const lastUse = new Map<Slot, number>();
    recording.dispatches.forEach(({ reads, writes }, i) => {
      for (const slot of [...reads, ...writes]) if (!slot.home && !slot.host) lastUse.set(root(slot), i);
    });
    for (const slot of results) lastUse.set(root(slot), Number.POSITIVE_INFINITY);

    const free = new Set(this.buffers);
    const places = new Map<Slot, GPUBuffer>();
    const take = (bytes: number): GPUBuffer => {
      let best: GPUBuffer | undefined;
      for (const b of free)
        if (b.size >= bytes && b.size <= 2 * bytes + 65536 && (!best || b.size < best.size)) best = b;
      if (!best) {
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        best = this.memory.create(align(Math.max(bytes, 4)), usage, "scratch");
        this.buffers.push(best);
      }
      free.delete(best);
      return best;
    };
    recording.dispatches.forEach(({ reads, writes }, i) => {
      const touched = new Set([...reads, ...writes].filter((s) => !s.home && !s.host).map(root));
      for (const slot of touched) if (!places.has(slot)) places.set(slot, take(slot.bytes));
      for (const slot of touched) if (lastUse.get(slot) === i) free.add(places.get(slot)!);
    });
    for (const slot of results) if (!places.has(root(slot))) places.set(root(slot), take(slot.bytes));

    const all = new Map<Slot, { buffer: GPUBuffer; offset: number }>();
    for (const [slot, buffer] of places) all.set(slot, { buffer, offset: 0 });
    for (const [slot, { into, offset }] of recording.placements) {
      const buffer = places.get(into);
      if (buffer) all.set(slot, { buffer, offset });
    }
    return all;
  }
}

export async function makePlan(
  recording: Recording,
  uploads: readonly Slot[],
  results: readonly Slot[],
  { memory, pipelines, scratch }: { memory: Memory; pipelines: Pipelines; scratch: Scratch },
): Promise<Plan> {
  const { device } = memory;
  const { dispatches } = recording;
  const compiled = Promise.all(dispatches.map((d) => pipelines.compile(d)));
  compiled.catch(() => {});
  const places = scratch.allocate(recording, results);

  const uploadOffsets: number[] = [];
  let uploadBytes = 0;
  for (const slot of uploads) {
    uploadOffsets.push(uploadBytes);
    uploadBytes += align(Math.max(slot.bytes, 4));
  }
  const uploadBuffer = uploadBytes
    ? memory.create(uploadBytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC, "uploads")
    : undefined;
  uploads.forEach((slot, i) => {
    places.set(slot, { buffer: uploadBuffer!, offset: uploadOffsets[i]! });
  });

  const sizesBytes = dispatches.reduce((sum, d) => sum + (d.sizes ? align(d.sizes.length * 4) : 0), 0);
  const sizes = new Uint32Array(sizesBytes / 4);
  const sizesBuffer = sizesBytes
    ? memory.create(sizesBytes, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, "sizes")
    : undefined;

  const where = (slot: Slot): Pick<Region, "buffer" | "offset"> => slot.home ?? places.get(slot)!;
  const all = await compiled;
  let sizesAt = 0;
  const commands = dispatches.map((dispatch, i) => {
    const { kernel, reads, writes, grid } = dispatch;
    const resources: GPUBufferBinding[] = [...reads, ...writes].map((slot) => {
      const { buffer, offset } = where(slot);
      return { buffer, offset, size: Math.max(slot.bytes, 4) };
    });
    if (dispatch.sizes) {
      dispatch.sizes.forEach((n, k) => {
        sizes[sizesAt / 4 + k] = n >>> 0;
      });
      const size = Math.ceil(dispatch.sizes.length / 4) * 16;
      resources.push({ buffer: sizesBuffer!, offset: sizesAt, size });
      sizesAt += align(dispatch.sizes.length * 4);
    }
    memory.counters.bindGroups += 1;
    const bindGroup = device.createBindGroup({
      label: kernel.label,
      layout: pipelines.layout(dispatch),
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    return { label: kernel.label, pipeline: all[i]!, bindGroup, grid };
  });
  if (sizesBuffer) device.queue.writeBuffer(sizesBuffer, 0, sizes);
  return {
    commands,
    uploadOffsets,
    staging: new Uint8Array(uploadBytes),
    uploadBuffer,
    sizesBuffer,
    results: results.map((slot) => ({ ...where(slot), bytes: slot.bytes })),
  };
}
