import type { Memory } from "./memory.ts";
import type { Slot } from "./slot.ts";
import type { Wait } from "./wait.ts";

/** Brings results to the host through staging buffers that are used again and again. */
export class Readback {
  readonly #idle: GPUBuffer[] = [];

  constructor(
    readonly memory: Memory,
    readonly wait: Wait,
  ) {}

  /** Encodes the copies; call what it returns after the submit to get each slot's bytes. */
  encode(
    encoder: GPUCommandEncoder,
    parts: readonly { slot: Slot; buffer: GPUBuffer; offset: number }[],
  ): () => Promise<ArrayBuffer[]> {
    const bytes = parts.reduce((sum, p) => sum + p.slot.bytes, 0);
    const staging = this.#take(Math.max(bytes, 4));
    let at = 0;
    for (const { slot, buffer, offset } of parts) {
      if (slot.bytes) encoder.copyBufferToBuffer(buffer, offset, staging, at, slot.bytes);
      at += slot.bytes;
    }
    return async () => {
      await this.wait(staging.mapAsync(GPUMapMode.READ, 0, Math.max(bytes, 4)));
      const all = staging.getMappedRange(0, Math.max(bytes, 4)).slice(0);
      staging.unmap();
      this.#idle.push(staging);
      let from = 0;
      return parts.map(({ slot }) => {
        from += slot.bytes;
        return all.slice(from - slot.bytes, from);
      });
    };
  }

  #take(bytes: number): GPUBuffer {
    const fit = this.#idle.findIndex((b) => b.size >= bytes && b.size <= 4 * bytes + 4096);
    if (fit >= 0) return this.#idle.splice(fit, 1)[0]!;
    // A large one that fits nothing waiting is a rare size: let the largest idle one go, so that they do not pile up.
    if (this.#idle.length >= 8) this.memory.destroy(this.#idle.shift()!);
    const size = Math.max(4096, Math.ceil(bytes / 4096) * 4096);
    return this.memory.create(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST, "readback");
  }
}
