import { kernel, wgsl } from "../gpu/index.ts";
import type { Window } from "./conv2dRegisters.ts";
import { type Activation, activations } from "./op.ts";
import { type Tiles, tiles } from "./tiles.ts";

/*
 * Convolution through workgroup memory, for GPUs: three implicit matrix products, whose matrices are the images as the
 * window sees them and are nowhere written out. Of each group g of channels:
 *   y  [O/g, N·H′·W′] = w  [O/g, C/g·kH·kW] · patches of x [C/g·kH·kW, N·H′·W′]
 *   dx [C/g, N·H·W]   = wᵀ [C/g, O/g·kH·kW] · patches of dy [O/g·kH·kW, N·H·W]
 *   dw [O/g, C/g·kH·kW] = dy [O/g, N·H′·W′] · patches of xᵀ [N·H′·W′, C/g·kH·kW], its long inner size in shares
 */

type Variant = Window & { side: Tiles["side"] };

const sizes = /* wgsl */ `
struct Sizes { N: u32, C: u32, H: u32, W: u32, O: u32, P: u32, Q: u32, groups: u32, padH: u32, padW: u32, span: u32 }
var<private> group: u32;
var<private> image: u32;
var<private> place: vec2i;`;

/** What a pixel of y reads: the number of x under tap k of the window at `place`. */
const patch = (v: Window) => wgsl`
fn lookAt(pixel: u32) {
  image = pixel / (s.P * s.Q);
  let p = pixel % (s.P * s.Q) / s.Q;
  let q = pixel % s.Q;
  place = vec2i(i32(p * ${v.strideH}) - i32(s.padH), i32(q * ${v.strideW}) - i32(s.padW));
}
fn seen(k: u32) -> f32 {
  let h = place.x + i32(k / ${v.kW} % ${v.kH} * ${v.dilationH});
  let w = place.y + i32(k % ${v.kW} * ${v.dilationW});
  if (h < 0 || h >= i32(s.H) || w < 0 || w >= i32(s.W)) { return 0.0; }
  let c = group * (s.C / s.groups) + k / ${v.kH * v.kW};
  return x[((image * s.C + c) * s.H + u32(h)) * s.W + u32(w)];
}`;

const main = (side: number, body: string) => wgsl`
@compute @workgroup_size(${(side * side) / 16})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = wg.x + wg.y * wgs.x;
  ${body}
}`;

export const forward = kernel(
  "conv2d.shared",
  (v: Variant & { bias: boolean; activation: Activation }) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${v.bias ? 4 : 3}) var<uniform> s: Sizes;
${patch(v)}

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }
fn atColumn(n: u32) { lookAt(n); }
fn atDepth(k: u32) {}
fn loadA(m: u32, k: u32) -> f32 {
  return w[(group * (s.O / s.groups) + m) * (s.C / s.groups * ${v.kH * v.kW}) + k];
}
fn loadB(k: u32, n: u32) -> f32 { return seen(k); }
fn storeFour(m: u32, n: u32, v: vec4f) {
  if (m >= s.O / s.groups) { return; }
  let o = group * (s.O / s.groups) + m;
  let plane = s.P * s.Q;
  for (var j = 0u; j < 4 && n + j < s.N * plane; j++) {
    y[((n + j) / plane * s.O + o) * plane + (n + j) % plane] = activate(v[j]${v.bias ? " + b[o]" : ""});
  }
}
fn storeFourSums(m: u32, v: vec4f) {}
${tiles({ side: v.side, alongKA: true, alongKB: false, rowSum: false })}
${main(
  v.side,
  `group = wg.z;
  let K = s.C / s.groups * ${v.kH * v.kW};
  product(tile, s.O / s.groups, s.N * s.P * s.Q, 0, K, lane);`,
)}`,
);

export const backwardInput = kernel(
  "conv2d.backwardInput.shared",
  (v: Variant) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

fn atColumn(n: u32) {
  image = n / (s.H * s.W);
  place = vec2i(i32(n % (s.H * s.W) / s.W + s.padH), i32(n % s.W + s.padW));
}
fn atDepth(k: u32) {}
fn loadA(m: u32, k: u32) -> f32 {
  let o = group * (s.O / s.groups) + k / ${v.kH * v.kW};
  return w[(o * (s.C / s.groups) + m) * ${v.kH * v.kW} + k % ${v.kH * v.kW}];
}
// The result that met this pixel at tap k, if there is one.
fn loadB(k: u32, n: u32) -> f32 {
  let up = place.x - i32(k / ${v.kW} % ${v.kH} * ${v.dilationH});
  let left = place.y - i32(k % ${v.kW} * ${v.dilationW});
  if (up < 0 || left < 0 || up % ${v.strideH} != 0 || left % ${v.strideW} != 0) { return 0.0; }
  let p = u32(up) / ${v.strideH};
  let q = u32(left) / ${v.strideW};
  if (p >= s.P || q >= s.Q) { return 0.0; }
  let o = group * (s.O / s.groups) + k / ${v.kH * v.kW};
  return dy[((image * s.O + o) * s.P + p) * s.Q + q];
}
fn storeFour(m: u32, n: u32, v: vec4f) {
  if (m >= s.C / s.groups) { return; }
  let c = group * (s.C / s.groups) + m;
  let plane = s.H * s.W;
  for (var j = 0u; j < 4 && n + j < s.N * plane; j++) {
    dx[((n + j) / plane * s.C + c) * plane + (n + j) % plane] = v[j];
  }
}
fn storeFourSums(m: u32, v: vec4f) {}
${tiles({ side: v.side, alongKA: true, alongKB: false, rowSum: false })}
${main(
  v.side,
  `group = wg.z;
  let K = s.O / s.groups * ${v.kH * v.kW};
  product(tile, s.C / s.groups, s.N * s.H * s.W, 0, K, lane);`,
)}`,
);

/** Into `shares`: a share's dw, then its Σ dy for each output channel, which is its part of db. */
export const backwardWeight = kernel(
  "conv2d.backwardWeight.shared",
  (v: Variant) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> shares: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;
${patch(v)}
var<private> base: u32;

fn atColumn(n: u32) {}
fn atDepth(k: u32) { lookAt(k); }
fn loadA(m: u32, k: u32) -> f32 {
  let plane = s.P * s.Q;
  return dy[(k / plane * s.O + group * (s.O / s.groups) + m) * plane + k % plane];
}
fn loadB(k: u32, n: u32) -> f32 { return seen(n); }
fn storeFour(m: u32, n: u32, v: vec4f) {
  if (m >= s.O / s.groups) { return; }
  let columns = s.C / s.groups * ${v.kH * v.kW};
  for (var j = 0u; j < 4 && n + j < columns; j++) {
    shares[base + (group * (s.O / s.groups) + m) * columns + n + j] = v[j];
  }
}
fn storeFourSums(m: u32, v: vec4f) {
  let weights = s.O * (s.C / s.groups) * ${v.kH * v.kW};
  for (var i = 0u; i < 4 && m + i < s.O / s.groups; i++) {
    shares[base + weights + group * (s.O / s.groups) + m + i] = v[i];
  }
}
${tiles({ side: v.side, alongKA: true, alongKB: true, rowSum: true })}
${main(
  v.side,
  `let columns = s.C / s.groups * ${v.kH * v.kW};
  let share = wg.z / s.groups;
  group = wg.z % s.groups;
  base = share * (s.O * columns + s.O);
  product(tile, s.O / s.groups, columns, share * s.span, min((share + 1) * s.span, s.N * s.P * s.Q), lane);`,
)}`,
);
