import type { Memory } from "./memory.ts";
import type { Slot } from "./slot.ts";
import type { Wait } from "./wait.ts";

/** Bytes of idle staging buffers that are kept for reuse. */
const IDLE = 8 << 20;

/** Brings results to the host through staging buffers that are used again and again. */
export class Readback {
  readonly #idle: GPUBuffer[] = [];

  constructor(
    readonly memory: Memory,
    readonly wait: Wait,
  ) {}

  /** A staging buffer for `bytes`, to be given to `encode` or back. */
  take(bytes: number): GPUBuffer {
    const fit = this.#idle.findIndex((b) => b.size >= bytes && b.size <= 4 * bytes + 4096);
    if (fit >= 0) return this.#idle.splice(fit, 1)[0]!;
    const size = Math.max(4096, Math.ceil(bytes / 4096) * 4096);
    return this.memory.create(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, "readback");
  }

  /** Keeps a buffer for the next one who wants it; those that wait longest go where too much would be kept. */
  give(buffer: GPUBuffer): void {
    this.#idle.push(buffer);
    let bytes = this.#idle.reduce((sum, b) => sum + b.size, 0);
    while (bytes > IDLE) {
      const oldest = this.#idle.shift()!;
      bytes -= oldest.size;
      this.memory.destroy(oldest);
    }
  }

  trim(): void {
    for (const buffer of this.#idle.splice(0)) this.memory.destroy(buffer);
  }

  /** Encodes the copies into `staging`; call what it returns after the submit to get each slot's bytes. */
  encode(
    encoder: GPUCommandEncoder,
    staging: GPUBuffer,
    parts: readonly { slot: Slot; buffer: GPUBuffer; offset: number }[],
  ): () => Promise<ArrayBuffer[]> {
    let bytes = 0;
    for (const { slot, buffer, offset } of parts) {
      if (slot.bytes) encoder.copyBufferToBuffer(buffer, offset, staging, bytes, slot.bytes);
      bytes += slot.bytes;
    }
    return async () => {
      const size = Math.max(bytes, 4);
      let all: ArrayBuffer;
      try {
        await this.wait(staging.mapAsync(GPUMapMode.READ, 0, size));
        all = staging.getMappedRange(0, size).slice(0);
      } catch (error) {
        this.memory.destroy(staging);
        throw error;
      }
      staging.unmap();
      this.give(staging);
      let from = 0;
      return parts.map(({ slot }) => {
        from += slot.bytes;
        return all.slice(from - slot.bytes, from);
      });
    };
  }
}
