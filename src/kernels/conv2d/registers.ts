import { kernel, wgsl } from "../../gpu/index.ts";
import {
  CHANNELS,
  columnsOf,
  common,
  epilogue,
  type Forward,
  readGradient,
  readPixel,
  readTap,
  slides,
  storeGradients,
  storePixels,
  type Window,
  type WindowRows,
} from "./common.ts";

/*
 * A thread computes 8 channels × 8 neighboring pixels of y (or of dx) in registers; of dw a window of up to 9 taps, or a row of a
 * larger one, between 8 output channels and one input channel. It reads images and weights straight from storage, each number of
 * a row once for all taps of the window: no barrier, no workgroup memory. Its channels never cross a group.
 *
 * The right variant for few channels on any device, and for devices that compute on the CPU and have no subgroups; with them
 * quads.ts reads less.
 */

/** Threads of a workgroup: few, as most convolutions have few tiles. */
export const THREADS = 16;

/** WGSL: which pixels of which image, and which channels of a group, a thread has: the first of both. */
const placeOf = /* wgsl */ `
struct Place { n: u32, group: u32, channel: u32, row: u32, column: u32 }
fn placeOf(thread: u32, channels: u32, rows: u32, columns: u32) -> Place {
  let across = (columns + PIXELS - 1) / PIXELS;
  let tiles = (channels + CHANNELS - 1) / CHANNELS;
  var rest = thread;
  let column = rest % across * PIXELS; rest /= across;
  let row = rest % rows; rest /= rows;
  let channel = rest % tiles * CHANNELS; rest /= tiles;
  return Place(rest / params.groups, rest % params.groups, channel, row, column);
}`;

export const forward = kernel(
  "conv2d",
  (v: Forward) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> w: array<f32>;
#if ${v.bias}
@group(0) @binding(_) var<storage, read> b: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${placeOf}
${readPixel}
${epilogue(v)}
${storePixels}

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let cg = params.C / params.groups;
  let og = params.O / params.groups;
  let place = placeOf(groupIndex(group) * ${THREADS} + thread, og, params.P, params.Q);
  if (place.n >= params.N) { return; }
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let H = params.H; let W = params.W;
  let firstPlane = place.n * params.C + place.group * cg;
  let top = place.row * STRIDE_H - params.padH;
  let left = i32(place.column * STRIDE_W) - i32(params.padW);
#unroll k in ${CHANNELS}
  let w$k = (place.group * og + min(place.channel + $k, og - 1)) * cg * KH * KW;
  var y$k_0 = vec4f(); var y$k_1 = vec4f();
#end
  for (var c = 0u; c < cg; c++) {
    for (var i = 0u; i < KH; i++) {
      let h = top + i * DILATION_H;
      if (h >= H) { continue; }
      let row = ((firstPlane + c) * H + h) * W;
      let taps = (c * KH + i) * KW;
#unroll at in [${columnsOf(v.kW, v.strideW, v.dilationW)}]
      let x$at = pixel(row, left + $at, W, true);
#end
      // Each tap: the numbers that the 8 pixels meet, times the weight of each channel.
#unroll tap in ${v.kW}
#unroll f in 2
      let met$tap_$f = vec4f(
#unroll p in 4
        x$((4 * f + p) * ${v.strideW} + tap * ${v.dilationW}),
#end
      );
#end
#unroll k in ${CHANNELS}
      { let weight = w[w$k + taps + $tap]; y$k_0 += weight * met$tap_0; y$k_1 += weight * met$tap_1; }
#end
#end
    }
  }
  var results: array<vec4f, 2 * CHANNELS>;
#unroll k in ${CHANNELS}
  results[2 * $k] = y$k_0; results[2 * $k + 1] = y$k_1;
#end
  for (var k = 0u; k < CHANNELS && place.channel + k < og; k++) {
    let o = place.group * og + place.channel + k;
    let at = ((place.n * params.O + o) * params.P + place.row) * params.Q + place.column;
    storePixels(at, o, params.Q - place.column, results[2 * k], results[2 * k + 1]);
  }
}`,
);

export const backwardInput = kernel(
  "conv2d.backwardInput",
  (v: Window) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read> w: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${placeOf}
${readGradient(v)}
${storeGradients}

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let cg = params.C / params.groups;
  let og = params.O / params.groups;
  let place = placeOf(groupIndex(group) * ${THREADS} + thread, cg, params.H, params.W);
  if (place.n >= params.N) { return; }
  let P = params.P; let Q = params.Q;
  let firstPlane = place.n * params.O;
  let bottom = place.row + params.padH;
  // Of the first pixel's last tap: the leftmost column of all.
  let left = i32(place.column + params.padW) - ${(v.kW - 1) * v.dilationW};
#unroll k in ${CHANNELS}
  let w$k = min(place.channel + $k, cg - 1) * KH * KW;
  var d$k_0 = vec4f(); var d$k_1 = vec4f();
#end
  for (var o = place.group * og; o < (place.group + 1) * og; o++) {
    for (var i = 0u; i < KH; i++) {
      let h = bottom - i * DILATION_H;
      if ((h / STRIDE_H >= P) | (h % STRIDE_H != 0)) { continue; }
      let row = ((firstPlane + o) * P + h / STRIDE_H) * Q;
      let taps = (o * cg * KH + i) * KW;
#unroll at in [${columnsOf(v.kW, 1, v.dilationW)}]
      let dy$at = gradient(row, left + $at, Q, true);
#end
#unroll tap in ${v.kW}
#unroll f in 2
      let met$tap_$f = vec4f(
#unroll p in 4
        dy$(4 * f + p + (${v.kW - 1} - tap) * ${v.dilationW}),
#end
      );
#end
#unroll k in ${CHANNELS}
      { let weight = w[w$k + taps + $tap]; d$k_0 += weight * met$tap_0; d$k_1 += weight * met$tap_1; }
#end
#end
    }
  }
  var results: array<vec4f, 2 * CHANNELS>;
#unroll k in ${CHANNELS}
  results[2 * $k] = d$k_0; results[2 * $k + 1] = d$k_1;
#end
  for (var k = 0u; k < CHANNELS && place.channel + k < cg; k++) {
    let c = place.group * cg + place.channel + k;
    let at = ((place.n * params.C + c) * params.H + place.row) * params.W + place.column;
    storeGradients(at, params.W - place.column, results[2 * k], results[2 * k + 1]);
  }
}`,
);

/*
 * dw in two passes of fixed order: a thread sums 8 output channels × 1 input channel × `taps` rows of the window over its
 * part of the batch; then the partial sums are added up (partials.ts). Threads of input channel 0 also sum dy alone, which
 * gives db.
 */
export const backwardWeight = kernel(
  "conv2d.backwardWeight",
  (v: WindowRows) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> partials: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${readTap}
const TAPS = ${v.taps}u;

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let cg = params.C / params.groups;
  let og = params.O / params.groups;
  let tiles = (og + CHANNELS - 1) / CHANNELS;
  var rest = groupIndex(group) * ${THREADS} + thread;
  // The window's rows firstRow … firstRow + TAPS − 1, of input channel c, for output channels from \`channel\` on of group g.
  let firstRow = rest % (KH / TAPS) * TAPS; rest /= KH / TAPS;
  let c = rest % cg; rest /= cg;
  let channel = rest % tiles * CHANNELS; rest /= tiles;
  let g = rest % params.groups; rest /= params.groups;
  let part = rest;
  if (part >= params.split) { return; }
  let N = params.N; let H = params.H; let W = params.W; let P = params.P; let Q = params.Q;
  let padH = params.padH; let padW = params.padW;
#unroll k in ${CHANNELS}
  var db$k = 0.0;
#unroll t in ${v.taps * v.kW}
  var dw$k_$t = 0.0;
#end
#end
  for (var n = part; n < N; n += params.split) {
    let plane = (n * params.C + g * cg + c) * H;
#unroll k in ${CHANNELS}
    let o$k = (n * params.O + g * og + min(channel + $k, og - 1)) * P * Q;
#end
    for (var p = 0u; p < P; p++) {
      // A bias is summed row by row, and the rows' sums then: rounding errors stay few.
#unroll k in ${CHANNELS}
      var run$k = 0.0;
#end
#unroll i in ${v.taps}
      let h$i = p * STRIDE_H + (firstRow + $i) * DILATION_H - padH;
      let live$i = h$i < H;
      let row$i = (plane + min(h$i, H - 1)) * W;
#end
#if ${slides(v)}
      // What lies under each tap but the last: the next pixel finds it one tap further left.
#unroll i in ${v.taps}
#unroll j in ${v.kW - 1}
      var kept$i_$j = pixel(row$i, $j * DILATION_W - padW, W, live$i);
#end
#end
#endif
      for (var q = 0u; q < Q; q++) {
        let at = p * Q + q;
#unroll k in ${CHANNELS}
        let dy$k = dy[o$k + at]; run$k += dy$k;
#end
#unroll i in ${v.taps}
#if ${slides(v)}
#unroll j in ${v.kW - 1}
        let x$i_$j = kept$i_$j;
#end
        let x$i_${v.kW - 1} = pixel(row$i, q * STRIDE_W + (KW - 1) * DILATION_W - padW, W, live$i);
#unroll j in ${v.kW - 1}
        kept$i_$j = x$i_$(j + 1);
#end
#else
#unroll j in ${v.kW}
        let x$i_$j = pixel(row$i, q * STRIDE_W + $j * DILATION_W - padW, W, live$i);
#end
#endif
#end
#unroll i in ${v.taps}
#unroll j in ${v.kW}
#unroll k in ${CHANNELS}
        dw$k_$(i * ${v.kW} + j) += dy$k * x$i_$j;
#end
#end
#end
      }
#unroll k in ${CHANNELS}
      db$k += run$k;
#end
    }
  }
  let weights = params.O * cg * KH * KW;
  let base = part * (weights + params.O);
#unroll k in ${CHANNELS}
  if (channel + $k < og) {
    let o = g * og + channel + $k;
    let at = base + ((o * cg + c) * KH + firstRow) * KW;
#unroll t in ${v.taps * v.kW}
    partials[at + $t] = dw$k_$t;
#end
    if (c == 0 && firstRow == 0) { partials[base + weights + o] = db$k; }
  }
#end
}`,
);
