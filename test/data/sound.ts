import { expect } from "vitest";

/** The sound that make_audio.py makes. */
export function sound(n: number): Float32Array {
  const x = Float32Array.from(
    { length: n },
    (_, i) => ((((i * i * 7 + i * 13) % 4001) / 4001 - 0.5) * (1 + (i % 400))) / 400,
  );
  return x.fill(0, Math.floor(n / 2), Math.floor(n / 2) + Math.floor(n / 5));
}
/** How far two lists of numbers lie apart, at the most. */
export const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));
};
