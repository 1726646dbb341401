import { kernel, wgsl } from "../gpu/index.ts";
import { nanTest } from "./formulas.ts";
import { count, expect, expectFloat, fresh, type Op, show } from "./op.ts";
import { chooseRows, type RowWay, rowOf, rowStatistics, sumOfLanes, sumOfRow, threads } from "./rows.ts";

/*
 * Over the last axis, x [..., A]: softmax y = e^x / Σ e^x, dx = y ⊙ (dy − Σ y · dy);
 * logSoftmax y = x − log Σ e^x, dx = dy − e^y · Σ dy. A thread takes a row, or a workgroup does (rows.ts).
 */

const forward = kernel(
  "softmax",
  ({ log, ...way }: RowWay & { log: boolean }) => wgsl`
struct Sizes { N: u32, A: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> s: Sizes;
${rowStatistics(way)}

@compute @workgroup_size(${threads(way)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(way)}
  if (row >= s.N) { return; }
#if ${log}
  let total = logSumExp_x(row, lane);
  for (var i = row * s.A + lane; i < (row + 1) * s.A; i += ${way.lanes}) { y[i] = x[i] - total.x - total.y; }
#else
  let top = largest_x(row, lane);
  var sum = 0.0;
  ${sumOfRow(way, { sum: "exp(x[row * s.A + j] - top)" }, "s.A")}
  sum = select(sumOfLanes(lane, sum), notFinite(top), isNotFinite(top));
  for (var i = row * s.A + lane; i < (row + 1) * s.A; i += ${way.lanes}) { y[i] = exp(x[i] - top) / sum; }
#endif
}`,
);

const backward = kernel(
  "softmax.backward",
  ({ log, ...way }: RowWay & { log: boolean }) => wgsl`
struct Sizes { N: u32, A: u32 }
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;
${sumOfLanes(way)}${nanTest}

@compute @workgroup_size(${threads(way)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(way)}
  if (row >= s.N) { return; }
  var sum = 0.0;
  ${sumOfRow(way, { sum: log ? "dy[row * s.A + j]" : "y[row * s.A + j] * dy[row * s.A + j]" }, "s.A")}
  sum = sumOfLanes(lane, sum);
  for (var i = row * s.A + lane; i < (row + 1) * s.A; i += ${way.lanes}) { dx[i] = ${log ? "dy[i] - select(exp(y[i]), y[i], isNaN(y[i])) * sum" : "y[i] * (dy[i] - sum)"}; }
}`,
);

export const softmax: Op<{ log: boolean }> = (r, [x], { log }) => {
  const name = log ? "logSoftmax" : "softmax";
  expectFloat(name, "x", x!);
  const A = x!.shape.at(-1) ?? 0;
  expect(A > 0, name, () => `x is ${show(x!)}, expected a last axis of at least 1.`);
  const N = count(x!.shape) / A;
  const sizes = [N, A];
  const y = fresh(r, x!.shape);
  chooseRows(r, "softmax", N, A, (way) => forward({ log, ...way }), { reads: [x!.slot], writes: [y.slot], sizes });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = fresh(r, x!.shape);
      const work = { reads: [y.slot, dy!.slot], writes: [dx.slot], sizes };
      chooseRows(r, "softmax.backward", N, A, (way) => backward({ log, ...way }), work);
      return [dx];
    },
  };
};
