import { checkFlag, type Known } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { checkAxis, expect, expectFloat, show } from "./checks.ts";
import { allocate, bits, count, grid, type Op, reshaped, type Value } from "./op.ts";
import { sumInRuns } from "./snippets.ts";

/*
 * y = Σ x, or the mean, over any axes of x; dx = dy (over the number summed, for the mean), repeated along the axes.
 *
 * There are three variants where results are few or sums are long:
 *   serial     one thread a result
 *   workgroup  one workgroup a result: its threads sum strides of 256, then pairwise
 *   multiPass  one thread for each few hundred numbers, and what they find is summed in the same way: no barriers, which are
 *              dear on devices that compute on the CPU. Three times faster there for long sums, but no default: numbers that
 *              are all alike have a mean that is just theirs only where they are added pairwise
 * `workgroup` too goes in several passes where sums are long, so that rounding errors hardly grow with the length; `serial` takes
 * no more than a few thousand numbers, unless a tuning says so.
 */

const THREADS = 256;
/** Numbers that one workgroup sums, and one thread; more are split. */
const SPAN = { workgroup: 16384, thread: 256 };
/** The least results that the threads of a CPU sum one by one by default, and the most numbers of each that any thread does. */
const FEW = 16;
const SHORT = 4096;

/** Where numbers lie; `flat` where kept and reduced axes are one each, which saves the divisions. */
export const index = (flat: boolean): string => wgsl`
// k: kept dimensions, r: reduced ones, each outermost first with its stride in x.
struct Params { kept: u32, reduced: u32, span: u32, k1: u32, k2: u32, sk0: u32, sk1: u32, sk2: u32, r1: u32, r2: u32, sr0: u32, sr1: u32, sr2: u32, scale: u32 }
#if ${flat}
fn keptAt(i: u32) -> u32 { return i * params.sk2; }
fn reducedAt(i: u32) -> u32 { return i * params.sr2; }
#else
fn keptAt(i: u32) -> u32 { return i / (params.k1 * params.k2) * params.sk0 + i / params.k2 % params.k1 * params.sk1 + i % params.k2 * params.sk2; }
fn reducedAt(i: u32) -> u32 { return i / (params.r1 * params.r2) * params.sr0 + i / params.r2 % params.r1 * params.sr1 + i % params.r2 * params.sr2; }
#endif`;

const forward = kernel(
  "sum",
  ({ byWorkgroup, flat }: { byWorkgroup: boolean; flat: boolean }) => wgsl`
${index(flat)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

#if ${byWorkgroup}
var<workgroup> sums: array<f32, ${THREADS}>;

// Workgroup (i, part): result i, numbers [part · span, (part + 1) · span) of those to be summed.
@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let base = keptAt(group.id.x);
  var sum = 0.0;
  for (var i = group.id.y * params.span + thread; i < min((group.id.y + 1) * params.span, params.reduced); i += ${THREADS}) {
    sum += x[base + reducedAt(i)];
  }
  sums[thread] = sum;
  for (var half = ${THREADS / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  if (thread == 0) { y[group.id.y * params.kept + group.id.x] = sums[0] * bitcast<f32>(params.scale); }
}
#else
// Thread part · kept + i: result i, numbers [part · span, (part + 1) · span) of those to be summed.
@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  let part = at / params.kept;
  if (part >= max(1, (params.reduced + params.span - 1) / params.span)) { return; }
  let base = keptAt(at % params.kept);
  var sum = 0.0;
  let end = min((part + 1) * params.span, params.reduced);
  ${sumInRuns({ sum: "x[base + reducedAt(j)]" }, { first: "part * params.span", end: "end" })}
  y[at] = sum * bitcast<f32>(params.scale);
}
#endif`,
);

const backward = kernel(
  "sum.backward",
  ({ flat }: { flat: boolean }) => wgsl`
${index(flat)}
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.kept * params.reduced) { return; }
  dx[keptAt(at / params.reduced) + reducedAt(at % params.reduced)] = dy[at / params.reduced] * bitcast<f32>(params.scale);
}`,
);

/** Sizes and strides of kept and reduced axes, neighbors of one kind joined; three of each at most. */
export function layout(
  name: string,
  shape: readonly number[],
  axes: ReadonlySet<number>,
): { kept: number; reduced: number; strides: number[]; flat: boolean } {
  const groups = { kept: [] as [number, number][], reduced: [] as [number, number][] };
  let stride = 1;
  let last: "kept" | "reduced" | undefined;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i]!;
    if (size === 1) continue;
    const kind = axes.has(i) ? "reduced" : "kept";
    const first = groups[kind][0];
    if (last === kind && first) first[0] *= size;
    else groups[kind].unshift([size, stride]);
    last = kind;
    stride *= size;
  }
  const three = (list: [number, number][]) => {
    expect(list.length <= 3, name, () => `${show(shape)} over these axes alternates too often. Transpose first.`);
    return [...Array<[number, number]>(3 - list.length).fill([1, 0]), ...list];
  };
  const kept = three(groups.kept);
  const reduced = three(groups.reduced);
  const product = (list: [number, number][]) => list.reduce((n, [size]) => n * size, 1);
  const numbers = (list: [number, number][]) => [list[1]![0], list[2]![0], ...list.map(([, s]) => s)];
  return {
    kept: product(kept),
    reduced: product(reduced),
    strides: [...numbers(kept), ...numbers(reduced)],
    flat: groups.kept.length <= 1 && groups.reduced.length <= 1,
  };
}

/** Records y = scale · Σ x over the axes. */
export function sumOver(r: Recording, x: Value, axes: ReadonlySet<number>, shape: readonly number[], scale = 1): Value {
  const { kept, reduced } = layout("sum", x.shape, axes);
  const y = allocate(r, shape);
  /** Sums of `span` numbers each, and the sums of those, until there is one a result. */
  const pass = (r: Recording, x: Value, axes: ReadonlySet<number>, byWorkgroup: boolean, span: number): void => {
    const { reduced, strides, flat } = layout("sum", x.shape, axes);
    const parts = Math.max(1, Math.ceil(reduced / span));
    const sums = parts === 1 ? y : allocate(r, [parts, kept]);
    r.dispatch({
      kernel: forward({ byWorkgroup, flat }),
      reads: [x.slot],
      writes: [sums.slot],
      params: [kept, reduced, span, ...strides, bits(parts === 1 ? scale : 1)],
      grid: byWorkgroup ? [kept, parts, 1] : grid(kept * parts, 64),
    });
    if (parts > 1) pass(r, sums, new Set([0]), byWorkgroup, span);
  };
  const variants = {
    serial: (r: Recording) => pass(r, x, axes, false, Math.max(1, reduced)),
    workgroup: (r: Recording) => pass(r, x, axes, true, SPAN.workgroup),
    multiPass: (r: Recording) => pass(r, x, axes, false, SPAN.thread),
  };
  if (reduced === 0 || (kept >= 64 && reduced <= 32)) variants.serial(r);
  // Enough results for all threads of any device.
  else if (kept >= 1024) (reduced <= SHORT ? variants.serial : variants.multiPass)(r);
  else {
    // A few results have one variant whatever is summed, so that another size of batch does not compile the mean of its losses anew.
    const software = kept >= FEW && reduced <= SHORT ? "serial" : "workgroup";
    const size = (n: number) => 2 ** Math.ceil(Math.log2(n));
    const defaults = { software, integrated: "workgroup", discrete: "workgroup" };
    r.choose("sum", `${kept < FEW ? "few" : size(kept)}×${size(reduced)}`, variants, defaults);
  }
  return y;
}

/** Sums `x` over what was repeated to make it from \`shape\`. */
export function sumTo(r: Recording, x: Value, shape: readonly number[]): Value {
  const ahead = x.shape.length - shape.length;
  const axes = new Set(x.shape.flatMap((size, i) => (i < ahead || (shape[i - ahead] === 1 && size !== 1) ? [i] : [])));
  if (count(x.shape) === count(shape)) return reshaped(x, shape);
  return sumOver(r, x, axes, shape);
}

/** Checks axes (negative ones count from the end); all of them when there are none. */
export function checkAxes(name: string, x: Value, axis: number | readonly number[] | undefined): Set<number> {
  const list = axis === undefined ? x.shape.map((_, i) => i) : Array.isArray(axis) ? axis : [axis];
  const axes = list.map((a) => checkAxis(name, "x", x, a));
  expect(new Set(axes).size === axes.length, name, () => `axis ${list} names one axis twice.`);
  return new Set(axes);
}

/** Options of reductions: sum, mean, max, min, logSumExp. */
export interface ReduceOptions {
  /** One axis or several; negative ones count from the end. Default: all of them. */
  axis?: number | readonly number[] | undefined;
  /** Whether reduced axes stay, of size 1. Default false. */
  keepDims?: boolean | undefined;
}
export const reduceOptions: Known<ReduceOptions> = { axis: true, keepDims: true };

export const sum: Op<ReduceOptions & { mean?: boolean }> = (r, [x], { axis, keepDims = false, mean = false }) => {
  const name = mean ? "mean" : "sum";
  expectFloat(name, "x", x!);
  checkFlag(name, "keepDims", keepDims);
  const axes = checkAxes(name, x!, axis);
  const shape = x!.shape.flatMap((size, i) => (axes.has(i) ? (keepDims ? [1] : []) : [size]));
  const { kept, reduced, strides, flat } = layout(name, x!.shape, axes);
  const scale = mean ? 1 / reduced : 1;
  const y = sumOver(r, x!, axes, shape, scale);
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({
        kernel: backward({ flat }),
        reads: [dy!.slot],
        writes: [dx.slot],
        params: [kept, reduced, 0, ...strides, bits(scale)],
        grid: grid(kept * reduced, 64),
      });
      return [dx];
    },
  };
};
