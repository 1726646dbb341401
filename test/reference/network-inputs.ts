/** Weights and inputs of the reference network by the formula of test/fixtures/reference_inputs.py. */

/** n numbers in [0, 1) of a stream: the finaliser of MurmurHash3 over a counter. */
export function hashed(stream: number, n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let h = (Math.imul(i, 2654435761) + stream * 40503 + 12345) >>> 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    return (h >>> 0) / 2 ** 32;
  });
}

/** Uniform in ±1/√fan, fan the product of all sizes but the first (of a vector: its length). */
export function weights(stream: number, shape: readonly number[]): Float32Array {
  const n = shape.reduce((a, b) => a * b, 1);
  const bound = Math.sqrt(shape.length > 1 ? n / shape[0]! : n);
  return Float32Array.from(hashed(stream, n), (u) => (u * 2 - 1) / bound);
}

export function batch() {
  const N = 8;
  const words = Int32Array.from(hashed(1002, N * 8), (u, i) => (i % 8 >= Math.floor(i / 8) ? 0 : Math.floor(u * 58)));
  return {
    image: Float32Array.from(hashed(1001, N * 784)),
    words,
    audio: Float32Array.from(hashed(1003, N * 1600), (u) => u * 2 - 1),
    frames: Int32Array.of(1, 50, 7, 33, 50, 2, 18, 41),
    present: Float32Array.of(1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1),
    label: Int32Array.of(0, 9, 3, 3, 7, 1, 5, 2),
  };
}
