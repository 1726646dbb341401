import { kernel, wgsl } from "../gpu/index.ts";
import { checkAxis, expect, expectFloat, expectIds, show } from "./checks.ts";
import { allocate, count, grid, type Op } from "./op.ts";
import { sumInRuns, unknown } from "./snippets.ts";

/*
 * Numbers picked along one axis, x [outer, size, inner]:
 *   gather       y[o, j, i] = x[o, index[o, j, i], i]     index of y's shape, as PyTorch's
 *   indexSelect  y[o, j, i] = x[o, index[j], i]           one list of places for all
 *   dx[o, k, i] = Σ dy[o, j, i] over the j whose index is k, summed in the order of j: always the same bits.
 */

const where = (each: boolean) => (each ? "index[(o * params.picked + j) * params.inner + i]" : "index[j]");

const forward = kernel(
  "gather",
  ({ each }: { each: boolean }) => wgsl`
struct Params { n: u32, size: u32, picked: u32, inner: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> index: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${unknown}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let i = at % params.inner;
  let j = at / params.inner % params.picked;
  let o = at / params.inner / params.picked;
  let place = ${where(each)};
  y[at] = select(unknown(params.n), x[(o * params.size + min(place, params.size - 1)) * params.inner + i], place < params.size);
}`,
);

const backward = kernel(
  "gather.backward",
  ({ each }: { each: boolean }) => wgsl`
struct Params { n: u32, size: u32, picked: u32, inner: u32 }
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read> index: array<u32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let i = at % params.inner;
  let k = at / params.inner % params.size;
  let o = at / params.inner / params.size;
  var sum = 0.0;
  ${sumInRuns(
    { sum: "picked" },
    {
      end: "params.picked",
      before: `var picked = 0.0; if (${where(each)} == k) { picked = dy[(o * params.picked + j) * params.inner + i]; }`,
    },
  )}
  dx[at] = sum;
}`,
);

/** Inputs: x, index. \`each\`: the index has a place for every result (gather), else for every one along the axis. */
export const gather: Op<{ axis: number; each: boolean }> = (r, [x, index], { axis: asked, each }) => {
  const op = each ? "gather" : "indexSelect";
  expectFloat(op, "x", x!);
  const rank = x!.shape.length;
  const axis = checkAxis(op, "x", x!, asked);
  const fits = each
    ? index!.shape.length === rank && index!.shape.every((size, a) => a === axis || size === x!.shape[a])
    : index!.shape.length === 1;
  expect(
    fits,
    op,
    () =>
      `index is ${show(index!)} and x ${show(x!)}, expected ${each ? `x's sizes but for axis ${axis}` : "one dimension"}.`,
  );
  expectIds(op, "index", index!, x!.shape[axis]!);
  const picked = each ? index!.shape[axis]! : index!.shape[0]!;
  const shape = x!.shape.with(axis, picked);
  const around = [x!.shape[axis]!, picked, count(x!.shape.slice(axis + 1))];
  const y = allocate(r, shape);
  r.dispatch({
    kernel: forward({ each }),
    reads: [x!.slot, index!.slot],
    writes: [y.slot],
    params: [count(shape), ...around],
    grid: grid(count(shape), 64),
  });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({
        kernel: backward({ each }),
        reads: [dy!.slot, index!.slot],
        writes: [dx.slot],
        params: [count(x!.shape), ...around],
        grid: grid(count(x!.shape), 64),
      });
      return [dx];
    },
  };
};
