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

/** Threads in a workgroup: few, as most convolutions have few tiles; of quads one, which SwiftShader's subgroups are. */
export const lanes = (quads: boolean): number => (quads ? 4 : 16);

const enable = (quads: boolean) => wgsl`
#if ${quads}
enable subgroups;
// Four threads leave together or not at all: they have the same channels.
diagnostic(off, subgroup_uniformity);
#endif`;

/** Which pixels a thread has: `row` of `rows`, and where in it; of quads some lie past the end and are not stored. */
const pixels = (quads: boolean, row: string, rows: string, column: string, columns: string) => wgsl`
  let across = (${columns} + ${PIXELS - 1}) / ${PIXELS};
#if ${quads}
  let quarter = lane % 4;
  let all = ${rows} * across;
  let place = rest / 4 % ((all + 3) / 4) * 4 + quarter; rest /= (all + 3) / 4 * 4;
  let there = place < all;
  let ${column} = place % across * ${PIXELS};
  let ${row} = min(place / across, ${rows} - 1);
#else
  let there = true;
  let ${column} = rest % across * ${PIXELS}; rest /= across;
  let ${row} = rest % ${rows}; rest /= ${rows};
#endif`;

/**
 * Weights of `CHANNELS` channels and a row of taps: `where(k)` is where channel k's begin. In quads each thread reads
 * a quarter of them, from `own…` on, and hears of the rest from its neighbours.
 */
const weights = (kW: number, quads: boolean, where: (k: string) => string) => ({
  /** Before the loops. */
  prepare: quads
    ? each(
        (CHANNELS * kW) / 4,
        (i) => `let own${i} = ${where(`(${4 * i} + quarter) / ${kW}`)} + (${4 * i} + quarter) % ${kW};`,
      )
    : each(CHANNELS, (k) => `let w${k} = ${where(`${k}`)};`),
  /** In a row: the reading, then one weight. */
  read: quads ? each((CHANNELS * kW) / 4, (i) => `let part${i} = w[own${i} + at];`) : "",
  of: (k: number, j: number) =>
    quads ? `quadBroadcast(part${(k * kW + j) >> 2}, ${(k * kW + j) & 3})` : `w[w${k} + at + ${j}]`,
});

export const forward = kernel("conv2d", (v: Window & { quads: boolean; bias: boolean; activation: Activation }) => {
  const weight = weights(v.kW, v.quads, (k) => `(g * og + min(within + ${k}, og - 1)) * cg * ${v.kH * v.kW}`);
  return wgsl`
${enable(v.quads)}
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${v.bias ? 4 : 3}) var<uniform> s: Sizes;

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }

@compute @workgroup_size(${lanes(v.quads)})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${lanes(v.quads)} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  ${pixels(v.quads, "p", "s.P", "q", "s.Q")}
  let tiles = (og + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let n = rest;
  if (n >= s.N) { return; }
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let H = s.H; let W = s.W; let planes = n * s.C + g * cg; let top = p * ${v.strideH} - s.padH;
  let left = i32(q * ${v.strideW}) - i32(s.padW);
  ${weight.prepare}
  ${each(CHANNELS, (k) => each(fours, (f) => `var y${k}_${f} = vec4f();`))}
  for (var c = 0u; c < cg; c++) {
    for (var i = 0u; i < ${v.kH}; i++) {
      let h = top + i * ${v.dilationH};
#if ${v.quads}
      let live = h < H;
#else
      if (h >= H) { continue; }
      let live = true;
#endif
      let row = ((planes + c) * H + min(h, H - 1)) * W;
      let at = (c * ${v.kH} + i) * ${v.kW};
      ${weight.read}
      ${places(v.kW, step(v))
        .map(
          (at) =>
            `let ${named(at)} = select(0.0, x[row + min(bitcast<u32>(left + ${at}), W - 1)], (bitcast<u32>(left + ${at}) < W) & live);`,
        )
        .join("\n")}
      ${each(v.kW, (j) => each(CHANNELS, (k) => `{ let w = ${weight.of(k, j)}; ${each(fours, (f) => `y${k}_${f} += w * ${four(f, j, step(v))};`)} }`))}
    }
  }
  if (!there) { return; }
  var results: array<vec4f, ${CHANNELS * fours}>;
  ${each(CHANNELS, (k) => each(fours, (f) => `results[${k * fours + f}] = y${k}_${f};`))}
  for (var k = 0u; k < ${CHANNELS} && within + k < og; k++) {
    let o = g * og + within + k;
    let base = ((n * s.O + o) * s.P + p) * s.Q + q;
    ${each(fours, (f) => `let v${f} = results[k * ${fours} + ${f}]${v.bias ? " + b[o]" : ""};`)}
    ${each(PIXELS, (j) => `if (q + ${j} < s.Q) { y[base + ${j}] = activate(v${j >> 2}[${j & 3}]); }`)}
  }
}`;
});

export const backwardInput = kernel("conv2d.backwardInput", (v: Window & { quads: boolean }) => {
  const weight = weights(v.kW, v.quads, (k) => `min(within + ${k}, cg - 1) * ${v.kH * v.kW}`);
  return wgsl`
${enable(v.quads)}
${sizes}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(${lanes(v.quads)})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${lanes(v.quads)} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  ${pixels(v.quads, "h", "s.H", "left", "s.W")}
  let tiles = (cg + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let n = rest;
  if (n >= s.N) { return; }
  let P = s.P; let Q = s.Q; let planes = n * s.O; let bottom = h + s.padH; let right = i32(left + s.padW);
  ${weight.prepare}
  ${each(CHANNELS, (k) => each(fours, (f) => `var d${k}_${f} = vec4f();`))}
  for (var o = g * og; o < (g + 1) * og; o++) {
    let weights = o * cg * ${v.kH * v.kW};
    for (var i = 0u; i < ${v.kH}; i++) {
      let up = bottom - i * ${v.dilationH};
      let live = (up / ${v.strideH} < P) & (up % ${v.strideH} == 0);
#if ${!v.quads}
      if (!live) { continue; }
#endif
      let row = ((planes + o) * P + min(up / ${v.strideH}, P - 1)) * Q;
      let at = weights + i * ${v.kW};
      ${weight.read}
      ${places(v.kW, (pixel, tap) => pixel - tap * v.dilationW)
        .map((place) => {
          const t = `bitcast<u32>(right + ${place})`;
          const inside = v.strideW > 1 ? `(${t} / ${v.strideW} < Q) & (${t} % ${v.strideW} == 0)` : `(${t} < Q)`;
          return `let ${named(place)} = select(0.0, dy[row + min(${t} / ${v.strideW}, Q - 1)], ${inside} & live);`;
        })
        .join("\n")}
      ${each(v.kW, (j) => each(CHANNELS, (k) => `{ let w = ${weight.of(k, j)}; ${each(fours, (f) => `d${k}_${f} += w * ${four(f, j, (pixel, tap) => pixel - tap * v.dilationW)};`)} }`))}
    }
  }
  if (!there) { return; }
  ${each(
    CHANNELS,
    (k) => `if (within + ${k} < cg) {
    let base = ((n * s.C + g * cg + within + ${k}) * s.H + h) * s.W + left;
    ${each(PIXELS, (j) => `if (left + ${j} < s.W) { dx[base + ${j}] = d${k}_${j >> 2}[${j & 3}]; }`)}
  }`,
  )}
}`;
});

/*
 * dw in two passes of fixed order: each thread sums 8 output channels × 1 input channel × one row of taps over its
 * share of the batch; then the shares are added up. Threads of input channel 0 also sum dy alone, which gives db.
 */
export const backwardWeight = kernel("conv2d.backwardWeight", (v: Window & { taps: number; quads: boolean }) => {
  /** The number of row i of taps at `t` of the image's row. */
  const pixel = (i: number, t: string) => `select(0.0, x[row${i} + ${t}], (${t} < W) & live${i})`;
  // From one q to the next each tap then meets what its neighbour met before.
  const slides = v.strideW === v.dilationW;
  return wgsl`
${enable(v.quads)}
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> shares: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(${lanes(v.quads)})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  var rest = (wg.x + wg.y * wgs.x) * ${lanes(v.quads)} + lane;
  let cg = s.C / s.groups;
  let og = s.O / s.groups;
  // A thread's taps: \`taps\` rows of the window from row \`first\` on.
#if ${v.quads}
  // Four threads have the same output channels, and read a quarter of dy each.
  let quarter = lane % 4;
  let kinds = cg * ${v.kH / v.taps};
  let kind = rest / 4 % ((kinds + 3) / 4) * 4 + quarter; rest /= (kinds + 3) / 4 * 4;
  let there = kind < kinds;
  let first = kind % ${v.kH / v.taps} * ${v.taps};
  let c = min(kind / ${v.kH / v.taps}, cg - 1);
#else
  let there = true;
  let first = rest % ${v.kH / v.taps} * ${v.taps}; rest /= ${v.kH / v.taps};
  let c = rest % cg; rest /= cg;
#endif
  let tiles = (og + ${CHANNELS - 1}) / ${CHANNELS};
  let within = rest % tiles * ${CHANNELS}; rest /= tiles;
  let g = rest % s.groups; rest /= s.groups;
  let share = rest;
  if (share >= s.splits) { return; }
  let N = s.N; let H = s.H; let W = s.W; let P = s.P; let Q = s.Q; let padH = s.padH; let padW = s.padW;
  let weights = s.O * cg * ${v.kH * v.kW};
  ${each(CHANNELS, (k) => `var b${k} = 0.0;\n${each(v.taps * v.kW, (t) => `var d${k}_${t} = 0.0;`)}`)}
  for (var n = share; n < N; n += s.splits) {
    let plane = (n * s.C + g * cg + c) * H;
    ${each(v.quads ? CHANNELS / 4 : CHANNELS, (k) => `let o${k} = (n * s.O + g * og + min(within + ${v.quads ? `${4 * k} + quarter` : k}, og - 1)) * P * Q;`)}
    for (var p = 0u; p < P; p++) {
      ${each(
        v.taps,
        (i) => `let h${i} = p * ${v.strideH} + (first + ${i}) * ${v.dilationH} - padH;
      let live${i} = h${i} < H;
      let row${i} = (plane + min(h${i}, H - 1)) * W;`,
      )}
      ${slides ? each(v.taps, (i) => each(v.kW - 1, (j) => `var x${i}_${j + 1} = ${pixel(i, `${j * v.dilationW} - padW`)};`)) : ""}
      for (var q = 0u; q < Q; q++) {
        let at = p * Q + q;
        ${v.quads ? each(CHANNELS / 4, (i) => `let part${i} = dy[o${i} + at];`) : ""}
        ${each(CHANNELS, (k) => `let y${k} = ${v.quads ? `quadBroadcast(part${k >> 2}, ${k & 3})` : `dy[o${k} + at]`}; b${k} += y${k};`)}
        ${each(v.taps, (i) => each(v.kW, (j) => `let now${i}_${j} = ${slides && j < v.kW - 1 ? `x${i}_${j + 1}` : pixel(i, `q * ${v.strideW} + ${j * v.dilationW} - padW`)};`))}
        ${slides ? each(v.taps, (i) => each(v.kW - 1, (j) => `x${i}_${j + 1} = now${i}_${j + 1};`)) : ""}
        ${each(v.taps, (i) => each(v.kW, (j) => each(CHANNELS, (k) => `d${k}_${i * v.kW + j} += y${k} * now${i}_${j};`)))}
      }
    }
  }
  if (!there) { return; }
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
}`;
});
