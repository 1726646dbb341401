import { kernel, wgsl } from "../gpu/index.ts";
import { pair } from "./conv2d.ts";
import { count, expect, expectFloat, expectRank, fresh, grid, type Op, show } from "./op.ts";

/*
 * y [N, C, P, Q] = the largest, or the mean, of each window of x [N, C, H, W]; stride is the window's size unless given.
 * Max pooling sends dy to the first largest of a window (NaN counts as largest), as PyTorch does; the mean counts the
 * padding (count_include_pad). The gradient gathers: each x asks the windows it lies in, so nothing is added in a race.
 */

type Kind = "max" | "average";
/** The window is part of the kernel: its loops and divisions are then by constants. */
interface Window extends Record<string, string | number> {
  kind: Kind;
  kH: number;
  kW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

const sizes = /* wgsl */ `
struct Sizes { planes: u32, H: u32, W: u32, P: u32, Q: u32 }`;

const forward = kernel(
  "pool2d",
  (v: Window) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#if ${v.kind === "max"}
@group(0) @binding(2) var<storage, read_write> from_: array<u32>;
#endif
@group(0) @binding(${v.kind === "max" ? 3 : 2}) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.x + wg.y * wgs.x) * 64 + lane;
  if (at >= s.planes * s.P * s.Q) { return; }
  let q = at % s.Q;
  let p = at / s.Q % s.P;
  let plane = at / (s.P * s.Q) * s.H * s.W;
  let top = i32(p * ${v.strideH}u) - i32(${v.padH}u);
  let left = i32(q * ${v.strideW}u) - i32(${v.padW}u);
  var best = 0.0;
  var first = 0xffffffffu;
  for (var h = max(top, 0); h < min(top + i32(${v.kH}u), i32(s.H)); h++) {
    for (var w = max(left, 0); w < min(left + i32(${v.kW}u), i32(s.W)); w++) {
      let i = u32(h) * s.W + u32(w);
      let value = x[plane + i];
#if ${v.kind === "max"}
      // NaN wins, read from its bits: a shader may assume that no comparison meets one.
      let nan = (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
      if (first == 0xffffffffu || value > best || nan) { best = value; first = i; }
#else
      best += value;
#endif
    }
  }
#if ${v.kind === "max"}
  y[at] = best;
  from_[at] = first;
#else
  y[at] = best / f32(${v.kH}u * ${v.kW}u);
#endif
}`,
);

const backward = kernel(
  "pool2d.backward",
  (v: Window) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
#if ${v.kind === "max"}
@group(0) @binding(1) var<storage, read> from_: array<u32>;
#endif
@group(0) @binding(${v.kind === "max" ? 2 : 1}) var<storage, read_write> dx: array<f32>;
@group(0) @binding(${v.kind === "max" ? 3 : 2}) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.x + wg.y * wgs.x) * 64 + lane;
  if (at >= s.planes * s.H * s.W) { return; }
  let w = at % s.W;
  let h = at / s.W % s.H;
  let plane = at / (s.H * s.W) * s.P * s.Q;
  // The windows that hold (h, w): p · stride ≤ h + pad < p · stride + kH.
  let bottom = h + ${v.padH}u;
  let right = w + ${v.padW}u;
  let firstP = select(0u, (bottom - ${v.kH}u) / ${v.strideH}u + 1, bottom >= ${v.kH}u);
  let firstQ = select(0u, (right - ${v.kW}u) / ${v.strideW}u + 1, right >= ${v.kW}u);
  var sum = 0.0;
  for (var p = firstP; p <= min(bottom / ${v.strideH}u, s.P - 1); p++) {
    for (var q = firstQ; q <= min(right / ${v.strideW}u, s.Q - 1); q++) {
      let i = plane + p * s.Q + q;
#if ${v.kind === "max"}
      if (from_[i] == h * s.W + w) { sum += dy[i]; }
#else
      sum += dy[i] / f32(${v.kH}u * ${v.kW}u);
#endif
    }
  }
  dx[at] = sum;
}`,
);

/**
 * Where windows do not overlap each x has one window at most: a thread takes a window and writes all of its dx, and the
 * strip behind it that belongs to none.
 */
const backwardApart = kernel(
  "pool2d.backwardApart",
  (v: Window) => wgsl`
${sizes}
@group(0) @binding(0) var<storage, read> dy: array<f32>;
#if ${v.kind === "max"}
@group(0) @binding(1) var<storage, read> from_: array<u32>;
#endif
@group(0) @binding(${v.kind === "max" ? 2 : 1}) var<storage, read_write> dx: array<f32>;
@group(0) @binding(${v.kind === "max" ? 3 : 2}) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.x + wg.y * wgs.x) * 64 + lane;
  let down = (s.H + ${v.strideH - 1}) / ${v.strideH};
  let across = (s.W + ${v.strideW - 1}) / ${v.strideW};
  if (at >= s.planes * down * across) { return; }
  let q = at % across;
  let p = at / across % down;
  let plane = at / (down * across);
  let whole = p < s.P && q < s.Q;
  let window = (plane * s.P + min(p, s.P - 1)) * s.Q + min(q, s.Q - 1);
  let d = select(0.0, dy[window], whole);
#if ${v.kind === "max"}
  let chosen = from_[window];
#endif
  for (var i = 0u; i < ${v.strideH} && p * ${v.strideH} + i < s.H; i++) {
    for (var j = 0u; j < ${v.strideW} && q * ${v.strideW} + j < s.W; j++) {
      let place = (p * ${v.strideH} + i) * s.W + q * ${v.strideW} + j;
#if ${v.kind === "max"}
      dx[plane * s.H * s.W + place] = select(0.0, d, place == chosen);
#else
      dx[plane * s.H * s.W + place] = select(0.0, d / ${v.kH * v.kW}, i < ${v.kH} && j < ${v.kW});
#endif
    }
  }
}`,
);

export interface PoolOptions {
  kernel: number | readonly [number, number];
  stride?: number | readonly [number, number];
  padding?: number | readonly [number, number];
}

export const pool2d: Op<PoolOptions & { kind: Kind }> = (r, [x], options) => {
  const { kind } = options;
  const name = kind === "max" ? "maxPool2d" : "avgPool2d";
  expectFloat(name, "x", x!);
  expectRank(name, "x", x!, 4, "[N, C, H, W]");
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [kH, kW] = pair(options.kernel);
  const [strideH, strideW] = pair(options.stride ?? options.kernel);
  const [padH, padW] = pair(options.padding ?? 0);
  expect(
    [kH, kW, strideH, strideW].every((n) => Number.isInteger(n) && n > 0),
    name,
    () => `kernel is ${kH}, ${kW} and stride ${strideH}, ${strideW}, expected whole numbers of at least 1.`,
  );
  expect(
    [padH, padW].every((n) => Number.isInteger(n) && n >= 0) && 2 * padH <= kH && 2 * padW <= kW,
    name,
    () => `padding is ${padH}, ${padW}, expected at most half the kernel (${kH}, ${kW}).`,
  );
  const P = Math.floor((H + 2 * padH - kH) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - kW) / strideW) + 1;
  expect(
    P > 0 && Q > 0,
    name,
    () => `the window ${kH} × ${kW} is larger than x ${show(x!)} with padding ${padH}, ${padW}.`,
  );
  const y = fresh(r, [N, C, P, Q]);
  const from = kind === "max" ? fresh(r, y.shape, "u32") : undefined;
  const sizes = [N * C, H, W, P, Q];
  const window = { kind, kH, kW, strideH, strideW, padH, padW };
  r.dispatch({
    kernel: forward(window),
    reads: [x!.slot],
    writes: [y.slot, ...(from ? [from.slot] : [])],
    sizes,
    grid: grid(count(y.shape), 64),
  });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = fresh(r, x!.shape);
      const apart = strideH >= kH && strideW >= kW && padH === 0 && padW === 0;
      const threads = apart ? N * C * Math.ceil(H / strideH) * Math.ceil(W / strideW) : count(x!.shape);
      r.dispatch({
        kernel: (apart ? backwardApart : backward)(window),
        reads: [dy!.slot, ...(from ? [from.slot] : [])],
        writes: [dx.slot],
        sizes,
        grid: grid(threads, 64),
      });
      return [dx];
    },
  };
};
