import type { Known } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { pair } from "./conv2d/index.ts";
import {
  type Activation,
  activations,
  checkActivation,
  count,
  expect,
  expectFloat,
  expectRank,
  fresh,
  grid,
  type Op,
  show,
} from "./op.ts";

/*
 * y [N, C, P, Q] = the largest, or the mean, of each window of x [N, C, H, W]; stride is the window's size unless given.
 * Max pooling sends dy to the first largest of a window (NaN counts as largest), as PyTorch does; the mean counts the
 * padding (count_include_pad). Nothing is added in a race: in the gradient each x asks the windows it lies in (`gather`),
 * or, where no two windows overlap, each window writes all of its own (`apart`).
 *
 * An activation f is applied to y, a quarter of the numbers or fewer, and as f never falls, max f(x) = f(max x): a network
 * that pools behind an activation gets the same numbers for less work.
 */

type Kind = "max" | "average";
/** The window is part of the kernel: its loops and divisions are then by constants. */
interface Window extends Record<string, string | number | boolean> {
  kind: Kind;
  activation: Activation;
  /** Whether the window is written out number by number: it is small, and never hangs over the edge. */
  whole: boolean;
  kH: number;
  kW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

/** Numbers of a window that are written out, at most. */
const WRITTEN_OUT = 16;

/** Text for every place (i, j) of a window, the k-th. */
const places = ({ kH, kW }: Window, text: (i: number, j: number, k: number) => string, between = "\n  "): string =>
  Array.from({ length: kH * kW }, (_, k) => text(Math.floor(k / kW), k % kW, k)).join(between);

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

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }
// NaN wins, read from its bits: a shader may assume that no comparison meets one.
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.x + wg.y * wgs.x) * 64 + lane;
  if (at >= s.planes * s.P * s.Q) { return; }
  let row = at / s.Q;
  let q = at - row * s.Q;
  let p = row % s.P;
  let plane = row / s.P * s.H * s.W;
#if ${v.whole}
  let corner = p * ${v.strideH} * s.W + q * ${v.strideW};
  ${places(v, (i, j, k) => `let at${k} = corner + ${i} * s.W + ${j}; let x${k} = x[plane + at${k}];`)}
#if ${v.kind === "max"}
  var best = x0;
  var first = at0;
  ${places(v, (_i, _j, k) => (k === 0 ? "" : `let takes${k} = (x${k} > best) | isNan(x${k}); best = select(best, x${k}, takes${k}); first = select(first, at${k}, takes${k});`))}
#else
  let best = ${places(v, (_i, _j, k) => `x${k}`, " + ")};
#endif
#else
  let top = i32(p * ${v.strideH}u) - i32(${v.padH}u);
  let left = i32(q * ${v.strideW}u) - i32(${v.padW}u);
  var best = 0.0;
  var first = 0xffffffffu;
  for (var h = max(top, 0); h < min(top + i32(${v.kH}u), i32(s.H)); h++) {
#if ${v.kind === "average"}
    // A row's sum by itself: rounding errors grow with the window's height and width, not with their product.
    var run = 0.0;
#endif
    for (var w = max(left, 0); w < min(left + i32(${v.kW}u), i32(s.W)); w++) {
      let i = u32(h) * s.W + u32(w);
      let value = x[plane + i];
#if ${v.kind === "max"}
      if (first == 0xffffffffu || value > best || isNan(value)) { best = value; first = i; }
#else
      run += value;
#endif
    }
#if ${v.kind === "average"}
    best += run;
#endif
  }
#endif
#if ${v.kind === "max"}
  y[at] = activate(best);
  from_[at] = first;
#else
  y[at] = activate(best / ${v.kH * v.kW});
#endif
}`,
);

/** dy, then what it takes to know where it goes, and dy · f′ at a window. */
function backwardBindings({ kind, activation }: Window): string {
  const reads = ["dy: array<f32>"];
  if (activation !== "none") reads.push("y_in: array<f32>");
  if (kind === "max") reads.push("from_: array<u32>");
  const y = activation === "none" ? "" : "let y = y_in[i]; ";
  return `${reads.map((name, i) => `@group(0) @binding(${i}) var<storage, read> ${name};`).join("\n")}
@group(0) @binding(${reads.length}) var<storage, read_write> dx: array<f32>;
@group(0) @binding(${reads.length + 1}) var<uniform> s: Sizes;

fn gradient(i: u32) -> f32 { ${y}let d = dy[i]; return ${activations[activation].gradient}; }`;
}

const backward = kernel(
  "pool2d.backward",
  (v: Window) => wgsl`
${sizes}
${backwardBindings(v)}

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
      if (from_[i] == h * s.W + w) { sum += gradient(i); }
#else
      sum += gradient(i) / ${v.kH * v.kW};
#endif
    }
  }
  dx[at] = sum;
}`,
);

/** Writes dx at place (i, j) of what belongs to a window. */
const send = (v: Window, i: string, j: string): string =>
  `if ((${i} < downwards) & (${j} < rightwards)) { let place = corner + ${i} * W + ${j}; dx[at0 + place] = ${
    v.kind === "max"
      ? "select(0.0, d, place == chosen)"
      : `select(0.0, d / ${v.kH * v.kW}, (${i} < ${v.kH}) & (${j} < ${v.kW}))`
  }; }`;

/**
 * Where windows do not overlap each x has one window at most: a thread takes a window and writes all of its dx, and the
 * strip behind it that belongs to none.
 */
const backwardApart = kernel(
  "pool2d.backwardApart",
  (v: Window) => wgsl`
${sizes}
${backwardBindings(v)}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (wg.x + wg.y * wgs.x) * 64 + lane;
  let down = (s.H + ${v.strideH - 1}) / ${v.strideH};
  let across = (s.W + ${v.strideW - 1}) / ${v.strideW};
  if (at >= s.planes * down * across) { return; }
  let row = at / across;
  let q = at - row * across;
  let p = row % down;
  let plane = row / down;
  let whole = p < s.P && q < s.Q;
  let window = (plane * s.P + min(p, s.P - 1)) * s.Q + min(q, s.Q - 1);
  let d = select(0.0, gradient(window), whole);
#if ${v.kind === "max"}
  let chosen = from_[window];
#endif
  let W = s.W;
  let corner = p * ${v.strideH} * W + q * ${v.strideW};
  let at0 = plane * s.H * W;
  let downwards = s.H - p * ${v.strideH};
  let rightwards = W - q * ${v.strideW};
#if ${v.strideH * v.strideW <= WRITTEN_OUT}
  ${places({ ...v, kH: v.strideH, kW: v.strideW }, (i, j) => send(v, `${i}u`, `${j}u`))}
#else
  for (var i = 0u; i < ${v.strideH}; i++) {
    for (var j = 0u; j < ${v.strideW}; j++) {
      ${send(v, "i", "j")}
    }
  }
#endif
}`,
);

export interface PoolOptions {
  kernel: number | readonly [number, number];
  stride?: number | readonly [number, number];
  padding?: number | readonly [number, number];
  /** Applied to the result. Default "none". */
  activation?: Activation;
}

export const poolOptions: Known<PoolOptions> = { kernel: true, stride: true, padding: true, activation: true };

export const pool2d: Op<PoolOptions & { kind: Kind }> = (r, [x], options) => {
  const { kind } = options;
  const name = kind === "max" ? "maxPool2d" : "avgPool2d";
  expectFloat(name, "x", x!);
  expectRank(name, "x", x!, 4, "[N, C, H, W]");
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [kH, kW] = pair(name, "kernel", options.kernel);
  const [strideH, strideW] = pair(name, "stride", options.stride ?? options.kernel);
  const [padH, padW] = pair(name, "padding", options.padding ?? 0);
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
  const activation = options.activation ?? "none";
  checkActivation(name, activation);
  const whole = padH === 0 && padW === 0 && kH * kW <= WRITTEN_OUT;
  const window = { kind, activation, whole, kH, kW, strideH, strideW, padH, padW };
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
      const by = (kernel: typeof backward, threads: number) => (r: Recording) =>
        r.dispatch({
          kernel: kernel(window),
          reads: [dy!.slot, ...(activation === "none" ? [] : [y.slot]), ...(from ? [from.slot] : [])],
          writes: [dx.slot],
          sizes,
          grid: grid(threads, 64),
        });
      const gather = by(backward, count(x!.shape));
      const apart = by(backwardApart, N * C * Math.ceil(H / strideH) * Math.ceil(W / strideW));
      if (strideH >= kH && strideW >= kW && padH === 0 && padW === 0) {
        const defaults = { software: "apart", integrated: "gather", discrete: "gather" };
        r.choose("pool2d.backward", `${kind} ${kH}×${kW} ${strideH}×${strideW}`, { gather, apart }, defaults);
      } else gather(r);
      return [dx];
    },
  };
};
