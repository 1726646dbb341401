import { kernel, wgsl } from "../gpu/index.ts";
import { rowStatistics } from "./loss.ts";
import { count, expect, expectFloat, fresh, grid, type Op, show } from "./op.ts";

/*
 * Over the last axis, x [..., A]: softmax y = e^x / Σ e^x, dx = y ⊙ (dy − Σ y · dy);
 * logSoftmax y = x − log Σ e^x, dx = dy − e^y · Σ dy.
 */

const forward = kernel(
  "softmax",
  ({ log }: { log: boolean }) => wgsl`
struct Sizes { N: u32, A: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> s: Sizes;
${rowStatistics}

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.x + group.y * groups.x) * 16 + lane;
  if (row >= s.N) { return; }
#if ${log}
  let total = logSumExp(row);
  for (var i = row * s.A; i < (row + 1) * s.A; i++) { y[i] = x[i] - total.x - total.y; }
#else
  let top = largest(row);
  var sum = 0.0;
  for (var i = row * s.A; i < (row + 1) * s.A; i++) { sum += exp(x[i] - top); }
  for (var i = row * s.A; i < (row + 1) * s.A; i++) { y[i] = exp(x[i] - top) / sum; }
#endif
}`,
);

const backward = kernel(
  "softmax.backward",
  ({ log }: { log: boolean }) => wgsl`
struct Sizes { N: u32, A: u32 }
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.x + group.y * groups.x) * 16 + lane;
  if (row >= s.N) { return; }
  var sum = 0.0;
  for (var i = row * s.A; i < (row + 1) * s.A; i++) { sum += ${log ? "dy[i]" : "y[i] * dy[i]"}; }
  for (var i = row * s.A; i < (row + 1) * s.A; i++) { dx[i] = ${log ? "dy[i] - exp(y[i]) * sum" : "y[i] * (dy[i] - sum)"}; }
}`,
);

export const softmax: Op<{ log: boolean }> = (r, [x], { log }) => {
  const name = log ? "logSoftmax" : "softmax";
  expectFloat(name, "x", x!);
  const A = x!.shape.at(-1) ?? 0;
  expect(A > 0, name, () => `x is ${show(x!)}, expected a last axis of at least 1.`);
  const sizes = [count(x!.shape) / A, A];
  const rows = grid(sizes[0]!, 16);
  const y = fresh(r, x!.shape);
  r.dispatch({ kernel: forward({ log }), reads: [x!.slot], writes: [y.slot], sizes, grid: rows });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = fresh(r, x!.shape);
      r.dispatch({ kernel: backward({ log }), reads: [y.slot, dy!.slot], writes: [dx.slot], sizes, grid: rows });
      return [dx];
    },
  };
};
