import { type Dispatch, type Kernel, kernel, type Recording, wgsl } from "../gpu/index.ts";
import { arithmetic } from "./arithmetic.ts";
import { bits, count, expect, expectFloat, fresh, grid, type Op, reshaped, show } from "./op.ts";
import { sumTo } from "./reduce.ts";

/*
 * Over the last axis of x [..., D] (Ba, Kiros and Hinton 2016), μ and σ² the mean and (biased) variance of a row:
 *   x̂ = (x − μ) / √(σ² + ε),  y = w ⊙ x̂ + b
 *   dx = (g − mean(g) − x̂ · mean(g ⊙ x̂)) / √(σ² + ε),  g = w ⊙ dy;  dw = Σ dy ⊙ x̂,  db = Σ dy over the rows
 * A workgroup takes a row (`shared`): its lanes sum strides of 64, then pairwise. Or a thread does (`alone`), for devices
 * that compute on the CPU, where barriers are dear.
 */

/** Lanes that share a row. */
interface Variant extends Record<string, number> {
  lanes: 1 | 64;
}
/** Threads of a workgroup whose rows are their own. */
const ROWS = 16;
/** The longest row that a thread sums alone by default: rounding errors grow with its length. */
const ALONE = 4096;

const rowOf = ({ lanes }: Variant) =>
  lanes === 1
    ? wgsl`let row = (group.x + group.y * groups.x) * ${ROWS} + thread; let lane = 0u;`
    : wgsl`let row = group.x + group.y * groups.x; let lane = thread;`;

const sumOfLanes = ({ lanes }: Variant) => wgsl`
#if ${lanes === 1}
fn sumOfLanes(lane: u32, x: f32) -> f32 { return x; }
#else
var<workgroup> lanes: array<f32, 64>;
fn sumOfLanes(lane: u32, x: f32) -> f32 {
  lanes[lane] = x;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { lanes[lane] += lanes[lane + half]; }
  }
  let sum = workgroupUniformLoad(&lanes[0]);
  workgroupBarrier();
  return sum;
}
#endif`;

const forward = kernel(
  "layerNorm",
  (v: Variant) => wgsl`
struct Sizes { N: u32, D: u32, epsilon: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> normal: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;
${sumOfLanes(v)}

@compute @workgroup_size(${v.lanes === 1 ? ROWS : v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(v)}
  if (row >= s.N) { return; }
  let D = f32(s.D);
  var sum = 0.0;
  for (var i = lane; i < s.D; i += ${v.lanes}) { sum += x[row * s.D + i]; }
  let mean = sumOfLanes(lane, sum) / D;
  var squares = 0.0;
  for (var i = lane; i < s.D; i += ${v.lanes}) { let d = x[row * s.D + i] - mean; squares += d * d; }
  let k = inverseSqrt(sumOfLanes(lane, squares) / D + bitcast<f32>(s.epsilon));
  for (var i = lane; i < s.D; i += ${v.lanes}) { normal[row * s.D + i] = (x[row * s.D + i] - mean) * k; }
  if (lane == 0) { scale[row] = k; }
}`,
);

const backward = kernel(
  "layerNorm.backward",
  (v: Variant) => wgsl`
struct Sizes { N: u32, D: u32 }
@group(0) @binding(0) var<storage, read> normal: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> s: Sizes;
${sumOfLanes(v)}

@compute @workgroup_size(${v.lanes === 1 ? ROWS : v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(v)}
  if (row >= s.N) { return; }
  let D = f32(s.D);
  var sum = 0.0;
  var along = 0.0;
  for (var i = row * s.D + lane; i < (row + 1) * s.D; i += ${v.lanes}) { sum += g[i]; along += g[i] * normal[i]; }
  let meanG = sumOfLanes(lane, sum) / D;
  let meanAlong = sumOfLanes(lane, along) / D;
  for (var i = row * s.D + lane; i < (row + 1) * s.D; i += ${v.lanes}) { dx[i] = scale[row] * (g[i] - meanG - normal[i] * meanAlong); }
}`,
);

/** Records work on N rows of D in one of its two ways. */
function choose(
  r: Recording,
  family: string,
  D: number,
  N: number,
  kernelOf: (v: Variant) => Kernel,
  work: Omit<Dispatch, "kernel" | "grid">,
): void {
  const by = (lanes: 1 | 64) => (r: Recording) =>
    r.dispatch({ kernel: kernelOf({ lanes }), grid: grid(N, lanes === 1 ? ROWS : 1), ...work });
  const software = D <= ALONE ? "alone" : "shared";
  r.choose(
    family,
    `D ${2 ** Math.ceil(Math.log2(D))}`,
    { alone: by(1), shared: by(64) },
    { software, integrated: "shared", discrete: "shared" },
  );
}

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
  expect(epsilon >= 0, op, () => `epsilon is ${epsilon}, expected at least 0.`);
  const N = count(x!.shape) / D;
  const normal = fresh(r, x!.shape);
  const scale = fresh(r, [N]);
  choose(r, op, D, N, forward, {
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
      choose(r, "layerNorm.backward", D, N, backward, {
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
