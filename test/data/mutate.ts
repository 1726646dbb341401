import fc from "fast-check";
import { crc32 } from "../../src/data/file/crc32.ts";

/* Damaged files: a good one, changed in a few places as disks, networks and attackers do. */

type Change =
  | { kind: "byte"; at: number; value: number }
  | { kind: "number"; at: number; value: number; size: number; big: boolean }
  | { kind: "cut"; at: number }
  | { kind: "take out"; at: number; length: number }
  | { kind: "put in"; at: number; bytes: Uint8Array }
  | { kind: "repeat"; at: number; length: number };

/** A third of the places is near the beginning, where headers are. */
const place = fc.oneof(fc.integer({ min: 0, max: 64 }), { weight: 2, arbitrary: fc.nat(1 << 20) });
const extreme = fc.constantFrom(
  0,
  1,
  2,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0xffff,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
);
/** Changes that keep the length are tried more often: others are nearly all found by the first check of a size. */
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("byte" as const), at: place, value: fc.nat(255) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("number" as const),
      at: place,
      value: extreme,
      size: fc.constantFrom(2, 4),
      big: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant("cut" as const), at: place }),
  fc.record({ kind: fc.constant("take out" as const), at: place, length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("put in" as const), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
  fc.record({ kind: fc.constant("repeat" as const), at: place, length: fc.integer({ min: 1, max: 100 }) }),
);

/** One of the files, with one to three changes. */
export function damaged(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat(files.length - 1), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([i, changes]) => changes.reduce(apply, files[i]!.slice()));
}

function apply(file: Uint8Array, change: Change): Uint8Array {
  if (file.length === 0) return file;
  const at = change.at % file.length;
  switch (change.kind) {
    case "byte":
      file[at] = change.value;
      return file;
    case "number":
      for (let i = 0; i < change.size && at + i < file.length; i++) {
        file[at + i] = change.value >>> (8 * (change.big ? change.size - 1 - i : i));
      }
      return file;
    case "cut":
      return file.slice(0, at);
    case "take out":
      return Uint8Array.of(...file.subarray(0, at), ...file.subarray(at + change.length));
    case "put in":
      return Uint8Array.of(...file.subarray(0, at), ...change.bytes, ...file.subarray(at));
    default:
      return Uint8Array.of(...file.subarray(0, at + change.length), ...file.subarray(at));
  }
}

/** A PNG whose checksums are made right again, so that what is behind them is reached. */
export function withPngChecksums(file: Uint8Array): Uint8Array {
  const png = file.slice();
  const view = new DataView(png.buffer);
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > png.length) break;
    view.setUint32(at + 8 + length, crc32(png.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return png;
}
