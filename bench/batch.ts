/** A batch of noise and labels, the same every time. */
export function randomBatch(N: number, L: number, T: number, vocabulary: number, bands: number) {
  const noise = (n: number, k: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + k));
  return {
    image: noise(N * 28 * 28, 1),
    words: Int32Array.from({ length: N * L }, (_, i) => 1 + ((i * 7919) % (vocabulary - 1))),
    audio: noise(N * T * bands, 2),
    label: Int32Array.from({ length: N }, (_, i) => i % 10),
  };
}
