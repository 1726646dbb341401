import { contiguousLayout, contiguousRegion } from "./contiguous.ts";
import type { Memory } from "./memory.ts";
import { type HostArray, type Region, Slot } from "./slot.ts";

/** Where slots lie between steps: staged on the host, brought to the GPU, moved side by side, given back. */
export class Residency {
  /** Lists of slots that are to lie side by side when the next step begins. */
  readonly #contiguousRequests: (readonly Slot[])[] = [];

  constructor(readonly memory: Memory) {}

  /** A slot for the host's numbers. They reach the GPU with the first step that reads them. */
  stage(data: HostArray): Slot {
    const { health, device } = this.memory;
    health.check("engine.tensor");
    const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    if (data.byteLength > limit) {
      throw new RangeError(
        `engine.tensor: ${data.byteLength} bytes, but the device binds at most ${limit}. Split the tensor.`,
      );
    }
    const slot = new Slot(data.byteLength);
    slot.host = data;
    return slot;
  }

  /** Makes a staged slot resident. */
  upload(slot: Slot): Region {
    if (!slot.resident) {
      slot.resident = this.memory.take(slot.bytes);
      if (slot.bytes > 0) this.#writeBuffer(slot.resident, slot.host!);
    }
    return slot.resident;
  }

  /** Overwrites a slot from the host now; it becomes resident. `Gpu.write` waits for the steps asked for before. */
  overwrite(slot: Slot, data: HostArray): void {
    this.#writeBuffer(this.upload(slot), data);
  }

  #writeBuffer({ buffer, offset }: Region, data: HostArray): void {
    const { health, device, counters } = this.memory;
    health.watch(
      () => device.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource),
      (error) => this.memory.refuse(buffer, error),
    );
    counters.uploads += 1;
  }

  /** A region of zeros. */
  zeros(bytes: number): Region {
    const region = this.memory.take(bytes);
    this.memory.health.watch(
      () => this.#copy((encoder) => encoder.clearBuffer(region.buffer)),
      (error) => this.memory.refuse(region.buffer, error),
    );
    return region;
  }

  /**
   * Asks that resident slots lie side by side in one buffer from the next step on; `contiguousRegion` tells whether they do.
   * Slots move between two steps only, since a step that was recorded knows where they lay. Who asks last wins: slots of an
   * earlier list may lie apart again.
   */
  makeContiguous(slots: readonly Slot[]): void {
    for (const slot of slots) if (slot.host) this.upload(slot);
    this.#contiguousRequests.push(slots);
  }

  /** Whether some slots are still to be moved side by side. */
  get mustMove(): boolean {
    return this.#contiguousRequests.length > 0;
  }

  /** Moves side by side what was asked to lie so; called between two steps. */
  async moveAll(): Promise<void> {
    const { health } = this.memory;
    for (const slots of this.#contiguousRequests.splice(0)) {
      const { offsets, bytes } = contiguousLayout(slots);
      if (health.pending) await health.settled();
      // What the GPU refused stays where it is: the step that uses it says so.
      const unfit = () => slots.some(({ resident }) => !resident || this.memory.refused(resident.buffer));
      if (unfit() || contiguousRegion(slots, offsets)) continue;
      const whole = this.memory.take(bytes);
      if (health.pending) await health.settled();
      if (unfit() || this.memory.refused(whole.buffer)) {
        // They stay apart, where the optimizer finds them too.
        this.memory.give(whole);
        continue;
      }
      this.#moveInto(whole, slots, offsets);
    }
  }

  #moveInto(whole: Region, slots: readonly Slot[], offsets: readonly number[]): void {
    const shared = { whole, users: slots.length };
    const left = slots.map((slot) => slot.resident!);
    this.memory.health.watch(
      () =>
        this.#copy((encoder) => {
          encoder.clearBuffer(whole.buffer);
          slots.forEach((slot, i) => {
            const { buffer, offset } = left[i]!;
            if (slot.bytes) encoder.copyBufferToBuffer(buffer, offset, whole.buffer, offsets[i]!, slot.bytes);
            slot.resident = { ...this.memory.region(whole.buffer, offsets[i]!, slot.bytes), shared };
            slot.host = undefined;
          });
        }),
      (error) => this.memory.refuse(whole.buffer, error),
    );
    // Later work runs after the copies, so what the slots leave may be used again.
    for (const region of left) this.#leave(region);
  }

  #copy(encode: (encoder: GPUCommandEncoder) => void): void {
    const { device, counters } = this.memory;
    const encoder = device.createCommandEncoder();
    encode(encoder);
    device.queue.submit([encoder.finish()]);
    counters.submits += 1;
  }

  /** Gives a slot's memory back. What it held can no longer be read. */
  release(slot: Slot): void {
    if (slot.released) return;
    slot.released = true;
    slot.host = undefined;
    if (slot.resident) this.#leave(slot.resident);
    slot.resident = undefined;
  }

  /** Gives back a region that a slot had, or its share of one. */
  #leave(region: Region): void {
    const { shared } = region;
    if (!shared) this.memory.give(region);
    else {
      region.gone = true;
      shared.users -= 1;
      if (shared.users === 0) this.memory.give(shared.whole);
    }
  }
}
