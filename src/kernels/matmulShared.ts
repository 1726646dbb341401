import { kernel, wgsl } from "../gpu/index.ts";
import { type Activation, activations } from "./op.ts";
import { type Tiles, tiles } from "./tiles.ts";

/* The matrix product through workgroup memory: the best way for large matrices on a GPU. */

interface Variant extends Record<string, string | number | boolean> {
  transposeA: boolean;
  transposeB: boolean;
  bias: boolean;
  activation: Activation;
  rowSum: boolean;
  /** Each share of K goes to a place of its own in `c`: M × N results, then M sums. */
  split: boolean;
  side: Tiles["side"];
}

export const shared = kernel(
  "matmul.shared",
  (v: Variant) => wgsl`
struct Sizes { M: u32, N: u32, K: u32, lda: u32, ldb: u32, strideA: u32, strideB: u32, span: u32 }
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> c: array<f32>;
#if ${v.rowSum && !v.split}
@group(0) @binding(${v.bias ? 4 : 3}) var<storage, read_write> sums: array<f32>;
#endif
@group(0) @binding(${2 + Number(v.bias) + 1 + Number(v.rowSum && !v.split)}) var<uniform> s: Sizes;

var<private> baseA = 0u;
var<private> baseB = 0u;
var<private> base = 0u;

fn numberOfA(m: u32, k: u32) -> f32 { return a[baseA + ${v.transposeA ? "k * s.lda + m" : "m * s.lda + k"}]; }
fn numberOfB(k: u32, n: u32) -> f32 { return b[baseB + ${v.transposeB ? "n * s.ldb + k" : "k * s.ldb + n"}]; }
fn atColumn(n: u32) {}
fn atDepth(k: u32) {}
fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }
fn store(m: u32, n: u32, v: vec4f) {
  if (m >= s.M) { return; }
  for (var j = 0u; j < 4u && n + j < s.N; j++) {
    c[base + m * s.N + n + j] = activate(v[j]${v.bias ? " + bias[n + j]" : ""});
  }
}
fn storeSum(m: u32, v: vec4f) {
#if ${v.rowSum}
  for (var i = 0u; i < 4u && m + i < s.M; i++) { ${v.split ? "c[base + s.M * s.N" : "sums[0"} + m + i] = v[i]; }
#endif
}
${tiles({ side: v.side, alongKA: !v.transposeA, alongKB: v.transposeB, rowSum: v.rowSum })}

@compute @workgroup_size(${(v.side * v.side) / 16})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = group.x + group.y * groups.x;
#if ${v.split}
  base = group.z * (s.M * s.N + ${v.rowSum ? "s.M" : "0"});
  let from_ = group.z * s.span;
  product(tile, s.M, s.N, from_, min(from_ + s.span, s.K), lane);
#else
  baseA = group.z * s.strideA;
  baseB = group.z * s.strideB;
  base = group.z * s.M * s.N;
  product(tile, s.M, s.N, 0, s.K, lane);
#endif
}`,
);
