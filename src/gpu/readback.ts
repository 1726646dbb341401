import type { Memory } from "./memory.ts";
import type { Region, Slot } from "./slot.ts";

/** Bytes of idle staging buffers that are kept for reuse. */
const IDLE = 8 << 20;

/** Brings results to the host through staging buffers that are used again and again. */
export class Readback {
  readonly #idle: GPUBuffer[] = [];

  constructor(readonly memory: Memory) {
    memory.onTrim(() => {
      for (const buffer of this.#idle.splice(0)) memory.destroy(buffer);
    });
  }

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
        await this.memory.health.until(staging.mapAsync(GPUMapMode.READ, 0, size));
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

  /** Lets small results that travel with a step settle once they are with the host. */
  deliver(small: readonly { slot: Slot }[], arrived: Promise<ArrayBuffer[]>): Promise<unknown> {
    small.forEach(({ slot }, i) => {
      slot.pendingRead = arrived.then((parts) => {
        slot.host = new Float32Array(parts[i]!);
        slot.pendingRead = undefined;
      });
      slot.pendingRead.catch(() => {});
    });
    return arrived.catch(() => {});
  }

  /** The bytes of a resident slot, by a submit of its own. */
  async read(slot: Slot, { buffer, offset }: Region): Promise<ArrayBuffer> {
    const { device, health, counters } = this.memory;
    health.check("tensor.data");
    const staging = this.take(slot.bytes);
    let refused: Error | undefined;
    const arrived = health.watch(
      () => {
        const encoder = device.createCommandEncoder();
        const fetch = this.encode(encoder, staging, [{ slot, buffer, offset }]);
        device.queue.submit([encoder.finish()]);
        return fetch();
      },
      (error) => {
        refused = error;
      },
    );
    arrived.catch(() => {});
    counters.submits += 1;
    await health.settled();
    this.memory.granted("tensor.data", buffer);
    if (refused) throw new Error(`tensor.data: ${(refused as Error).message}`);
    return (await arrived)[0]!;
  }
}
