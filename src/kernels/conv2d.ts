import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { activationBackward } from "./activation.ts";
import {
  type Activation,
  activations,
  count,
  each,
  expect,
  expectFloat,
  expectRank,
  fresh,
  grid,
  type Op,
  show,
  type Value,
} from "./op.ts";

/*
 * y [N, O, H′, W′] = f(b + Σ over c, i, j of w [O, C/groups, kH, kW] · x [N, C, H, W]): cross-correlation, as PyTorch's conv2d.
 *   y[n, o, p, q] = f(b[o] + Σ w[o, c, i, j] · x[n, c, p·stride + i·dilation − padding, q·stride + j·dilation − padding])
 *   H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1
 *
 * All three kernels are implicit matrix products with a tile in registers, read straight from storage. A thread's
 * channels never cross a group.
 */

interface Window extends Record<string, string | number | boolean> {
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
const CHANNELS = 8;
const PIXELS = 8;
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
const WIDTH = 16;

const forward = kernel(
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
      let h = i32(p * ${v.strideH} + i * ${v.dilationH}) - i32(s.padH);
      if (h < 0 || h >= i32(s.H)) { continue; }
      let row = ((n * s.C + g * cg + c) * s.H + u32(h)) * s.W;
      let at = (c * ${v.kH} + i) * ${v.kW};
      let left = i32(q * ${v.strideW}) - i32(s.padW);
      ${places(v.kW, step(v))
        .map(
          (at) =>
            `let ${named(at)} = select(0.0, x[row + u32(clamp(left + ${at}, 0, i32(s.W) - 1))], left + ${at} >= 0 && left + ${at} < i32(s.W));`,
        )
        .join("\n")}
      ${each(v.kW, (j) => each(CHANNELS, (k) => `{ let w = w[w${k} + at + ${j}]; ${each(fours, (f) => `y${k}_${f} += w * ${four(f, j, step(v))};`)} }`))}
    }
  }
  ${each(
    CHANNELS,
    (k) => `if (within + ${k} < og) {
    let o = g * og + within + ${k};
    let base = ((n * s.O + o) * s.P + p) * s.Q + q;
    ${each(PIXELS, (j) => `if (q + ${j} < s.Q) { y[base + ${j}] = activate(y${k}_${j >> 2}[${j & 3}]${v.bias ? " + b[o]" : ""}); }`)}
  }`,
  )}
}`,
);

const backwardInput = kernel(
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
      let up = i32(h + s.padH) - i32(i * ${v.dilationH});
      if (up < 0 || up % ${v.strideH} != 0 || up / ${v.strideH} >= i32(s.P)) { continue; }
      let row = ((n * s.O + o) * s.P + u32(up / ${v.strideH})) * s.Q;
      let at = weights + i * ${v.kW};
      ${places(v.kW, (pixel, tap) => pixel - tap * v.dilationW)
        .map((place) => {
          const t = `i32(left + s.padW) + ${place}`;
          const inside = `${t} >= 0 && (${t}) / ${v.strideW} < i32(s.Q)${v.strideW > 1 ? ` && (${t}) % ${v.strideW} == 0` : ""}`;
          return `let ${named(place)} = select(0.0, dy[row + u32(clamp((${t}) / ${v.strideW}, 0, i32(s.Q) - 1))], ${inside});`;
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
const backwardWeight = kernel(
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
        (i) => `let h${i} = i32(p * ${v.strideH} + (first + ${i}) * ${v.dilationH}) - i32(s.padH);
      let live${i} = h${i} >= 0 && h${i} < i32(s.H);
      let row${i} = (plane + u32(clamp(h${i}, 0, i32(s.H) - 1))) * s.W;`,
      )}
      for (var q = 0u; q < s.Q; q++) {
        let at = p * s.Q + q;
        ${each(CHANNELS, (k) => `let y${k} = dy[o${k} + at]; b${k} += y${k};`)}
        ${each(v.kW, (j) => {
          return `{
          let t = i32(q * ${v.strideW} + ${j * v.dilationW}) - i32(s.padW);
          let live = t >= 0 && t < i32(s.W);
          let u = u32(clamp(t, 0, i32(s.W) - 1));
          ${each(
            v.taps,
            (i) => `let x${i} = select(0.0, x[row${i} + u], live && live${i});
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

const addShares = kernel(
  "conv2d.addShares",
  ({ bias }: { bias: boolean }) => wgsl`
struct Sizes { splits: u32, weights: u32, O: u32 }
@group(0) @binding(0) var<storage, read> shares: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;
#if ${bias}
@group(0) @binding(2) var<storage, read_write> db: array<f32>;
#endif
@group(0) @binding(${bias ? 3 : 2}) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64 + lane;
  if (i >= s.weights + s.O) { return; }
  var sum = 0.0;
  for (var k = 0u; k < s.splits; k++) { sum += shares[k * (s.weights + s.O) + i]; }
#if ${bias}
  if (i >= s.weights) { db[i - s.weights] = sum; return; }
#endif
  if (i < s.weights) { dw[i] = sum; }
}`,
);

type Pair = number | readonly [number, number];
export interface Conv2dOptions {
  stride?: Pair;
  padding?: Pair | "same";
  dilation?: Pair;
  groups?: number;
  activation?: Activation;
}

export const pair = (n: Pair): readonly [number, number] => (typeof n === "number" ? [n, n] : n);

/** @throws TypeError naming the shapes when they do not fit, or the window is larger than the padded image. */
export const conv2d: Op<Conv2dOptions> = (r, [x, w, b], options) => {
  const { groups = 1, activation = "none" } = options;
  expectFloat("conv2d", "x", x!);
  expectFloat("conv2d", "w", w!);
  expectRank("conv2d", "x", x!, 4, "[N, C, H, W]");
  expectRank("conv2d", "w", w!, 4, "[O, C/groups, kH, kW]");
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [O, cg, kH, kW] = w!.shape as [number, number, number, number];
  const [strideH, strideW] = pair(options.stride ?? 1);
  const [dilationH, dilationW] = pair(options.dilation ?? 1);
  const same = options.padding === "same";
  expect(
    !same || (strideH === 1 && strideW === 1 && (dilationH * (kH - 1)) % 2 === 0 && (dilationW * (kW - 1)) % 2 === 0),
    "conv2d",
    () => `padding "same" needs stride 1 and an odd window, found stride ${strideH}, ${strideW} and w ${show(w!)}.`,
  );
  const [padH, padW] = same
    ? [(dilationH * (kH - 1)) / 2, (dilationW * (kW - 1)) / 2]
    : pair((options.padding ?? 0) as Pair);
  for (const [name, n, least] of [
    ["stride", strideH, 1],
    ["stride", strideW, 1],
    ["dilation", dilationH, 1],
    ["dilation", dilationW, 1],
    ["padding", padH, 0],
    ["padding", padW, 0],
    ["groups", groups, 1],
  ] as const) {
    expect(
      Number.isInteger(n) && n >= least,
      "conv2d",
      () => `${name} is ${n}, expected a whole number of at least ${least}.`,
    );
  }
  expect(
    C === cg * groups && O % groups === 0,
    "conv2d",
    () =>
      `x ${show(x!)} has ${C} channels, but w ${show(w!)} with groups: ${groups} takes ${cg * groups}${O % groups ? ` (and ${O} outputs do not divide by ${groups})` : ""}.`,
  );
  expect(
    !b || (b.shape.length === 1 && b.shape[0] === O),
    "conv2d",
    () => `b is ${show(b!)}, expected [${O}] as w is ${show(w!)}.`,
  );
  const P = Math.floor((H + 2 * padH - dilationH * (kH - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - dilationW * (kW - 1) - 1) / strideW) + 1;
  expect(
    P > 0 && Q > 0,
    "conv2d",
    () => `the window of w ${show(w!)} is larger than x ${show(x!)} with padding ${padH}, ${padW}.`,
  );
  const window = { kH, kW, strideH, strideW, dilationH, dilationW };
  const common = [N, C, H, W, O, P, Q, groups, padH, padW];
  const y = fresh(r, [N, O, P, Q]);
  r.dispatch({
    kernel: forward({ ...window, bias: b !== undefined, activation }),
    reads: [x!.slot, w!.slot, ...(b ? [b.slot] : [])],
    writes: [y.slot],
    sizes: [...common, 1],
    grid: grid(N * groups * Math.ceil(O / groups / CHANNELS) * P * Math.ceil(Q / PIXELS), WIDTH),
  });
  return {
    outputs: [y],
    backward: ([dy], needs) => {
      const dz = activationBackward(r, activation, y, dy!);
      const dx = needs[0] ? fresh(r, x!.shape) : undefined;
      if (dx) {
        r.dispatch({
          kernel: backwardInput(window),
          reads: [dz.slot, w!.slot],
          writes: [dx.slot],
          sizes: [...common, 1],
          grid: grid(N * groups * Math.ceil(cg / CHANNELS) * H * Math.ceil(W / PIXELS), WIDTH),
        });
      }
      if (!needs[1] && !needs[2]) return [dx];
      const [dw, db] = weightGradient(r, { x: x!, dz, w: w!, window, common, bias: b !== undefined });
      return [dx, dw, db];
    },
  };
};

interface WeightGradient {
  x: Value;
  dz: Value;
  w: Value;
  window: Window;
  common: readonly number[];
  bias: boolean;
}

function weightGradient(r: Recording, { x, dz, w, window, common, bias }: WeightGradient): [Value, Value | undefined] {
  const [O, cg, kH, kW] = w.shape as [number, number, number, number];
  const groups = common[7]!;
  // All taps of a small window share the loads of dy; a large one goes row by row to stay within registers.
  const taps = kH * kW <= 9 ? kH : 1;
  const splits = Math.min(x.shape[0]!, 32);
  const weights = count(w.shape);
  const shares = fresh(r, [splits, weights + O]);
  const threads = splits * groups * Math.ceil(O / groups / CHANNELS) * cg * (kH / taps);
  r.dispatch({
    kernel: backwardWeight({ ...window, taps }),
    reads: [x.slot, dz.slot],
    writes: [shares.slot],
    sizes: [...common, splits],
    grid: grid(threads, WIDTH),
  });
  const dw = fresh(r, w.shape);
  const db = bias ? fresh(r, [O]) : undefined;
  r.dispatch({
    kernel: addShares({ bias }),
    reads: [shares.slot],
    writes: [dw.slot, ...(db ? [db.slot] : [])],
    sizes: [splits, weights, O],
    grid: grid(weights + O, 64),
  });
  return [dw, db];
}
