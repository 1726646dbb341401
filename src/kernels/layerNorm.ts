import { checkNumber, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { arithmetic } from "./arithmetic.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, bits, count, type Op, reshaped } from "./op.ts";
import { sumTo } from "./reduce.ts";
import { chooseRows, type RowVariant, rowHooks, sumOfRow, threads } from "./rows.ts";
import { notANumber } from "./snippets.ts";

/*
 * Over the last axis of x [..., D] (Ba, Kiros and Hinton 2016), μ and σ² the mean and (biased) variance of a row:
 *   x̂ = (x − μ) / √(σ² + ε),  y = w ⊙ x̂ + b
 *   dx = (g − mean(g) − x̂ · mean(g ⊙ x̂)) / √(σ² + ε),  g = w ⊙ dy;  dw = Σ dy ⊙ x̂,  db = Σ dy over the rows
 * A thread takes a row, or a workgroup does (rows.ts).
 */

const forward = kernel(
  "layerNorm",
  (v: RowVariant) => wgsl`
struct Params { N: u32, D: u32, eps: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> normal: array<f32>;
@group(0) @binding(_) var<storage, read_write> scale: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowHooks(v)}

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= params.N) { return; }
  let D = f32(params.D);
  var sum = 0.0;
  ${sumOfRow(v, { sum: "x[row * params.D + j]" }, "params.D")}
  let mean = sumOfThreads(first, sum) / D;
  // What the first mean missed is in the sum of the differences from it: both means together are right beyond a float's digits.
  var rest = 0.0;
  var squares = 0.0;
  ${sumOfRow(v, { rest: "d", squares: "d * d" }, "params.D", "let d = x[row * params.D + j] - mean;")}
  let missed = sumOfThreads(first, rest) / D;
  let variance = max(0.0, sumOfThreads(first, squares) / D - missed * missed);
  // No finite number has a place in a row that holds NaN or an infinity: what such a row gives is NaN.
  let k = select(inverseSqrt(variance + bitcast<f32>(params.eps)), missed, ${notANumber("missed")});
  for (var i = first; i < params.D; i += ROW_THREADS) { normal[row * params.D + i] = ((x[row * params.D + i] - mean) - missed) * k; }
  if (first == 0) { scale[row] = k; }
}`,
);

const backward = kernel(
  "layerNorm.backward",
  (v: RowVariant) => wgsl`
struct Params { N: u32, D: u32 }
@group(0) @binding(_) var<storage, read> normal: array<f32>;
@group(0) @binding(_) var<storage, read> scale: array<f32>;
@group(0) @binding(_) var<storage, read> g: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowHooks(v)}

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= params.N) { return; }
  let D = f32(params.D);
  var sum = 0.0;
  var along = 0.0;
  ${sumOfRow(v, { sum: "g[i]", along: "g[i] * normal[i]" }, "params.D", "let i = row * params.D + j;")}
  let meanG = sumOfThreads(first, sum) / D;
  let meanAlong = sumOfThreads(first, along) / D;
  for (var i = row * params.D + first; i < (row + 1) * params.D; i += ROW_THREADS) { dx[i] = scale[row] * (g[i] - meanG - normal[i] * meanAlong); }
}`,
);

/** Inputs: x, w [D] and b [D] (each optional). */
export const layerNorm: Op<{ eps?: number | undefined }> = (r, [x, w, b], { eps = 1e-5 }) => {
  const op = "layerNorm";
  expectFloat(op, "x", x!);
  const D = x!.shape.at(-1) ?? 0;
  expect(D > 0, op, () => `x is ${show(x!)}, expected a last axis of at least 1.`);
  for (const [name, value] of [
    ["w", w],
    ["b", b],
  ] as const) {
    if (!value) continue;
    expectFloat(op, name, value);
    expect(show(value) === show([D]), op, () => `${name} is ${show(value)}, expected [${D}] as x is ${show(x!)}.`);
  }
  checkNumber(op, "eps", eps, number.atLeast0);
  const N = count(x!.shape) / D;
  const normal = allocate(r, x!.shape);
  const scale = allocate(r, [N]);
  chooseRows(r, op, { N, D }, forward, {
    reads: [x!.slot],
    writes: [normal.slot, scale.slot],
    params: [N, D, bits(eps)],
  });
  const product = (a: typeof normal, b: typeof normal) => arithmetic(r, [a, b], { kind: "mul" }).outputs[0]!;
  const scaled = w ? product(normal, w) : normal;
  return {
    outputs: [b ? arithmetic(r, [scaled, b], { kind: "add" }).outputs[0]! : reshaped(scaled, x!.shape)],
    backward: ([dy], needs) => {
      const dx = allocate(r, x!.shape);
      const g = w ? product(dy!, w) : dy!;
      chooseRows(r, "layerNorm.backward", { N, D }, backward, {
        reads: [normal.slot, scale.slot, g.slot],
        writes: [dx.slot],
        params: [N, D],
      });
      return [
        dx,
        needs[1] ? sumTo(r, product(dy!, normal), [D]) : undefined,
        needs[2] ? sumTo(r, dy!, [D]) : undefined,
      ];
    },
  };
};
