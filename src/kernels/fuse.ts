import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectMarks, expectRank, show } from "./checks.ts";
import { allocate, count, grid, type Op } from "./op.ts";
import { sumInRuns } from "./snippets.ts";

/*
 * One feature vector from those of M modalities, x_m [N, D_m]; present[n, m] is 1 where example n has modality m, else 0.
 *   concat     y [N, Σ D_m] = present_m · x_m, side by side
 *   average    y [N, D] = Σ c_m · x_m,  c_m = present_m / Σ present
 *   weighted   y [N, D] = Σ c_m · x_m,  c_m = present_m · e^{v_m} / Σ present_k · e^{v_k}: a softmax of the learned
 *              v [M] over the modalities that are there
 * What is not there is not read, whatever stands in its place; an example without any modality gives 0. dx_m = c_m · dy; dv_m = Σ_n c_m (g_m − Σ_k c_k g_k), g_m = dy[n] · x_m[n].
 */

export const fusions: readonly FuseKind[] = ["concat", "average", "weighted"];
/** How `fuse` makes one feature vector of several. */
export type FuseKind = "concat" | "average" | "weighted";
interface Variant extends Record<string, string | number | boolean> {
  fusion: FuseKind;
  modalities: number;
  present: boolean;
}

/** WGSL: the weights of the modalities, and what all kernels read beside these. */
const weights = (v: Variant) => wgsl`
#if ${v.fusion === "weighted"}
@group(0) @binding(_) var<storage, read> v: array<f32>;
fn score(m: u32) -> f32 { return v[m]; }
#else
fn score(m: u32) -> f32 { return 0.0; }
#endif
#if ${v.present}
@group(0) @binding(_) var<storage, read> present: array<f32>;
fn has(n: u32, m: u32) -> f32 { return present[n * MODALITIES + m]; }
#else
fn has(n: u32, m: u32) -> f32 { return 1.0; }
#endif
const MODALITIES = ${v.modalities}u;
// d0 … d4: the modalities' sizes; across: the size of y.
struct Params { N: u32, across: u32, d0: u32, d1: u32, d2: u32, d3: u32, d4: u32 }
// c_m of example n.
fn weight(n: u32, m: u32) -> f32 {
#if ${v.fusion === "concat"}
  return has(n, m);
#else
  var top = -3.4e38;
  for (var k = 0u; k < MODALITIES; k++) { if (has(n, k) > 0) { top = max(top, score(k)); } }
  var sum = 0.0;
  for (var k = 0u; k < MODALITIES; k++) { sum += has(n, k) * exp(min(score(k) - top, 0.0)); }
  return select(0.0, has(n, m) * exp(min(score(m) - top, 0.0)) / sum, sum > 0);
#endif
}`;

const forward = kernel(
  "fuse",
  (v: Variant) => wgsl`
#unroll m in ${v.modalities}
@group(0) @binding(_) var<storage, read> x$m: array<f32>;
#end
${weights(v)}
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.N * params.across) { return; }
  let n = at / params.across;
#if ${v.fusion === "concat"}
  var d = at % params.across;
#unroll m in ${v.modalities}
  if (d < params.d$m) {
    y[at] = select(0.0, weight(n, $m) * x$m[n * params.d$m + d], has(n, $m) != 0);
    return;
  }
  d -= params.d$m;
#end
#else
  var sum = 0.0;
#unroll m in ${v.modalities}
  sum += select(0.0, weight(n, $m) * x$m[at], has(n, $m) != 0);
#end
  y[at] = sum;
#endif
}`,
);

const backward = kernel(
  "fuse.backward",
  (v: Variant) => wgsl`
@group(0) @binding(_) var<storage, read> dy: array<f32>;
${weights(v)}
#unroll m in ${v.modalities}
@group(0) @binding(_) var<storage, read_write> dx$m: array<f32>;
#end
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.N * params.across) { return; }
  let n = at / params.across;
#if ${v.fusion === "concat"}
  var d = at % params.across;
#unroll m in ${v.modalities}
  if (d < params.d$m) {
    dx$m[n * params.d$m + d] = select(0.0, weight(n, $m) * dy[at], has(n, $m) != 0);
    return;
  }
  d -= params.d$m;
#end
#else
#unroll m in ${v.modalities}
  dx$m[at] = select(0.0, weight(n, $m) * dy[at], has(n, $m) != 0);
#end
#endif
}`,
);

/** dv in one workgroup: each thread sums over its examples in order, then the threads pairwise. */
const backwardWeights = kernel(
  "fuse.backwardWeights",
  (v: Variant) => wgsl`
@group(0) @binding(_) var<storage, read> dy: array<f32>;
#unroll m in ${v.modalities}
@group(0) @binding(_) var<storage, read> x$m: array<f32>;
#end
${weights(v)}
@group(0) @binding(_) var<storage, read_write> dv: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) thread: u32) {
#unroll m in ${v.modalities}
  var sum$m = 0.0;
#end
  for (var n = thread; n < params.N; n += 64) {
#unroll m in ${v.modalities}
    var g$m = 0.0;
    let c$m = weight(n, $m);
    ${sumInRuns({ g$m: "select(0.0, dy[i] * x$m[i], has(n, $m) != 0)" }, { end: "params.across", before: "let i = n * params.across + j;" })}
#end
    var mean = 0.0;
#unroll m in ${v.modalities}
    mean += c$m * g$m;
#end
#unroll m in ${v.modalities}
    sum$m += c$m * (g$m - mean);
#end
  }
#unroll m in ${v.modalities}
  sums[thread] = sum$m;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { sums[thread] += sums[thread + half]; }
  }
  if (thread == 0) { dv[$m] = sums[0]; }
  workgroupBarrier();
#end
}`,
);

/** Modalities that one dispatch can bind within WebGPU's 8 storage buffers. */
const MOST = 5;

export interface FuseOptions {
  fusion: FuseKind;
  /** How many of the inputs are modalities; present [N, M] and, if weighted, v [M] follow. */
  modalities: number;
}

export const fuse: Op<FuseOptions> = (r, inputs, { fusion, modalities: M }) => {
  const xs = inputs.slice(0, M).map((x) => x!);
  const [present, v] = [inputs[M], inputs[M + 1]];
  expect(M >= 1 && M <= MOST, "fuse", () => `${M} modalities, expected 1 … ${MOST}.`);
  xs.forEach((x, m) => {
    expectFloat("fuse", `x${m}`, x);
    expectRank("fuse", `x${m}`, x, 2, "[N, D]");
  });
  const N = xs[0]!.shape[0]!;
  const sizes = xs.map((x) => x.shape[1]!);
  expect(
    xs.every((x) => x.shape[0] === N),
    "fuse",
    () => `batch sizes differ: ${xs.map(show).join(", ")}.`,
  );
  expect(
    fusion === "concat" || sizes.every((d) => d === sizes[0]),
    "fuse",
    () => `${fusion} needs features of one size, found ${xs.map(show).join(", ")}. Project them with linear first.`,
  );
  expect(
    !present || (present.dtype === "f32" && show(present) === show([N, M])),
    "fuse",
    () => `present is ${show(present!)} ${present!.dtype}, expected [${N}, ${M}] f32.`,
  );
  if (present) expectMarks("fuse", "present", present);
  expect(
    (fusion === "weighted") === (v !== undefined),
    "fuse",
    () => `weights belong to the fusion "weighted" and to no other, which is "${fusion}".`,
  );
  expect(!v || show(v) === show([M]), "fuse", () => `weights are ${show(v!)}, expected [${M}].`);
  const variant = { fusion, modalities: M, present: present !== undefined };
  const across = fusion === "concat" ? sizes.reduce((a, b) => a + b, 0) : sizes[0]!;
  const more = [...(v ? [v.slot] : []), ...(present ? [present.slot] : [])];
  const params = [N, across, ...sizes];
  while (params.length < 7) params.push(0);
  const y = allocate(r, [N, across]);
  const threads = grid(count(y.shape), 64);
  r.dispatch({
    kernel: forward(variant),
    reads: [...xs.map((x) => x.slot), ...more],
    writes: [y.slot],
    params,
    grid: threads,
  });
  return {
    outputs: [y],
    constants: { [M]: "present" },
    backward: ([dy], needs) => {
      const dxs = xs.map((x) => allocate(r, x.shape));
      if (needs.slice(0, M).some(Boolean)) {
        r.dispatch({
          kernel: backward(variant),
          reads: [dy!.slot, ...more],
          writes: dxs.map((d) => d.slot),
          params,
          grid: threads,
        });
      }
      if (!v || !needs[M + 1]) return [...dxs, undefined];
      const dv = allocate(r, [M]);
      r.dispatch({
        kernel: backwardWeights(variant),
        reads: [dy!.slot, ...xs.map((x) => x.slot), ...more],
        writes: [dv.slot],
        params,
        grid: [1, 1, 1],
      });
      return [...dxs, undefined, dv];
    },
  };
};
