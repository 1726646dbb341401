import { checkNumber, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { arithmetic } from "./arithmetic.ts";
import { bits, count, expect, expectFloat, fresh, notANumber, type Op, reshaped, show } from "./op.ts";
import { sumTo } from "./reduce.ts";
import { chooseRows, type RowWay, rowOf, sumOfLanes, sumOfRow, threads } from "./rows.ts";

/*
 * Over the last axis of x [..., D] (Ba, Kiros and Hinton 2016), μ and σ² the mean and (biased) variance of a row:
 *   x̂ = (x − μ) / √(σ² + ε),  y = w ⊙ x̂ + b
 *   dx = (g − mean(g) − x̂ · mean(g ⊙ x̂)) / √(σ² + ε),  g = w ⊙ dy;  dw = Σ dy ⊙ x̂,  db = Σ dy over the rows
 * A thread takes a row, or a workgroup does (rows.ts).
 */

const forward = kernel(
  "layerNorm",
  (way: RowWay) => wgsl`
struct Sizes { N: u32, D: u32, epsilon: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> normal: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;
${sumOfLanes(way)}

@compute @workgroup_size(${threads(way)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(way)}
  if (row >= s.N) { return; }
  let D = f32(s.D);
  var sum = 0.0;
  ${sumOfRow(way, { sum: "x[row * s.D + j]" }, "s.D")}
  let mean = sumOfLanes(lane, sum) / D;
  // What the first mean missed is in the sum of the differences from it: both means together are right beyond a float's digits.
  var rest = 0.0;
  var squares = 0.0;
  ${sumOfRow(way, { rest: "d", squares: "d * d" }, "s.D", "let d = x[row * s.D + j] - mean;")}
  let missed = sumOfLanes(lane, rest) / D;
  let variance = max(0.0, sumOfLanes(lane, squares) / D - missed * missed);
  // No finite number has a place in a row that holds NaN or an infinity: what such a row gives is NaN.
  let k = select(inverseSqrt(variance + bitcast<f32>(s.epsilon)), missed, ${notANumber("missed")});
  for (var i = lane; i < s.D; i += ${way.lanes}) { normal[row * s.D + i] = ((x[row * s.D + i] - mean) - missed) * k; }
  if (lane == 0) { scale[row] = k; }
}`,
);

const backward = kernel(
  "layerNorm.backward",
  (way: RowWay) => wgsl`
struct Sizes { N: u32, D: u32 }
@group(0) @binding(0) var<storage, read> normal: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> s: Sizes;
${sumOfLanes(way)}

@compute @workgroup_size(${threads(way)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(way)}
  if (row >= s.N) { return; }
  let D = f32(s.D);
  var sum = 0.0;
  var along = 0.0;
  ${sumOfRow(way, { sum: "g[i]", along: "g[i] * normal[i]" }, "s.D", "let i = row * s.D + j;")}
  let meanG = sumOfLanes(lane, sum) / D;
  let meanAlong = sumOfLanes(lane, along) / D;
  for (var i = row * s.D + lane; i < (row + 1) * s.D; i += ${way.lanes}) { dx[i] = scale[row] * (g[i] - meanG - normal[i] * meanAlong); }
}`,
);

/** Inputs: x, w [D] and b [D] (each optional). */
export const layerNorm: Op<{ epsilon?: number | undefined }> = (r, [x, w, b], { epsilon = 1e-5 }) => {
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
  checkNumber(op, "epsilon", epsilon, number.atLeast0);
  const N = count(x!.shape) / D;
  const normal = fresh(r, x!.shape);
  const scale = fresh(r, [N]);
  chooseRows(r, op, N, D, forward, {
    reads: [x!.slot],
    writes: [normal.slot, scale.slot],
    sizes: [N, D, bits(epsilon)],
  });
  const product = (a: typeof normal, b: typeof normal) => arithmetic(r, [a, b], { kind: "mul" }).outputs[0]!;
  const scaled = w ? product(normal, w) : normal;
  return {
    outputs: [b ? arithmetic(r, [scaled, b], { kind: "add" }).outputs[0]! : reshaped(scaled, x!.shape)],
    backward: ([dy], needs) => {
      const dx = fresh(r, x!.shape);
      const g = w ? product(dy!, w) : dy!;
      chooseRows(r, "layerNorm.backward", N, D, backward, {
        reads: [normal.slot, scale.slot, g.slot],
        writes: [dx.slot],
        sizes: [N, D],
      });
      return [
        dx,
        needs[1] ? sumTo(r, product(dy!, normal), [D]) : undefined,
        needs[2] ? sumTo(r, dy!, [D]) : undefined,
      ];
    },
  };
};
