import { kernel, wgsl } from "../../gpu/index.ts";
import { subgroups } from "../snippets.ts";
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
 * As registers.ts, 8 channels × 8 pixels a thread and no workgroup memory, but the four threads of a quad, which are a workgroup, have
 * the same channels (and neighboring pixels; for dw, input channels): each reads a quarter of the weights (for dw, of dy) for all
 * of them, and they tell one another (`quadBroadcast`). They go through all loops together, whatever is outside of an image.
 *
 * The right variant for devices that compute on the CPU and have subgroups; for dw only where there are many input channels.
 */

/** Threads of a workgroup: one quad, which SwiftShader's subgroups are best at. */
export const THREADS = 4;

/** WGSL: which pixels of which image, and which channels of a group, a thread has; some of the last quad's lie beyond the image. */
const placeOf = /* wgsl */ `
struct Place { n: u32, group: u32, channel: u32, row: u32, column: u32, inside: bool }
fn placeOf(quad: u32, thread: u32, channels: u32, rows: u32, columns: u32) -> Place {
  let across = (columns + PIXELS - 1) / PIXELS;
  let quads = (rows * across + 3) / 4;
  let tiles = (channels + CHANNELS - 1) / CHANNELS;
  let at = quad % quads * 4 + thread;
  var rest = quad / quads;
  let channel = rest % tiles * CHANNELS; rest /= tiles;
  let row = min(at / across, rows - 1);
  return Place(rest / params.groups, rest % params.groups, channel, row, at % across * PIXELS, at < rows * across);
}`;

export const forward = kernel(
  "conv2d",
  (v: Forward) => wgsl`
${subgroups}
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
  let place = placeOf(groupIndex(group), thread, og, params.P, params.Q);
  if (place.n >= params.N) { return; }
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let H = params.H; let W = params.W;
  let firstPlane = place.n * params.C + place.group * cg;
  let top = place.row * STRIDE_H - params.padH;
  let left = i32(place.column * STRIDE_W) - i32(params.padW);
  // The 8 channels' weights of a row of taps, one after another: of every four a thread reads its own.
#unroll i in ${(CHANNELS * v.kW) / 4}
  let w$i = (place.group * og + min(place.channel + ($(4 * i) + thread) / KW, og - 1)) * cg * KH * KW + ($(4 * i) + thread) % KW;
#end
#unroll k in ${CHANNELS}
  var y$k_0 = vec4f(); var y$k_1 = vec4f();
#end
  for (var c = 0u; c < cg; c++) {
    for (var i = 0u; i < KH; i++) {
      let h = top + i * DILATION_H;
      let row = ((firstPlane + c) * H + min(h, H - 1)) * W;
      let taps = (c * KH + i) * KW;
#unroll i in ${(CHANNELS * v.kW) / 4}
      let own$i = w[w$i + taps];
#end
#unroll at in [${columnsOf(v.kW, v.strideW, v.dilationW)}]
      let x$at = pixel(row, left + $at, W, h < H);
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
      {
        let weight = quadBroadcast(own$((k * ${v.kW} + tap) / 4), $((k * ${v.kW} + tap) % 4));
        y$k_0 += weight * met$tap_0; y$k_1 += weight * met$tap_1;
      }
#end
#end
    }
  }
  if (!place.inside) { return; }
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
${subgroups}
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
  let place = placeOf(groupIndex(group), thread, cg, params.H, params.W);
  if (place.n >= params.N) { return; }
  let P = params.P; let Q = params.Q;
  let firstPlane = place.n * params.O;
  let bottom = place.row + params.padH;
  // Of the first pixel's last tap: the leftmost column of all.
  let left = i32(place.column + params.padW) - ${(v.kW - 1) * v.dilationW};
#unroll i in ${(CHANNELS * v.kW) / 4}
  let w$i = min(place.channel + ($(4 * i) + thread) / KW, cg - 1) * KH * KW + ($(4 * i) + thread) % KW;
#end
#unroll k in ${CHANNELS}
  var d$k_0 = vec4f(); var d$k_1 = vec4f();
#end
  for (var o = place.group * og; o < (place.group + 1) * og; o++) {
    for (var i = 0u; i < KH; i++) {
      let h = bottom - i * DILATION_H;
      let live = (h / STRIDE_H < P) & (h % STRIDE_H == 0);
      let row = ((firstPlane + o) * P + min(h / STRIDE_H, P - 1)) * Q;
      let taps = (o * cg * KH + i) * KW;
#unroll i in ${(CHANNELS * v.kW) / 4}
      let own$i = w[w$i + taps];
#end
#unroll at in [${columnsOf(v.kW, 1, v.dilationW)}]
      let dy$at = gradient(row, left + $at, Q, live);
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
      {
        let weight = quadBroadcast(own$((k * ${v.kW} + tap) / 4), $((k * ${v.kW} + tap) % 4));
        d$k_0 += weight * met$tap_0; d$k_1 += weight * met$tap_1;
      }
#end
#end
    }
  }
  if (!place.inside) { return; }
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
 * dw in two passes, as in registers.ts: the quad's threads have the same 8 output channels, and each its own input channel, or
 * its own rows of the window.
 */
export const backwardWeight = kernel(
  "conv2d.backwardWeight",
  (v: WindowRows) => wgsl`
${subgroups}
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
  // What a thread may have: the window's rows firstRow … firstRow + TAPS − 1 of input channel c.
  let kinds = cg * (KH / TAPS);
  let quads = (kinds + 3) / 4;
  var rest = groupIndex(group);
  let kind = rest % quads * 4 + thread; rest /= quads;
  let firstRow = kind % (KH / TAPS) * TAPS;
  let c = min(kind / (KH / TAPS), cg - 1);
  // For output channels from \`channel\` on of group g.
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
#unroll i in ${CHANNELS / 4}
    let o$i = (n * params.O + g * og + min(channel + $(4 * i) + thread, og - 1)) * P * Q;
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
#unroll i in ${CHANNELS / 4}
        let own$i = dy[o$i + at];
#end
#unroll k in ${CHANNELS}
        let dy$k = quadBroadcast(own$(k / 4), $(k % 4)); run$k += dy$k;
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
  if (kind >= kinds) { return; }
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
