import { checkNumber, type Known, number } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { checkAxis, expect, show } from "./checks.ts";
import { allocate, count, grid, type Op, type Value } from "./op.ts";

/*
 * Numbers in another order. Both kernels copy bits, so any type goes through unchanged.
 *   permute  y's axis i is axis axes[i] of x; dx is dy permuted back.
 *   slice    y[i] = x[start + i · step] along one axis; dx is dy spread out again, 0 between.
 *   pad      y is x with `value` around it; dx is what of dy lies inside.
 */

const RANK = 6;
const axes = Array.from({ length: RANK }, (_, i) => i);
const fields = (letter: string, type: string) => axes.map((i) => `${letter}${i}: ${type}`).join(", ");

const gather = kernel(
  "strided",
  () => wgsl`
// d: sizes of y; t: how far apart neighbors along each axis lie in x.
struct Params { n: u32, offset: u32, ${fields("d", "u32")}, ${fields("t", "u32")} }
@group(0) @binding(_) var<storage, read> x: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<u32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  var rest = at;
  var place = params.offset;
#unroll i in ${RANK}
  place += rest % params.d$i * params.t$i; rest /= params.d$i;
#end
  y[at] = x[place];
}`,
);

const spread = kernel(
  "pad",
  () => wgsl`
// d: sizes of y; e: of x; b: numbers before it; t: every t-th number of y is one of x.
struct Params { n: u32, value: u32, ${fields("d", "u32")}, ${fields("e", "u32")}, ${fields("b", "u32")}, ${fields("t", "u32")} }
@group(0) @binding(_) var<storage, read> x: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<u32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  var rest = at;
  var start = 0u;
  var stride = 1u;
  var inside = true;
#unroll i in ${RANK}
  {
    let place = rest % params.d$i; rest /= params.d$i;
    let p = place - params.b$i;
    inside = inside && place >= params.b$i && p % params.t$i == 0 && p / params.t$i < params.e$i;
    start += p / params.t$i * stride; stride *= params.e$i;
  }
#end
  if (inside) { y[at] = x[start]; } else { y[at] = params.value; }
}`,
);

const expectRanks = (op: string, x: Value) =>
  expect(x.shape.length <= RANK, op, () => `x is ${show(x)}, expected at most ${RANK} dimensions. Reshape first.`);

/** One number an axis, the last axis first, filled up to RANK. */
const perAxis = (numbers: readonly number[], rest: number) =>
  axes.map((i) => (i < numbers.length ? numbers.at(-1 - i)! : rest));

const strides = (shape: readonly number[]) => shape.map((_, i) => count(shape.slice(i + 1)));

/** Records y[i₀, i₁, …] = x[offset + i₀ · steps₀ + i₁ · steps₁ …]. */
export function stridedCopy(
  r: Recording,
  x: Value,
  shape: readonly number[],
  steps: readonly number[],
  offset = 0,
): Value {
  const y = allocate(r, shape, x.dtype);
  r.dispatch({
    kernel: gather({}),
    reads: [x.slot],
    writes: [y.slot],
    params: [count(shape), offset, ...perAxis(shape, 1), ...perAxis(steps, 0)],
    grid: grid(count(shape), 64),
  });
  return y;
}

interface Padding {
  shape: readonly number[];
  /** Where x begins along each axis, and in which steps its numbers lie. */
  before: readonly number[];
  steps: readonly number[];
  /** What stands between and around. */
  value: number;
}

function padded(r: Recording, x: Value, { shape, before, steps, value }: Padding): Value {
  const y = allocate(r, shape, x.dtype);
  const bits = x.dtype === "f32" ? new Uint32Array(new Float32Array([value]).buffer)[0]! : value >>> 0;
  r.dispatch({
    kernel: spread({}),
    reads: [x.slot],
    writes: [y.slot],
    params: [
      count(shape),
      bits,
      ...perAxis(shape, 1),
      ...perAxis(x.shape, 1),
      ...perAxis(before, 0),
      ...perAxis(steps, 1),
    ],
    grid: grid(count(shape), 64),
  });
  return y;
}

export const permute: Op<{ axes: readonly number[] }> = (r, [x], { axes: asked }) => {
  expectRanks("permute", x!);
  const rank = x!.shape.length;
  const order = asked.map((a) => (a < 0 ? a + rank : a));
  expect(
    order.length === rank &&
      new Set(order).size === rank &&
      order.every((a) => Number.isInteger(a) && a >= 0 && a < rank),
    "permute",
    () => `axes [${asked}] are not those of x ${show(x!)} in another order, expected each of 0 … ${rank - 1} once.`,
  );
  const turn = (v: Value, order: readonly number[]) => {
    const steps = strides(v.shape);
    return stridedCopy(
      r,
      v,
      order.map((a) => v.shape[a]!),
      order.map((a) => steps[a]!),
    );
  };
  return {
    outputs: [turn(x!, order)],
    backward: ([dy]) => [
      turn(
        dy!,
        order.map((_, a) => order.indexOf(a)),
      ),
    ],
  };
};

/** Options of `slice`. */
export interface SliceOptions {
  /** The axis; a negative one counts from the end. Default 0. */
  axis?: number | undefined;
  /** The first place taken; a negative one counts from the end. Default 0. */
  start?: number | undefined;
  /** The place behind the last; a negative one counts from the end. Default: the size of the axis. */
  end?: number | undefined;
  /** Every step-th place is taken. */
  step?: number | undefined;
}
export const sliceOptions: Known<SliceOptions> = { axis: true, start: true, end: true, step: true };

export const slice: Op<SliceOptions> = (r, [x], { axis: asked = 0, start = 0, end, step = 1 }) => {
  expectRanks("slice", x!);
  const axis = checkAxis("slice", "x", x!, asked);
  const size = x!.shape[axis]!;
  expect(
    Number.isInteger(step) && step >= 1 && Number.isInteger(start) && Number.isInteger(end ?? 0),
    "slice",
    () => `start ${start}, end ${end}, step ${step}: expected whole numbers, and a step of at least 1.`,
  );
  const within = (place: number) => Math.min(Math.max(place < 0 ? place + size : place, 0), size);
  const [from, to] = [within(start), within(end ?? size)];
  const shape = x!.shape.with(axis, Math.max(0, Math.ceil((to - from) / step)));
  const steps = strides(x!.shape);
  return {
    outputs: [stridedCopy(r, x!, shape, steps.with(axis, steps[axis]! * step), from * steps[axis]!)],
    backward: ([dy]) => {
      const along = (n: number, others: number) => shape.map((_, a) => (a === axis ? n : others));
      return [padded(r, dy!, { shape: x!.shape, before: along(from, 0), steps: along(step, 1), value: 0 })];
    },
  };
};

/** `padding` is [before, after] of each axis. */
export const pad: Op<{ padding: readonly (readonly [number, number])[]; value: number }> = (
  r,
  [x],
  { padding, value },
) => {
  expectRanks("pad", x!);
  expect(
    padding.length === x!.shape.length && padding.flat().every((n) => Number.isInteger(n) && n >= 0),
    "pad",
    () =>
      `padding ${JSON.stringify(padding)} does not fit x ${show(x!)}, expected [before, after] of at least 0 for each axis at most.`,
  );
  checkNumber("pad", "value", value, x!.dtype === "f32" ? number.any : number[x!.dtype]);
  const shape = x!.shape.map((size, i) => size + padding[i]![0] + padding[i]![1]);
  const before = padding.map(([n]) => n);
  const ones = shape.map(() => 1);
  return {
    outputs: [padded(r, x!, { shape, before, steps: ones, value })],
    backward: ([dy]) => {
      const steps = strides(shape);
      const offset = steps.reduce((sum, step, i) => sum + step * before[i]!, 0);
      return [stridedCopy(r, dy!, x!.shape, steps, offset)];
    },
  };
};
