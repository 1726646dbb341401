/** Bytes 0 … 255 → numbers 0 … 1. */
export function imageFromBytes(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => byte / 255);
}

/** (x - mean) / deviation, in a new array. */
export function normaliseImage(image: Float32Array, mean: number, deviation: number): Float32Array {
  if (!(deviation > 0)) throw new RangeError(`normaliseImage: the deviation must be above 0, is ${deviation}`);
  return image.map((x) => (x - mean) / deviation);
}
