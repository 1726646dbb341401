import type { Health } from "./health.ts";
import type { Region } from "./slot.ts";

/** How often an engine did what costs time: counts. */
export interface Counters {
  /** Dispatches of kernels. */
  dispatches: number;
  /** Command buffers submitted. */
  submits: number;
  /** Calls of `writeBuffer`. */
  uploads: number;
  /** Buffers created. */
  buffers: number;
  /** Pipelines compiled. */
  pipelines: number;
  /** Bind groups created. */
  bindGroups: number;
}

/** Bytes of released regions that are kept for reuse; those released longest ago go first. */
const FREE = 32 << 20;

/** All GPU buffers of an engine: creates them, counts them, and gives released regions out again. */
export class Memory {
  /** Bytes of all buffers that exist now. */
  bytes = 0;
  #regions = 0;
  #freeBytes = 0;
  readonly #free = new Map<number, Region[]>();
  /** The free regions again, in the order in which they were given. */
  readonly #byAge = new Set<Region>();
  readonly #refused = new Map<GPUBuffer, Error>();
  readonly #onTrim: (() => void)[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
    readonly health: Health,
  ) {}

  /** A new buffer. Where the GPU has no memory for it, `granted` says so once `health` has settled. */
  create(bytes: number, usage: number, label: string): GPUBuffer {
    const limit = this.device.limits.maxBufferSize;
    if (bytes > limit) {
      throw new RangeError(`${label}: ${bytes} bytes asked for, but a buffer of this device holds at most ${limit}.`);
    }
    this.counters.buffers += 1;
    this.bytes += bytes;
    const buffer = this.health.watch(
      () => this.device.createBuffer({ size: bytes, usage, label }),
      (error) => this.refuse(buffer, error),
    );
    return buffer;
  }

  /** Notes that a buffer is not there, or does not hold what was written to it. */
  refuse(buffer: GPUBuffer, error: Error): void {
    if (!this.#refused.has(buffer)) this.#refused.set(buffer, error);
  }

  get anyRefused(): boolean {
    return this.#refused.size > 0;
  }

  refused(buffer: GPUBuffer): boolean {
    return this.#refused.has(buffer);
  }

  /** @throws Error that begins with `operation` where the GPU has refused the buffer, or what was to be written to it. */
  granted(operation: string, buffer: GPUBuffer): void {
    const error = this.anyRefused ? this.#refused.get(buffer) : undefined;
    if (error) throw new Error(`${operation}: ${error.message}`);
  }

  destroy(buffer: GPUBuffer): void {
    this.bytes -= buffer.size;
    this.#refused.delete(buffer);
    buffer.destroy();
  }

  /** A region of at least `bytes`, new or used before. Its content is whatever was there. */
  take(bytes: number): Region {
    const size = roundUp(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) {
      this.#byAge.delete(free);
      this.#freeBytes -= size;
      return free;
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.region(this.create(size, usage, "tensor"), 0, size);
  }

  region(buffer: GPUBuffer, offset: number, bytes: number): Region {
    return { id: this.#regions++, buffer, offset, bytes, gone: false };
  }

  /** Takes back a whole-buffer region from `take`. */
  give(region: Region): void {
    if (region.bytes > FREE || this.#refused.has(region.buffer)) {
      this.#destroyRegion(region);
      return;
    }
    const free = this.#free.get(region.bytes);
    if (free) free.push(region);
    else this.#free.set(region.bytes, [region]);
    this.#byAge.add(region);
    this.#freeBytes += region.bytes;
    this.#shrink(FREE);
  }

  /** After the GPU refused something: gives back all that is kept for reuse, here and by those that said so. */
  trim(): void {
    for (const trim of this.#onTrim) trim();
    this.#shrink(0);
  }

  /** `trim` calls this too. */
  onTrim(trim: () => void): void {
    this.#onTrim.push(trim);
  }

  #shrink(limit: number): void {
    for (const oldest of this.#byAge) {
      if (this.#freeBytes <= limit) return;
      this.#byAge.delete(oldest);
      // The newest of a size is taken first, so the oldest of all is the first of its size.
      this.#free.get(oldest.bytes)!.shift();
      this.#freeBytes -= oldest.bytes;
      this.#destroyRegion(oldest);
    }
  }

  #destroyRegion(region: Region): void {
    region.gone = true;
    this.destroy(region.buffer);
  }
}

/** Powers of two up to a megabyte, then whole megabytes: few distinct sizes, so that released memory fits again. */
function roundUp(bytes: number): number {
  const mega = 1 << 20;
  if (bytes > mega) return Math.ceil(bytes / mega) * mega;
  return Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
}
