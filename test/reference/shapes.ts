import { type Array64, array, at, count, indexOf, map } from "./array.ts";

/** Where y[index] = x[from(index)]. */
const pick = (x: Array64, shape: readonly number[], from: (index: number[]) => number[]): Array64 =>
  map(array(shape), (_, flat) => x.data[at(x.shape, ...from(indexOf(shape, flat)))]!);

export const permute = (x: Array64, { axes }: { axes: readonly number[] }): Array64 =>
  pick(
    x,
    axes.map((a) => x.shape[a]!),
    (index) => x.shape.map((_, a) => index[axes.indexOf(a)]!),
  );

export function transpose(x: Array64, { a, b }: { a: number; b: number }): Array64 {
  const axes = x.shape.map((_, i) => i);
  const [i, j] = [a < 0 ? a + axes.length : a, b < 0 ? b + axes.length : b];
  [axes[i], axes[j]] = [j, i];
  return permute(x, { axes });
}

export function slice(
  x: Array64,
  { axis = 0, start = 0, end, step = 1 }: { axis?: number; start?: number; end?: number; step?: number },
): Array64 {
  const along = axis < 0 ? axis + x.shape.length : axis;
  const places = Array.from({ length: x.shape[along]! }, (_, i) => i)
    .slice(start, end)
    .filter((_, i) => i % step === 0);
  return pick(x, x.shape.with(along, places.length), (index) => index.with(along, places[index[along]!]!));
}

export function split(x: Array64, { size, axis = 0 }: { size: number | number[]; axis?: number }): Array64[] {
  const parts: Array64[] = [];
  for (let start = 0, i = 0; start < x.shape[axis]!; i++) {
    const n = typeof size === "number" ? size : size[i]!;
    parts.push(slice(x, { axis, start, end: start + n }));
    start += n;
  }
  return parts;
}

export function stack(xs: readonly Array64[], { axis = 0 }: { axis?: number } = {}): Array64 {
  const along = axis < 0 ? axis + xs[0]!.shape.length + 1 : axis;
  const shape = xs[0]!.shape.toSpliced(along, 0, xs.length);
  return map(array(shape), (_, flat) => {
    const index = indexOf(shape, flat);
    return xs[index[along]!]!.data[at(xs[0]!.shape, ...index.toSpliced(along, 1))]!;
  });
}

export const expand = (x: Array64, { shape }: { shape: readonly number[] }): Array64 =>
  pick(x, shape, (index) => index.slice(shape.length - x.shape.length).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)));

export function pad(x: Array64, { padding, value = 0 }: { padding: readonly number[]; value?: number }): Array64 {
  const before = x.shape.map((_, axis) => padding[2 * (x.shape.length - 1 - axis)] ?? 0);
  const after = x.shape.map((_, axis) => padding[2 * (x.shape.length - 1 - axis) + 1] ?? 0);
  const shape = x.shape.map((n, axis) => n + before[axis]! + after[axis]!);
  return map(array(shape), (_, flat) => {
    const index = indexOf(shape, flat).map((i, axis) => i - before[axis]!);
    return index.every((i, axis) => i >= 0 && i < x.shape[axis]!) ? x.data[at(x.shape, ...index)]! : value;
  });
}

export function gather(x: Array64, index: Array64, { axis = 0 }: { axis?: number } = {}): Array64 {
  const along = axis < 0 ? axis + x.shape.length : axis;
  return pick(x, index.shape, (place) => place.with(along, index.data[at(index.shape, ...place)]!));
}

export function indexSelect(x: Array64, index: Array64, { axis = 0 }: { axis?: number } = {}): Array64 {
  const along = axis < 0 ? axis + x.shape.length : axis;
  return pick(x, x.shape.with(along, count(index.shape)), (place) => place.with(along, index.data[place[along]!]!));
}

export const flatten = (x: Array64, { start = 0 }: { start?: number } = {}): Array64 =>
  array([...x.shape.slice(0, start), count(x.shape.slice(start))], x.data);
