import { kernel, wgsl } from "../gpu/index.ts";
import {
  count,
  each,
  expect,
  expectFloat,
  expectMarks,
  expectRank,
  fresh,
  grid,
  type Op,
  show,
  sumInRuns,
} from "./op.ts";

/*
 * One feature vector from those of M modalities, x_m [N, D_m]; present[n, m] is 1 where example n has modality m, else 0.
 *   concat     y [N, Σ D_m] = present_m · x_m, side by side
 *   average    y [N, D] = Σ c_m · x_m,  c_m = present_m / Σ present
 *   weighted   y [N, D] = Σ c_m · x_m,  c_m = present_m · e^{v_m} / Σ present_k · e^{v_k}: a softmax of the learned
 *              v [M] over the modalities that are there
 * What is not there is not read, whatever stands in its place; an example without any modality gives 0. dx_m = c_m · dy; dv_m = Σ_n c_m (g_m − Σ_k c_k g_k), g_m = dy[n] · x_m[n].
 */

export const fusions = ["concat", "average", "weighted"] as const;
export type Fusion = (typeof fusions)[number];
interface Variant extends Record<string, string | number | boolean> {
  fusion: Fusion;
  modalities: number;
  present: boolean;
}

const shared = (v: Variant) => wgsl`
// d0 … d4: the modalities' sizes; across: the size of y.
struct Sizes { N: u32, across: u32, d0: u32, d1: u32, d2: u32, d3: u32, d4: u32 }
fn has(n: u32, m: u32) -> f32 { return ${v.present ? `present[n * ${v.modalities} + m]` : "1.0"}; }
// c_m of example n.
fn share(n: u32, m: u32) -> f32 {
#if ${v.fusion === "concat"}
  return has(n, m);
#else
  var top = -3.4e38;
  for (var k = 0u; k < ${v.modalities}; k++) { if (has(n, k) > 0) { top = max(top, score(k)); } }
  var sum = 0.0;
  for (var k = 0u; k < ${v.modalities}; k++) { sum += has(n, k) * exp(min(score(k) - top, 0.0)); }
  return select(0.0, has(n, m) * exp(min(score(m) - top, 0.0)) / sum, sum > 0);
#endif
}
fn score(m: u32) -> f32 { return ${v.fusion === "weighted" ? "v[m]" : "0.0"}; }`;

/** Bindings in order: `first` ones, then v, then present, as far as they are there. */
const optional = (v: Variant, first: number) => wgsl`
#if ${v.fusion === "weighted"}
@group(0) @binding(${first}) var<storage, read> v: array<f32>;
#endif
#if ${v.present}
@group(0) @binding(${first + Number(v.fusion === "weighted")}) var<storage, read> present: array<f32>;
#endif`;
const extras = (v: Variant) => Number(v.fusion === "weighted") + Number(v.present);

const forward = kernel(
  "fuse",
  (v: Variant) => wgsl`
${each(v.modalities, (m) => `@group(0) @binding(${m}) var<storage, read> x${m}: array<f32>;`)}
${optional(v, v.modalities)}
@group(0) @binding(${v.modalities + extras(v)}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${v.modalities + extras(v) + 1}) var<uniform> s: Sizes;
${shared(v)}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= s.N * s.across) { return; }
  let n = at / s.across;
#if ${v.fusion === "concat"}
  var d = at % s.across;
  ${each(v.modalities, (m) => `if (d < s.d${m}) { y[at] = select(0.0, share(n, ${m}) * x${m}[n * s.d${m} + d], has(n, ${m}) != 0); return; }\n  d -= s.d${m};`)}
#else
  var sum = 0.0;
  ${each(v.modalities, (m) => `sum += select(0.0, share(n, ${m}) * x${m}[at], has(n, ${m}) != 0);`)}
  y[at] = sum;
#endif
}`,
);

const backward = kernel(
  "fuse.backward",
  (v: Variant) => wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
${optional(v, 1)}
${each(v.modalities, (m) => `@group(0) @binding(${1 + extras(v) + m}) var<storage, read_write> dx${m}: array<f32>;`)}
@group(0) @binding(${1 + extras(v) + v.modalities}) var<uniform> s: Sizes;
${shared(v)}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= s.N * s.across) { return; }
  let n = at / s.across;
#if ${v.fusion === "concat"}
  var d = at % s.across;
  ${each(v.modalities, (m) => `if (d < s.d${m}) { dx${m}[n * s.d${m} + d] = select(0.0, share(n, ${m}) * dy[at], has(n, ${m}) != 0); return; }\n  d -= s.d${m};`)}
#else
  ${each(v.modalities, (m) => `dx${m}[at] = select(0.0, share(n, ${m}) * dy[at], has(n, ${m}) != 0);`)}
#endif
}`,
);

/** dv in one workgroup: each lane sums over its examples in order, then the lanes pairwise. */
const backwardWeights = kernel(
  "fuse.backwardWeights",
  (v: Variant) => wgsl`
@group(0) @binding(0) var<storage, read> dy: array<f32>;
${each(v.modalities, (m) => `@group(0) @binding(${1 + m}) var<storage, read> x${m}: array<f32>;`)}
${optional(v, 1 + v.modalities)}
@group(0) @binding(${1 + v.modalities + extras(v)}) var<storage, read_write> dv: array<f32>;
@group(0) @binding(${2 + v.modalities + extras(v)}) var<uniform> s: Sizes;
${shared(v)}
var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  ${each(v.modalities, (m) => `var sum${m} = 0.0;`)}
  for (var n = lane; n < s.N; n += 64) {
    ${each(v.modalities, (m) => `var g${m} = 0.0;`)}
    ${sumInRuns(
      Object.fromEntries(
        Array.from({ length: v.modalities }, (_, m) => [`g${m}`, `select(0.0, dy[i] * x${m}[i], has(n, ${m}) != 0)`]),
      ),
      { end: "s.across", before: "let i = n * s.across + j;" },
    )}
    ${each(v.modalities, (m) => `let c${m} = share(n, ${m});`)}
    let mean = ${each(v.modalities, (m) => `c${m} * g${m}`).replaceAll("\n", " + ")};
    ${each(v.modalities, (m) => `sum${m} += c${m} * (g${m} - mean);`)}
  }
  ${each(
    v.modalities,
    (m) => `sums[lane] = sum${m};
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane == 0) { dv[${m}] = sums[0]; }
  workgroupBarrier();`,
  )}
}`,
);

/** Modalities that one dispatch can bind within WebGPU's 8 storage buffers. */
const MOST = 5;

export interface FuseOptions {
  fusion: Fusion;
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
  const numbers = [N, across, ...sizes];
  while (numbers.length < 7) numbers.push(0);
  const y = fresh(r, [N, across]);
  const threads = grid(count(y.shape), 64);
  r.dispatch({
    kernel: forward(variant),
    reads: [...xs.map((x) => x.slot), ...more],
    writes: [y.slot],
    sizes: numbers,
    grid: threads,
  });
  return {
    outputs: [y],
    constants: { [M]: "present" },
    backward: ([dy], needs) => {
      const dxs = xs.map((x) => fresh(r, x.shape));
      if (needs.slice(0, M).some(Boolean)) {
        r.dispatch({
          kernel: backward(variant),
          reads: [dy!.slot, ...more],
          writes: dxs.map((d) => d.slot),
          sizes: numbers,
          grid: threads,
        });
      }
      if (!v || !needs[M + 1]) return [...dxs, undefined];
      const dv = fresh(r, [M]);
      r.dispatch({
        kernel: backwardWeights(variant),
        reads: [dy!.slot, ...xs.map((x) => x.slot), ...more],
        writes: [dv.slot],
        sizes: numbers,
        grid: [1, 1, 1],
      });
      return [...dxs, undefined, dv];
    },
  };
};
