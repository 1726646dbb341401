import type { Region, Slot } from "./slot.ts";

/*
 * Slots side by side in one buffer, so that one dispatch may work on all of them. Each begins at a multiple of 256 bytes, which
 * is what a binding's offset must be a multiple of.
 */

/** Where each of the slots begins when they lie side by side, and how long the whole is, in bytes. */
export function contiguousLayout(slots: readonly Slot[]): { offsets: number[]; bytes: number } {
  const offsets: number[] = [];
  let bytes = 0;
  for (const slot of slots) {
    offsets.push(bytes);
    bytes += Math.max(256, Math.ceil(slot.bytes / 256) * 256);
  }
  return { offsets, bytes };
}

/** Where the whole begins if the slots lie side by side now, wherever that is; else undefined. */
export function contiguousRegion(slots: readonly Slot[], offsets: readonly number[]): Region | undefined {
  const first = slots[0]?.resident;
  if (!first) return undefined;
  for (let i = 1; i < slots.length; i++) {
    const { resident } = slots[i]!;
    if (resident?.buffer !== first.buffer || resident.offset !== first.offset + offsets[i]!) return undefined;
  }
  return first;
}
