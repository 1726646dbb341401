import { checkFlag, checkNumber, number } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, count, type DType, grid, type Op, type Value } from "./op.ts";
import { checkAxes, index, layout, type ReduceOptions } from "./reduce.ts";
import { nanTest } from "./snippets.ts";

/*
 * max and min over any axes of x, and argmax, the place of the first largest number. NaN counts as the extreme, as in
 * PyTorch. Where several numbers are the extreme, each gets an equal share of the gradient, as of PyTorch's max(x),
 * whose NaN gets it all too.
 *
 * One thread a result where there are many, else a workgroup a result, whose threads then agree pairwise.
 */

type Extreme = "max" | "min";
const THREADS = 64;

/** Whether `a` at place `i` goes before `b` at place `j`. */
const better = (kind: Extreme) => /* wgsl */ `
${nanTest}
fn better(a: f32, i: u32, b: f32, j: u32) -> bool {
  if (isNaN(a) || isNaN(b)) { return isNaN(a) && (!isNaN(b) || i < j); }
  return a ${kind === "max" ? ">" : "<"} b || (a == b && i < j);
}`;

const forward = kernel(
  "minmax",
  ({ kind, byWorkgroup, place }: { kind: Extreme; byWorkgroup: boolean; place: boolean }) => wgsl`
${index(false)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<${place ? "u32" : "f32"}>;
@group(0) @binding(_) var<uniform> params: Params;
${better(kind)}
#if ${byWorkgroup}
var<workgroup> numbers: array<f32, ${THREADS}>;
var<workgroup> places: array<u32, ${THREADS}>;
#endif

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
#if ${byWorkgroup}
  let at = group.id.x;
  let first = min(thread, params.reduced - 1);
  let stride = ${THREADS}u;
#else
  let at = groupIndex(group) * ${THREADS} + thread;
  if (at >= params.kept) { return; }
  let first = 0u;
  let stride = 1u;
#endif
  let base = keptAt(at);
  var found = x[base + reducedAt(first)];
  var i = first;
  for (var j = first + stride; j < params.reduced; j += stride) {
    let other = x[base + reducedAt(j)];
    if (better(other, j, found, i)) { found = other; i = j; }
  }
#if ${byWorkgroup}
  numbers[thread] = found;
  places[thread] = i;
  for (var half = ${THREADS / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half && better(numbers[thread + half], places[thread + half], numbers[thread], places[thread])) {
      numbers[thread] = numbers[thread + half];
      places[thread] = places[thread + half];
    }
  }
  if (thread == 0) { y[at] = ${place ? "places[0]" : "numbers[0]"}; }
#else
  y[at] = ${place ? "i" : "found"};
#endif
}`,
);

const backward = kernel(
  "minmax.backward",
  ({ byWorkgroup }: { byWorkgroup: boolean }) => wgsl`
${index(false)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> y: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${nanTest}
fn isExtreme(x: f32, extreme: f32) -> bool { return x == extreme || (isNaN(x) && isNaN(extreme)); }
#if ${byWorkgroup}
var<workgroup> counts: array<u32, ${THREADS}>;
#endif

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
#if ${byWorkgroup}
  let at = group.id.x;
  let first = thread;
  let stride = ${THREADS}u;
#else
  let at = groupIndex(group) * ${THREADS} + thread;
  if (at >= params.kept) { return; }
  let first = 0u;
  let stride = 1u;
#endif
  let base = keptAt(at);
  let extreme = y[at];
  var equal = 0u;
  for (var j = first; j < params.reduced; j += stride) { equal += select(0u, 1u, isExtreme(x[base + reducedAt(j)], extreme)); }
#if ${byWorkgroup}
  counts[thread] = equal;
  for (var half = ${THREADS / 2}u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { counts[thread] += counts[thread + half]; }
  }
  workgroupBarrier();
  equal = counts[0];
#endif
  let share = dy[at] / f32(equal);
  for (var j = first; j < params.reduced; j += stride) {
    let place = base + reducedAt(j);
    dx[place] = select(0.0, share, isExtreme(x[place], extreme));
  }
}`,
);

/** Where there are few results of many numbers each, a workgroup works on one. */
const isByWorkgroup = (kept: number, reduced: number) => kept < 1024 && reduced > 32;

interface Search extends ReduceOptions {
  name: string;
  kind: Extreme;
  /** "f32": the numbers themselves, else their places. */
  dtype: DType;
}

function find(r: Recording, x: Value, { name, kind, dtype, axis, keepDims = false }: Search) {
  expectFloat(name, "x", x);
  checkFlag(name, "keepDims", keepDims);
  const axes = checkAxes(name, x, axis);
  const shape = x.shape.flatMap((size, i) => (axes.has(i) ? (keepDims ? [1] : []) : [size]));
  const { kept, reduced, strides } = layout(name, x.shape, axes);
  expect(reduced > 0, name, () => `x is ${show(x)}: there is no number to choose along axis ${[...axes]}.`);
  const byWorkgroup = isByWorkgroup(kept, reduced);
  const params = [kept, reduced, 0, ...strides, 0];
  const threads: [number, number, number] = byWorkgroup ? [kept, 1, 1] : grid(kept, THREADS);
  const y = allocate(r, shape, dtype);
  r.dispatch({
    kernel: forward({ kind, byWorkgroup, place: dtype !== "f32" }),
    reads: [x.slot],
    writes: [y.slot],
    params,
    grid: threads,
  });
  return { y, byWorkgroup, params, threads };
}

export const minmax: Op<ReduceOptions & { kind: Extreme }> = (r, [x], { kind, ...options }) => {
  const { y, byWorkgroup, params, threads } = find(r, x!, { name: kind, kind, dtype: "f32", ...options });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({
        kernel: backward({ byWorkgroup }),
        reads: [x!.slot, y.slot, dy!.slot],
        writes: [dx.slot],
        params,
        grid: threads,
      });
      return [dx];
    },
  };
};

/** Places are counted along the axis, or in the flattened x where no axis is given. */
export const argmax: Op<{ axis?: number | undefined; keepDims?: boolean | undefined }> = (r, [x], options) => {
  expect(count(x!.shape) > 0, "argmax", () => `x is ${show(x!)}: it holds no number.`);
  if (options.axis !== undefined) checkNumber("argmax", "axis", options.axis, number.whole);
  return { outputs: [find(r, x!, { name: "argmax", kind: "max", dtype: "i32", ...options }).y] };
};
