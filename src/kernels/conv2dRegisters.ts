import { kernel, wgsl } from "../gpu/index.ts";
import { type Activation, activations, each } from "./op.ts";

/*
 * Convolution in registers: each thread keeps a tile of results and reads images and weights straight from storage, each
 * pixel of a row once for all taps of the window. A thread's channels never cross a group. Places left of or above the
 * image wrap around to huge unsigned numbers, so one comparison tells inside from outside; `&` instead of `&&`, as each
 * of those would be a branch, which takes some compilers a minute.
 */

export interface Window extends Record<string, string | number | boolean> {
  kH: number;
  kW: number;
  strideH: number;
  strideW: number;
  dilationH: number;
  dilationW: number;
}

const sizes = /* wgsl */ `
struct Sizes { N: u32, C: u32, H: u32, W: u32, O: u32, P: u32, Q: u32, groups: u32, padH: u32, padW: u32, splits: u32 }`;

/** A thread computes 8 channels of 8 neighbouring pixels: a weight serves 8 products, a pixel 8 channels' taps. */
export const CHANNELS = 8;
export const PIXELS = 8;
const fours = PIXELS / 4;

/** The places in a row, relative to the first pixel's, that a thread's pixels meet over all taps; each is read once. */
const places = (kW: number, step: (pixel: number, tap: number) => number): number[] => {
  const all = new Set<number>();
  for (let pixel = 0; pixel < PIXELS; pixel++) for (let tap = 0; tap < kW; tap++) all.add(step(pixel, tap));
  return [...all].sort((a, b) => a - b);
};
/** A name for a place, which may be negative. */
const named = (place: number) => (place < 0 ? `m${-place}` : `p${place}`);
/** Where a pixel's tap lies in the image's row. */
const step = (v: Window) => (pixel: number, tap: number) => pixel * v.strideW + tap * v.dilationW;
/** WGSL of four pixels' numbers for one tap. */
const four = (f: number, tap: number, step: (pixel: number, tap: number) => number) =>
  `vec4f(${[0, 1, 2, 3].map((i) => named(step(4 * f + i, tap))).join(", ")})`;
export const WIDTH = 16;

export const forward = kernel(
  "conv2d",
  (v: Window & { bias: boolean; activation: Activation }) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${v.bias ? 4 : 3}) var<uniform> s: Sizes;

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }

@compute @workgroup_size(${WIDTH})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${WIDTH} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  let across = (s.Q + ${PIXELS - 1}) / ${PIXELS};
  let q = rest % across * ${PIXELS}; rest /= across;
  let p = rest % s.P; rest /= s.P;
  let tiles = (og + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let n = rest;
  if (n >= s.N) { return; }
  ${each(CHANNELS, (k) => `let w${k} = (g * og + min(within + ${k}, og - 1)) * cg * ${v.kH * v.kW};`)}
  ${each(CHANNELS, (k) => each(fours, (f) => `var y${k}_${f} = vec4f();`))}
  for (var c = 0u; c < cg; c++) {
    for (var i = 0u; i < ${v.kH}; i++) {
      let h = p * ${v.strideH} + i * ${v.dilationH} - s.padH;
      if (h >= s.H) { continue; }
      let row = ((n * s.C + g * cg + c) * s.H + h) * s.W;
      let at = (c * ${v.kH} + i) * ${v.kW};
      let left = i32(q * ${v.strideW}) - i32(s.padW);
      ${places(v.kW, step(v))
        .map(
          (at) =>
            `let ${named(at)} = select(0.0, x[row + min(bitcast<u32>(left + ${at}), s.W - 1)], bitcast<u32>(left + ${at}) < s.W);`,
        )
        .join("\n")}
      ${each(v.kW, (j) => each(CHANNELS, (k) => `{ let w = w[w${k} + at + ${j}]; ${each(fours, (f) => `y${k}_${f} += w * ${four(f, j, step(v))};`)} }`))}
    }
  }
  var all: array<vec4f, ${CHANNELS * fours}>;
  ${each(CHANNELS, (k) => each(fours, (f) => `all[${k * fours + f}] = y${k}_${f};`))}
  for (var k = 0u; k < ${CHANNELS} && within + k < og; k++) {
    let o = g * og + within + k;
    let base = ((n * s.O + o) * s.P + p) * s.Q + q;
    ${each(fours, (f) => `let v${f} = all[k * ${fours} + ${f}]${v.bias ? " + b[o]" : ""};`)}
    ${each(PIXELS, (j) => `if (q + ${j} < s.Q) { y[base + ${j}] = activate(v${j >> 2}[${j & 3}]); }`)}
  }
}`,
);

export const backwardInput = kernel(
  "conv2d.backwardInput",
  (v: Window) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(${WIDTH})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${WIDTH} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  let across = (s.W + ${PIXELS - 1}) / ${PIXELS};
  let left = rest % across * ${PIXELS}; rest /= across;
  let h = rest % s.H; rest /= s.H;
  let tiles = (cg + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let n = rest;
  if (n >= s.N) { return; }
  ${each(CHANNELS, (k) => `let w${k} = min(within + ${k}, cg - 1) * ${v.kH * v.kW};`)}
  ${each(CHANNELS, (k) => each(fours, (f) => `var d${k}_${f} = vec4f();`))}
  for (var o = g * og; o < (g + 1) * og; o++) {
    let weights = o * cg * ${v.kH * v.kW};
    for (var i = 0u; i < ${v.kH}; i++) {
      let up = h + s.padH - i * ${v.dilationH};
      if ((up / ${v.strideH} >= s.P) | (up % ${v.strideH} != 0)) { continue; }
      let row = ((n * s.O + o) * s.P + up / ${v.strideH}) * s.Q;
      let at = weights + i * ${v.kW};
      ${places(v.kW, (pixel, tap) => pixel - tap * v.dilationW)
        .map((place) => {
          const t = `bitcast<u32>(i32(left + s.padW) + ${place})`;
          const inside = v.strideW > 1 ? `((${t} / ${v.strideW} < s.Q) & (${t} % ${v.strideW} == 0))` : `${t} < s.Q`;
          return `let ${named(place)} = select(0.0, dy[row + min(${t} / ${v.strideW}, s.Q - 1)], ${inside});`;
        })
        .join("\n")}
      ${each(v.kW, (j) => each(CHANNELS, (k) => `{ let w = w[at + w${k} + ${j}]; ${each(fours, (f) => `d${k}_${f} += w * ${four(f, j, (pixel, tap) => pixel - tap * v.dilationW)};`)} }`))}
    }
  }
  ${each(
    CHANNELS,
    (k) => `if (within + ${k} < cg) {
    let base = ((n * s.C + g * cg + within + ${k}) * s.H + h) * s.W + left;
    ${each(PIXELS, (j) => `if (left + ${j} < s.W) { dx[base + ${j}] = d${k}_${j >> 2}[${j & 3}]; }`)}
  }`,
  )}
}`,
);

/*
 * dw in two passes of fixed order: each thread sums 8 output channels × 1 input channel × one row of taps over its
 * share of the batch; then the shares are added up. Threads of input channel 0 also sum dy alone, which gives db.
 */
export const backwardWeight = kernel(
  "conv2d.backwardWeight",
  (v: Window & { taps: number }) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> shares: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(${WIDTH})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${WIDTH} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  // A thread's taps: \`taps\` rows of the window from row \`first\` on.
  let first = rest % ${v.kH / v.taps} * ${v.taps}; rest /= ${v.kH / v.taps};
  let c = rest % cg; rest /= cg;
  let tiles = (og + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let share = rest;
  if (share >= s.splits) { return; }
  let weights = s.O * cg * ${v.kH * v.kW};
  ${each(CHANNELS, (k) => `var b${k} = 0.0;\n${each(v.taps * v.kW, (t) => `var d${k}_${t} = 0.0;`)}`)}
  for (var n = share; n < s.N; n += s.splits) {
    let plane = (n * s.C + g * cg + c) * s.H;
    ${each(CHANNELS, (k) => `let o${k} = (n * s.O + g * og + min(within + ${k}, og - 1)) * s.P * s.Q;`)}
    for (var p = 0u; p < s.P; p++) {
      ${each(
        v.taps,
        (i) => `let h${i} = p * ${v.strideH} + (first + ${i}) * ${v.dilationH} - s.padH;
      let live${i} = h${i} < s.H;
      let row${i} = (plane + min(h${i}, s.H - 1)) * s.W;`,
      )}
      for (var q = 0u; q < s.Q; q++) {
        let at = p * s.Q + q;
        ${each(CHANNELS, (k) => `let y${k} = dy[o${k} + at]; b${k} += y${k};`)}
        ${each(v.kW, (j) => {
          return `{
          let t = q * ${v.strideW} + ${j * v.dilationW} - s.padW;
          let live = t < s.W;
          let u = min(t, s.W - 1);
          ${each(
            v.taps,
            (i) => `let x${i} = select(0.0, x[row${i} + u], live & live${i});
          ${each(CHANNELS, (k) => `d${k}_${i * v.kW + j} += y${k} * x${i};`)}`,
          )}
        }`;
        })}
      }
    }
  }
  let base = share * (weights + s.O);
  ${each(
    CHANNELS,
    (k) => `if (within + ${k} < og) {
    let o = g * og + within + ${k};
    let at = base + (o * cg + c) * ${v.kH * v.kW} + first * ${v.kW};
    ${each(v.taps * v.kW, (t) => `shares[at + ${t}] = d${k}_${t};`)}
    if (c == 0 && first == 0) { shares[base + weights + o] = b${k}; }
  }`,
  )}
}`,
);
