import type { Region } from "./slot.ts";

export interface Counters {
  dispatches: number;
  submits: number;
  uploads: number;
  buffers: number;
  pipelines: number;
  bindGroups: number;
}

/** All GPU buffers of an engine: creates them, counts them, and gives released regions out again. */
export class Memory {
  /** Bytes of all buffers that exist now. */
  bytes = 0;
  #regions = 0;
  readonly #free = new Map<number, Region[]>();

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
  ) {}

  create(bytes: number, usage: number, label: string): GPUBuffer {
    const limit = this.device.limits.maxBufferSize;
    if (bytes > limit) {
      throw new RangeError(`${label}: ${bytes} bytes asked for, but a buffer of this device holds at most ${limit}.`);
    }
    this.counters.buffers += 1;
    this.bytes += bytes;
    return this.device.createBuffer({ size: bytes, usage, label });
  }

  destroy(buffer: GPUBuffer): void {
    this.bytes -= buffer.size;
    buffer.destroy();
  }

  /** A region of at least `bytes`, new or used before. Its content is whatever was there. */
  take(bytes: number): Region {
    const size = roundUp(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) return free;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.region(this.create(size, usage, "tensor"), 0, size);
  }

  region(buffer: GPUBuffer, offset: number, bytes: number): Region {
    return { id: this.#regions++, buffer, offset, bytes };
  }

  /** Takes back a whole-buffer region from `take`. */
  give(region: Region): void {
    const free = this.#free.get(region.bytes);
    if (free) free.push(region);
    else this.#free.set(region.bytes, [region]);
  }
}

/** Powers of two up to a megabyte, then whole megabytes: few distinct sizes, so that released memory fits again. */
function roundUp(bytes: number): number {
  const mega = 1 << 20;
  if (bytes > mega) return Math.ceil(bytes / mega) * mega;
  return Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
}
