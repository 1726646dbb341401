import { type Array64, array, at, count, indexOf, map } from "./array.ts";

/** The shape both operands broadcast to: aligned at the right, an axis of 1 (or none) repeats. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [p, q] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (p !== q && p !== 1 && q !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return p === 1 ? q : p;
  });
}

function elementwise(f: (a: number, b: number) => number) {
  return (a: Array64, b: Array64): Array64 => {
    const shape = broadcastShape(a.shape, b.shape);
    const read = (x: Array64, index: number[]): number => {
      const own = index.slice(shape.length - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i));
      return x.data[at(x.shape, ...own)]!;
    };
    return map(array(shape), (_, flat) => f(read(a, indexOf(shape, flat)), read(b, indexOf(shape, flat))));
  };
}

export const add = elementwise((a, b) => a + b);
export const sub = elementwise((a, b) => a - b);
export const mul = elementwise((a, b) => a * b);
export const div = elementwise((a, b) => a / b);
export const pow = elementwise((a, b) => a ** b);
export const maximum = elementwise(Math.max);
export const minimum = elementwise(Math.min);

export interface ReduceOptions {
  axis?: number | readonly number[] | undefined;
  keepDims?: boolean | undefined;
}

/** y = Σ x over `axis` (negative counts from the end; all axes when not given). */
export function sum(x: Array64, { axis, keepDims = false }: ReduceOptions = {}): Array64 {
  const rank = x.shape.length;
  const over = new Set((axis === undefined ? [...x.shape.keys()] : [axis].flat()).map((a) => (a < 0 ? a + rank : a)));
  const kept = array(x.shape.map((n, a) => (over.has(a) ? 1 : n)));
  x.data.forEach((value, flat) => {
    kept.data[at(kept.shape, ...indexOf(x.shape, flat).map((i, a) => (over.has(a) ? 0 : i)))]! += value;
  });
  return keepDims ? kept : reshape(kept, { shape: x.shape.filter((_, a) => !over.has(a)) });
}

/** y = Σ x / (number of summed elements) */
export function mean(x: Array64, options: ReduceOptions = {}): Array64 {
  const y = sum(x, options);
  return map(y, (value) => (value * count(y.shape)) / count(x.shape));
}

/** The same numbers in another shape; one size may be −1. */
export function reshape(x: Array64, { shape }: { shape: readonly number[] }): Array64 {
  const known = count(shape.filter((n) => n !== -1));
  return array(
    shape.map((n) => (n === -1 ? count(x.shape) / known : n)),
    x.data,
  );
}

/** The arrays one after another along `axis`. */
export function concat(xs: readonly Array64[], { axis = 0 }: { axis?: number } = {}): Array64 {
  const first = xs[0]!.shape;
  const along = axis < 0 ? axis + first.length : axis;
  const y = array(first.map((n, a) => (a === along ? xs.reduce((total, x) => total + x.shape[a]!, 0) : n)));
  let offset = 0;
  for (const x of xs) {
    x.data.forEach((value, flat) => {
      const index = indexOf(x.shape, flat).map((i, a) => (a === along ? i + offset : i));
      y.data[at(y.shape, ...index)] = value;
    });
    offset += x.shape[along]!;
  }
  return y;
}
