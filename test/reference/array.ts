/**
 * The arrays of the reference: float64, row-major, no views. Integer ids and masks are arrays too.
 * Everything in this folder is written as plainly as possible, to be believed rather than to be fast.
 */
export interface Array64 {
  readonly shape: number[];
  readonly data: Float64Array;
}

/** The number of elements: Π shape. */
export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** An array of the given shape, copied from `data`, or zero. */
export function array(shape: readonly number[], data?: ArrayLike<number>): Array64 {
  const copy = data ? Float64Array.from(data) : new Float64Array(count(shape));
  if (copy.length !== count(shape)) throw new Error(`${copy.length} numbers do not fill [${shape}]`);
  return { shape: [...shape], data: copy };
}

export const scalar = (value: number): Array64 => array([], [value]);

/** yᵢ = f(xᵢ, i) */
export const map = (x: Array64, f: (value: number, i: number) => number): Array64 => array(x.shape, x.data.map(f));

/** The flat position of a multi-index: ((i₀·n₁ + i₁)·n₂ + i₂)… */
export const at = (shape: readonly number[], ...index: number[]): number =>
  index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0);

/** The multi-index of a flat position. */
export function indexOf(shape: readonly number[], flat: number): number[] {
  const index = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = flat % shape[axis]!;
    flat = Math.floor(flat / shape[axis]!);
  }
  return index;
}

/** Row `i` of a matrix. */
export const row = (x: Array64, i: number): Float64Array => x.data.slice(i * x.shape[1]!, (i + 1) * x.shape[1]!);

export type Pair = number | readonly [number, number];
export const pair = (p: Pair): readonly [number, number] => (typeof p === "number" ? [p, p] : p);
