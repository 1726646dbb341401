import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, count, type Op } from "./op.ts";
import { chooseRows, type RowVariant, rowHooks, rowStatistics, sumOfRow, threads } from "./rows.ts";
import { nanTest } from "./snippets.ts";

/*
 * Over the last axis, x [..., A]: softmax y = e^x / Σ e^x, dx = y ⊙ (dy − Σ y · dy);
 * logSoftmax y = x − log Σ e^x, dx = dy − e^y · Σ dy. A thread takes a row, or a workgroup does (rows.ts).
 */

const forward = kernel(
  "softmax",
  ({ log, ...v }: RowVariant & { log: boolean }) => wgsl`
struct Params { N: u32, A: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowStatistics(v)}

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= params.N) { return; }
#if ${log}
  let total = logSumExp_x(row, first);
  for (var i = row * params.A + first; i < (row + 1) * params.A; i += ROW_THREADS) { y[i] = x[i] - total.x - total.y; }
#else
  let top = largest_x(row, first);
  var sum = 0.0;
  ${sumOfRow(v, { sum: "exp(x[row * params.A + j] - top)" }, "params.A")}
  sum = select(sumOfThreads(first, sum), notFinite(top), isNotFinite(top));
  for (var i = row * params.A + first; i < (row + 1) * params.A; i += ROW_THREADS) { y[i] = exp(x[i] - top) / sum; }
#endif
}`,
);

const backward = kernel(
  "softmax.backward",
  ({ log, ...v }: RowVariant & { log: boolean }) => wgsl`
struct Params { N: u32, A: u32 }
@group(0) @binding(_) var<storage, read> y: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowHooks(v)}${nanTest}

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= params.N) { return; }
  var sum = 0.0;
  ${sumOfRow(v, { sum: log ? "dy[row * params.A + j]" : "y[row * params.A + j] * dy[row * params.A + j]" }, "params.A")}
  sum = sumOfThreads(first, sum);
  for (var i = row * params.A + first; i < (row + 1) * params.A; i += ROW_THREADS) { dx[i] = ${log ? "dy[i] - select(exp(y[i]), y[i], isNaN(y[i])) * sum" : "y[i] * (dy[i] - sum)"}; }
}`,
);

export const softmax: Op<{ log: boolean }> = (r, [x], { log }) => {
  const name = log ? "logSoftmax" : "softmax";
  expectFloat(name, "x", x!);
  const A = x!.shape.at(-1) ?? 0;
  expect(A > 0, name, () => `x is ${show(x!)}, expected a last axis of at least 1.`);
  const N = count(x!.shape) / A;
  const params = [N, A];
  const y = allocate(r, x!.shape);
  chooseRows(r, "softmax", { N, D: A }, (v) => forward({ log, ...v }), { reads: [x!.slot], writes: [y.slot], params });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      const work = { reads: [y.slot, dy!.slot], writes: [dx.slot], params };
      chooseRows(r, "softmax.backward", { N, D: A }, (v) => backward({ log, ...v }), work);
      return [dx];
    },
  };
};
