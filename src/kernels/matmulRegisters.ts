import { kernel, wgsl } from "../gpu/index.ts";
import { type Activation, activations, each } from "./op.ts";

/*
 * The matrix product in registers: each thread keeps a tile of C and reads A and B straight from storage, four numbers
 * at a time: no barrier, no workgroup memory. The best way on devices that compute on the CPU, and for small matrices.
 * There reading costs most (a number for four threads costs SwiftShader some ten multiply-adds, wherever it lies), so
 * that threads in quads do better still: they tell each other what they read.
 */

/** Threads in a workgroup: few, as most products have few tiles; of quads one, which SwiftShader's subgroups are best at. */
export const lanes = (quads: boolean): number => (quads ? 4 : 16);

interface Variant extends Record<string, string | number | boolean> {
  transposeA: boolean;
  transposeB: boolean;
  /** Whether A, B can be read as vec4f: their contiguous size and row length are multiples of 4. */
  vectorA: boolean;
  vectorB: boolean;
  bias: boolean;
  /** Not ReLU: that is none at all, with `least` 0 and not −∞. One kernel less to compile. */
  activation: Exclude<Activation, "relu">;
  rowSum: boolean;
  /** Each share of K goes to a place of its own in `c`: M × N results, then M sums. */
  split: boolean;
  /** K is not a multiple of 4, in a product that reads four of it at a time. */
  tail: boolean;
  /** Four neighbouring threads have the same rows, and each reads a quarter of A for all of them. */
  quads: boolean;
  /** The tile of a thread: rows and columns, multiples of 4. */
  rows: number;
  columns: number;
}

export const registers = kernel("matmul", (v: Variant) => {
  const { rows, columns } = v;
  // Where both operands are read across K, there is nothing to gain from taking it by fours.
  const depth = v.transposeA && !v.transposeB && !v.quads ? 1 : 4;
  const A = v.transposeA
    ? (k: number, i: number) => `a${k}_${i >> 2}[${i & 3}]`
    : (k: number, i: number) => `a${i}[${k}]`;
  // Past the end of K, vectors along the other size hold another row's numbers.
  const whole = (k: number, load: string) => (v.tail ? `select(vec4f(), ${load}, live${k})` : load);
  const loadA = (k: string, i: string, at: number) =>
    v.transposeA
      ? v.vectorA
        ? `a[columnA${at} + min(${k}, K - 1) * lda]`
        : `rowA(${k}, K - 1, m + ${4 * at}, M, baseA)`
      : v.vectorA
        ? `a[rowA${at} + k / 4]`
        : `rowA(min(m + ${i}, M - 1), M, k, K, baseA)`;
  /** Four numbers of row k of B. */
  const loadB = (k: number, j: number) => {
    if (v.transposeB) return `vec4f(${[0, 1, 2, 3].map((i) => `b${4 * j + i}[${k}]`).join(", ")})`;
    return v.vectorB ? whole(k, `b[columnB${j} + k${k} * ldb]`) : `rowB(k + ${k}, K - 1, n + ${4 * j}, N, baseB)`;
  };
  return wgsl`
#if ${v.quads}
enable subgroups;
// Four threads leave together or not at all: their tile is the same.
diagnostic(off, subgroup_uniformity);
#endif
struct Sizes { M: u32, N: u32, K: u32, lda: u32, ldb: u32, strideA: u32, strideB: u32, span: u32, least: f32 }
@group(0) @binding(0) var<storage, read> a: array<${v.vectorA ? "vec4f" : "f32"}>;
@group(0) @binding(1) var<storage, read> b: array<${v.vectorB ? "vec4f" : "f32"}>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> c: array<f32>;
#if ${v.rowSum && !v.split}
@group(0) @binding(${v.bias ? 4 : 3}) var<storage, read_write> sums: array<f32>;
#endif
@group(0) @binding(${2 + Number(v.bias) + 1 + Number(v.rowSum && !v.split)}) var<uniform> s: Sizes;

#if ${!v.vectorA}
// Four numbers of a row of A from column \`at\` on; 0 beyond \`end\`, and in rows beyond \`last\`.
fn rowA(row: u32, last: u32, at: u32, end: u32, base: u32) -> vec4f {
  let i = base + row * s.lda + at;
  return select(vec4f(), vec4f(a[i], a[i + 1], a[i + 2], a[i + 3]), vec4u(at, at + 1, at + 2, at + 3) < vec4u(select(0u, end, row <= last)));
}
#endif
#if ${!v.vectorB}
fn rowB(row: u32, last: u32, at: u32, end: u32, base: u32) -> vec4f {
  let i = base + row * s.ldb + at;
  return select(vec4f(), vec4f(b[i], b[i + 1], b[i + 2], b[i + 3]), vec4u(at, at + 1, at + 2, at + 3) < vec4u(select(0u, end, row <= last)));
}
#endif
fn activate(x: f32) -> f32 { return ${v.activation === "none" ? "select(x, s.least, x < s.least)" : activations[v.activation].value}; }
fn store(m: u32, n: u32, at: u32, v: vec4f) {
  let i = at + m * s.N + n;
  ${each(4, (j) => `if (n + ${j} < s.N) { c[i + ${j}] = activate(v[${j}]${v.bias ? ` + bias[n + ${j}]` : ""}); }`)}
}

@compute @workgroup_size(${lanes(v.quads)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let thread = (group.x + group.y * groups.x) * ${lanes(v.quads)} + lane;
#if ${v.quads}
  let quarter = lane % 4;
  let across = (s.N + ${4 * columns - 1}) / ${4 * columns};
  let m = thread / 4 / across * ${rows};
  let n = (thread / 4 % across * 4 + quarter) * ${columns};
#else
  let across = (s.N + ${columns - 1}) / ${columns};
  let m = thread / across * ${rows};
  let n = thread % across * ${columns};
#endif
  if (m >= s.M) { return; }
#if ${v.split}
  let baseA = 0u;
  let baseB = 0u;
  let base = group.z * (s.M * s.N + ${v.rowSum ? "s.M" : "0"});
  let from_ = group.z * s.span;
  let to = min(from_ + s.span, s.K);
#else
  let baseA = group.z * s.strideA;
  let baseB = group.z * s.strideB;
  let base = group.z * s.M * s.N;
  let from_ = 0u;
  let to = s.K;
#endif
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let M = s.M; let N = s.N; let K = s.K;
  let lda = s.lda${v.vectorA ? " / 4" : ""}; let ldb = s.ldb${v.vectorB ? " / 4" : ""};
  ${each(rows, (i) => each(columns, (j) => `var c${i}_${j} = 0.0;`))}
  ${v.rowSum ? each(rows, (i) => `var sum${i} = 0.0;`) : ""}
  // Where each row of a vector operand begins, in vec4f; rows and columns beyond the last repeat it and are not stored.
  ${v.vectorA && !v.transposeA && !v.quads ? each(rows, (i) => `let rowA${i} = (baseA + min(m + ${i}, s.M - 1) * s.lda) / 4;`) : ""}
  ${v.vectorA && !v.transposeA && v.quads ? each(rows / 4, (i) => `let rowA${i} = (baseA + min(m + ${4 * i} + quarter, s.M - 1) * s.lda) / 4;`) : ""}
  ${v.vectorA && v.transposeA ? each(rows / 4, (i) => `let columnA${i} = (baseA + min(m + ${4 * i}, s.M - 4)) / 4;`) : ""}
  ${v.vectorB && v.transposeB ? each(columns, (j) => `let rowB${j} = (baseB + min(n + ${j}, s.N - 1) * s.ldb) / 4;`) : ""}
  ${v.vectorB && !v.transposeB ? each(columns / 4, (j) => `let columnB${j} = (baseB + min(n + ${4 * j}, s.N - 4)) / 4;`) : ""}
  for (var k = from_; k < to; k += ${depth}) {
    ${v.tail ? each(depth, (k) => `let live${k} = k + ${k} < K; let k${k} = min(k + ${k}, K - 1);`) : each(depth, (k) => `let k${k} = k + ${k};`)}
    ${
      v.quads
        ? v.transposeA
          ? each(rows / 4, (i) => `let own${i} = select(vec4f(), ${loadA("k + quarter", "", i)}, k + quarter < K);`)
          : each(rows / 4, (i) => `let own${i} = ${loadA("", `${4 * i} + quarter`, i)};`)
        : ""
    }
    ${
      v.transposeA
        ? each(depth, (k) =>
            each(
              rows / 4,
              (i) =>
                `let a${k}_${i} = ${v.quads ? `quadBroadcast(own${i}, ${k})` : whole(k, loadA(`k + ${k}`, "", i))};`,
            ),
          )
        : each(rows, (i) => `let a${i} = ${v.quads ? `quadBroadcast(own${i >> 2}, ${i & 3})` : loadA("", `${i}`, i)};`)
    }
    ${v.transposeB ? each(columns, (j) => `let b${j} = ${v.vectorB ? `b[rowB${j} + k / 4]` : `rowB(min(n + ${j}, N - 1), N, k, K, baseB)`};`) : ""}
    // Products right behind what they read, so that it need not be kept.
    ${each(
      depth,
      (k) => `{
      ${each(columns / 4, (j) => `let row${j} = ${loadB(k, j)};`)}
      ${each(rows, (i) => each(columns, (j) => `c${i}_${j} += ${A(k, i)} * row${j >> 2}[${j & 3}];`))}
    }`,
    )}
    ${v.rowSum ? each(depth, (k) => each(rows, (i) => `sum${i} += ${A(k, i)};`)) : ""}
  }
  // A loop: written out, storing would take a device that compiles on the CPU longer to compile than all else.
  var results: array<vec4f, ${(rows * columns) / 4}>;
  ${each(rows, (i) => each(columns / 4, (j) => `results[${(i * columns) / 4 + j}] = vec4f(${[0, 1, 2, 3].map((n) => `c${i}_${4 * j + n}`).join(", ")});`))}
  for (var i = 0u; i < ${rows} && m + i < M; i++) {
    ${each(columns / 4, (j) => `store(m + i, n + ${4 * j}, base, results[i * ${columns / 4} + ${j}]);`)}
  }
#if ${v.rowSum}
  if (n == 0) {
    var rowSums: array<f32, ${rows}>;
    ${each(rows, (i) => `rowSums[${i}] = sum${i};`)}
    for (var i = 0u; i < ${rows} && m + i < M; i++) { ${v.split ? "c[base + M * N" : "sums[0"} + m + i] = rowSums[i]; }
  }
#endif
}`;
});
