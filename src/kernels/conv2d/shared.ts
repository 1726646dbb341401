import { kernel, wgsl } from "../../gpu/index.ts";
import { type Tiles, threadsOf, tiles } from "../tiles.ts";
import { common, epilogue, type Forward, type Window } from "./common.ts";

/*
 * Three implicit matrix products through workgroup memory (tiles.ts), whose matrices are the images as the window sees them and
 * are nowhere written out. Of each group g of channels:
 *   y  [O/g, N·P·Q] = w  [O/g, C/g·kH·kW] · patches of x [C/g·kH·kW, N·P·Q]
 *   dx [C/g, N·H·W] = wᵀ [C/g, O/g·kH·kW] · patches of dy [O/g·kH·kW, N·H·W]
 *   dw [O/g, C/g·kH·kW] = dy [O/g, N·P·Q] · patches of xᵀ [N·P·Q, C/g·kH·kW], split along its long inner size
 * A workgroup computes 64 × 64 or 32 × 32 results, 4 × 4 a thread. In workgroup memory lie, for 16 of the inner size at a time, the
 * left matrix's rows and the right one's columns, which `loadA` and `loadB` find in the arrays.
 *
 * The right variant for GPUs: 64 for more than 32 channels of a group, 32 for 8 and more, registers.ts for fewer.
 */

interface Shared {
  side: Tiles["side"];
}

/** WGSL: what main's workgroup works on, and where the thread looks at an image, for the hooks of tiles.ts. */
const looking = /* wgsl */ `
var<private> g: u32;
var<private> image: u32;
var<private> corner: vec2i;`;

/** WGSL: `lookAt(pixel)` of y, then `seen(k)`: what it reads, the number of x under tap k of its window. */
const patch = /* wgsl */ `
fn lookAt(pixel: u32) {
  image = pixel / (params.P * params.Q);
  let p = pixel % (params.P * params.Q) / params.Q;
  let q = pixel % params.Q;
  corner = vec2i(i32(p * STRIDE_H) - i32(params.padH), i32(q * STRIDE_W) - i32(params.padW));
}
fn seen(k: u32) -> f32 {
  let h = corner.x + i32(k / KW % KH * DILATION_H);
  let w = corner.y + i32(k % KW * DILATION_W);
  if (h < 0 || h >= i32(params.H) || w < 0 || w >= i32(params.W)) { return 0.0; }
  let c = g * (params.C / params.groups) + k / (KH * KW);
  return x[((image * params.C + c) * params.H + u32(h)) * params.W + u32(w)];
}`;

export const forward = kernel(
  "conv2d.shared",
  (v: Forward & Shared) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> w: array<f32>;
#if ${v.bias}
@group(0) @binding(_) var<storage, read> b: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${looking}
${patch}
${epilogue(v)}

fn atColumn(n: u32) { lookAt(n); }
fn atDepth(k: u32) {}
fn loadA(m: u32, k: u32) -> f32 {
  return w[(g * (params.O / params.groups) + m) * (params.C / params.groups * KH * KW) + k];
}
fn loadB(k: u32, n: u32) -> f32 { return seen(k); }
fn storeFour(m: u32, n: u32, numbers: vec4f) {
  if (m >= params.O / params.groups) { return; }
  let o = g * (params.O / params.groups) + m;
  let plane = params.P * params.Q;
  for (var j = 0u; j < 4 && n + j < params.N * plane; j++) {
    y[((n + j) / plane * params.O + o) * plane + (n + j) % plane] = epilogue(numbers[j], o);
  }
}
fn storeFourSums(m: u32, sums: vec4f) {}
${tiles({ side: v.side, alongKA: true, alongKB: false, rowSum: false })}

@compute @workgroup_size(${threadsOf(v.side)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  g = group.id.z;
  let K = params.C / params.groups * KH * KW;
  product(groupIndex(group), params.O / params.groups, params.N * params.P * params.Q, 0, K, thread);
}`,
);

export const backwardInput = kernel(
  "conv2d.backwardInput.shared",
  (v: Window & Shared) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read> w: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${looking}

fn atColumn(n: u32) {
  image = n / (params.H * params.W);
  corner = vec2i(i32(n % (params.H * params.W) / params.W + params.padH), i32(n % params.W + params.padW));
}
fn atDepth(k: u32) {}
fn loadA(m: u32, k: u32) -> f32 {
  let o = g * (params.O / params.groups) + k / (KH * KW);
  return w[(o * (params.C / params.groups) + m) * (KH * KW) + k % (KH * KW)];
}
// The result that met this pixel at tap k, if there is one.
fn loadB(k: u32, n: u32) -> f32 {
  let up = corner.x - i32(k / KW % KH * DILATION_H);
  let left = corner.y - i32(k % KW * DILATION_W);
  if (up < 0 || left < 0 || up % i32(STRIDE_H) != 0 || left % i32(STRIDE_W) != 0) { return 0.0; }
  let p = u32(up) / STRIDE_H;
  let q = u32(left) / STRIDE_W;
  if (p >= params.P || q >= params.Q) { return 0.0; }
  let o = g * (params.O / params.groups) + k / (KH * KW);
  return dy[((image * params.O + o) * params.P + p) * params.Q + q];
}
fn storeFour(m: u32, n: u32, numbers: vec4f) {
  if (m >= params.C / params.groups) { return; }
  let c = g * (params.C / params.groups) + m;
  let plane = params.H * params.W;
  for (var j = 0u; j < 4 && n + j < params.N * plane; j++) {
    dx[((n + j) / plane * params.C + c) * plane + (n + j) % plane] = numbers[j];
  }
}
fn storeFourSums(m: u32, sums: vec4f) {}
${tiles({ side: v.side, alongKA: true, alongKB: false, rowSum: false })}

@compute @workgroup_size(${threadsOf(v.side)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  g = group.id.z;
  let K = params.O / params.groups * KH * KW;
  product(groupIndex(group), params.C / params.groups, params.N * params.H * params.W, 0, K, thread);
}`,
);

/** Into `partials`: a part's dw, then its Σ dy for each output channel, which is its part of db. */
export const backwardWeight = kernel(
  "conv2d.backwardWeight.shared",
  (v: Window & Shared) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> partials: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${looking}
${patch}
var<private> base: u32;

fn atColumn(n: u32) {}
fn atDepth(k: u32) { lookAt(k); }
fn loadA(m: u32, k: u32) -> f32 {
  let plane = params.P * params.Q;
  return dy[(k / plane * params.O + g * (params.O / params.groups) + m) * plane + k % plane];
}
fn loadB(k: u32, n: u32) -> f32 { return seen(n); }
fn storeFour(m: u32, n: u32, numbers: vec4f) {
  if (m >= params.O / params.groups) { return; }
  let columns = params.C / params.groups * KH * KW;
  for (var j = 0u; j < 4 && n + j < columns; j++) {
    partials[base + (g * (params.O / params.groups) + m) * columns + n + j] = numbers[j];
  }
}
fn storeFourSums(m: u32, sums: vec4f) {
  let weights = params.O * (params.C / params.groups) * KH * KW;
  for (var i = 0u; i < 4 && m + i < params.O / params.groups; i++) {
    partials[base + weights + g * (params.O / params.groups) + m + i] = sums[i];
  }
}
${tiles({ side: v.side, alongKA: true, alongKB: true, rowSum: true })}

@compute @workgroup_size(${threadsOf(v.side)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let columns = params.C / params.groups * KH * KW;
  let part = group.id.z / params.groups;
  let fromK = part * params.split;
  let toK = min(fromK + params.split, params.N * params.P * params.Q);
  g = group.id.z % params.groups;
  base = part * (params.O * columns + params.O);
  product(groupIndex(group), params.O / params.groups, columns, fromK, toK, thread);
}`,
);
