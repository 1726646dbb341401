import { halfToFloat } from "../data/file/half.ts";

/*
 * The types of numbers in safetensors files, and how each is read as float32: exactly, or not at all. All are little endian.
 */

interface Dtype {
  /** Bytes a number. */
  readonly size: number;
  readonly read: (view: DataView, at: number) => number | bigint;
}

const BFLOAT = new DataView(new ArrayBuffer(4));

/** @throws RangeError where the byte is neither: another program would take it for true, and its number is no boolean. */
function readBoolean(view: DataView, at: number): number {
  const byte = view.getUint8(at);
  if (byte > 1) throw new RangeError(`holds the byte ${byte} at ${at}, expected 0 or 1 of a boolean`);
  return byte;
}

const DTYPES = new Map<unknown, Dtype>([
  ["F64", { size: 8, read: (view, at) => view.getFloat64(at, true) }],
  ["F32", { size: 4, read: (view, at) => view.getFloat32(at, true) }],
  ["F16", { size: 2, read: (view, at) => halfToFloat(view.getUint16(at, true)) }],
  [
    "BF16",
    {
      size: 2,
      // The upper half of a float32.
      read: (view, at) => {
        BFLOAT.setUint32(0, view.getUint16(at, true) << 16);
        return BFLOAT.getFloat32(0);
      },
    },
  ],
  ["I64", { size: 8, read: (view, at) => view.getBigInt64(at, true) }],
  ["U64", { size: 8, read: (view, at) => view.getBigUint64(at, true) }],
  ["I32", { size: 4, read: (view, at) => view.getInt32(at, true) }],
  ["U32", { size: 4, read: (view, at) => view.getUint32(at, true) }],
  ["I16", { size: 2, read: (view, at) => view.getInt16(at, true) }],
  ["U16", { size: 2, read: (view, at) => view.getUint16(at, true) }],
  ["I8", { size: 1, read: (view, at) => view.getInt8(at) }],
  ["U8", { size: 1, read: (view, at) => view.getUint8(at) }],
  ["BOOL", { size: 1, read: readBoolean }],
]);

/** Names of the types that are read. */
export const dtypeNames = [...DTYPES.keys()].join(", ");

/** Bytes of a number of this type; undefined where it is not read. */
export function sizeOfDtype(dtype: unknown): number | undefined {
  return DTYPES.get(dtype)?.size;
}

/**
 * Numbers of a known type as float32.
 *
 * @throws RangeError naming the first number that float32 does not have: a rounded counter or weight would go unnoticed.
 */
export function readNumbers(dtype: unknown, bytes: Uint8Array): Float32Array {
  const { size, read } = DTYPES.get(dtype)!;
  // A copy of its own, since a view must begin at a multiple of 4 bytes. (Node's Buffer has a slice that does not copy.)
  if (dtype === "F32") return new Float32Array(new Uint8Array(bytes).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float32Array(bytes.length / size);
  for (let i = 0; i < numbers.length; i++) {
    const x = read(view, i * size);
    numbers[i] = Number(x);
    const kept = numbers[i]!;
    const exact = typeof x === "bigint" ? Number.isFinite(kept) && BigInt(kept) === x : Object.is(kept, x);
    if (!exact) throw new RangeError(`holds ${x} at ${i}, which float32 does not have. Save it as F32`);
  }
  return numbers;
}
