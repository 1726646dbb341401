import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import {
  type Activation,
  activations,
  each,
  expect,
  expectFloat,
  fresh,
  grid,
  type Op,
  show,
  type Value,
} from "./op.ts";

/*
 * C [M, N] = op(A) · op(B), op(X) = X or Xᵀ without a copy; then, in the epilogue, + bias [N] and an activation.
 *
 * Each thread keeps a tile of C in registers and reads A and B straight from storage, four numbers along the inner
 * size K at a time: no barrier, no workgroup memory. `rowSum` also gives Σₖ op(A)[m, k]: with A = dyᵀ that is the
 * gradient of a bias, for the price of an addition.
 */

interface Variant extends Record<string, string | number | boolean> {
  transposeA: boolean;
  transposeB: boolean;
  /** Whether A, B can be read as vec4f: their contiguous size and row length are multiples of 4. */
  vectorA: boolean;
  vectorB: boolean;
  bias: boolean;
  activation: Activation;
  rowSum: boolean;
  /** K is not a multiple of 4. */
  tail: boolean;
  /** The tile of a thread: rows and columns, multiples of 4. */
  rows: number;
  columns: number;
}

const product = kernel("matmul", (v: Variant) => {
  const { rows, columns } = v;
  const A = v.transposeA
    ? (k: number, i: number) => `a${k}_${i >> 2}[${i & 3}]`
    : (k: number, i: number) => `a${i}[${k}]`;
  const B = v.transposeB
    ? (k: number, j: number) => `vec4f(b${4 * j}[${k}], b${4 * j + 1}[${k}], b${4 * j + 2}[${k}], b${4 * j + 3}[${k}])`
    : (k: number, j: number) => `b${k}_${j}`;
  // Past the end of K, vectors along the other size hold another row's numbers.
  const whole = (k: number, load: string) => (v.tail ? `select(vec4f(), ${load}, live${k})` : load);
  return wgsl`
struct Sizes { M: u32, N: u32, K: u32, lda: u32, ldb: u32, strideA: u32, strideB: u32 }
@group(0) @binding(0) var<storage, read> a: array<${v.vectorA ? "vec4f" : "f32"}>;
@group(0) @binding(1) var<storage, read> b: array<${v.vectorB ? "vec4f" : "f32"}>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> c: array<f32>;
#if ${v.rowSum}
@group(0) @binding(${v.bias ? 4 : 3}) var<storage, read_write> sums: array<f32>;
#endif
@group(0) @binding(${2 + Number(v.bias) + 1 + Number(v.rowSum)}) var<uniform> s: Sizes;

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
fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }
fn store(m: u32, n: u32, at: u32, v: vec4f) {
  if (m >= s.M) { return; }
  for (var j = 0u; j < 4u && n + j < s.N; j++) {
#if ${v.bias}
    c[at + m * s.N + n + j] = activate(v[j] + bias[n + j]);
#else
    c[at + m * s.N + n + j] = activate(v[j]);
#endif
  }
}

@compute @workgroup_size(16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let tile = (group.x + group.y * groups.x) * 16 + lane;
  let across = (s.N + ${columns - 1}) / ${columns};
  let m = tile / across * ${rows};
  let n = tile % across * ${columns};
  if (m >= s.M) { return; }
  let baseA = group.z * s.strideA;
  let baseB = group.z * s.strideB;
  ${each(rows, (i) => each(columns / 4, (j) => `var c${i}_${j} = vec4f();`))}
  ${v.rowSum ? each(rows, (i) => `var sum${i} = 0.0;`) : ""}
  // Where each row of a vector operand begins, in vec4f; rows and columns beyond the last repeat it and are not stored.
  ${v.vectorA && !v.transposeA ? each(rows, (i) => `let rowA${i} = (baseA + min(m + ${i}, s.M - 1) * s.lda) / 4;`) : ""}
  ${v.vectorA && v.transposeA ? each(rows / 4, (i) => `let columnA${i} = (baseA + min(m + ${4 * i}, s.M - 4)) / 4;`) : ""}
  ${v.vectorB && v.transposeB ? each(columns, (j) => `let rowB${j} = (baseB + min(n + ${j}, s.N - 1) * s.ldb) / 4;`) : ""}
  ${v.vectorB && !v.transposeB ? each(columns / 4, (j) => `let columnB${j} = (baseB + min(n + ${4 * j}, s.N - 4)) / 4;`) : ""}
  for (var k = 0u; k < s.K; k += 4) {
    ${v.tail ? each(4, (k) => `let live${k} = k + ${k} < s.K; let k${k} = min(k + ${k}, s.K - 1);`) : each(4, (k) => `let k${k} = k + ${k};`)}
    ${
      v.transposeA
        ? each(4, (k) =>
            each(
              rows / 4,
              (i) =>
                `let a${k}_${i} = ${v.vectorA ? whole(k, `a[columnA${i} + k${k} * s.lda / 4]`) : `rowA(k + ${k}, s.K - 1, m + ${4 * i}, s.M, baseA)`};`,
            ),
          )
        : each(
            rows,
            (i) =>
              `let a${i} = ${v.vectorA ? `a[rowA${i} + k / 4]` : `rowA(min(m + ${i}, s.M - 1), s.M, k, s.K, baseA)`};`,
          )
    }
    ${
      v.transposeB
        ? each(
            columns,
            (j) =>
              `let b${j} = ${v.vectorB ? `b[rowB${j} + k / 4]` : `rowB(min(n + ${j}, s.N - 1), s.N, k, s.K, baseB)`};`,
          )
        : each(4, (k) =>
            each(
              columns / 4,
              (j) =>
                `let b${k}_${j} = ${v.vectorB ? whole(k, `b[columnB${j} + k${k} * s.ldb / 4]`) : `rowB(k + ${k}, s.K - 1, n + ${4 * j}, s.N, baseB)`};`,
            ),
          )
    }
    ${each(4, (k) => each(rows, (i) => each(columns / 4, (j) => `c${i}_${j} += ${A(k, i)} * ${B(k, j)};`)))}
    ${v.rowSum ? each(4, (k) => each(rows, (i) => `sum${i} += ${A(k, i)};`)) : ""}
  }
  ${each(rows, (i) => each(columns / 4, (j) => `store(m + ${i}, n + ${4 * j}, group.z * s.M * s.N, c${i}_${j});`))}
#if ${v.rowSum}
  if (n == 0) {
    ${each(rows, (i) => `if (m + ${i} < s.M) { sums[m + ${i}] = sum${i}; }`)}
  }
#endif
}`;
});

export interface Product {
  a: Value;
  b: Value;
  M: number;
  N: number;
  K: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Row lengths in numbers, where rows lie further apart than they are long. */
  lda?: number;
  ldb?: number;
  bias?: Value | undefined;
  activation?: Activation;
  /** Matrices one after another; an operand with \`false\` in \`each\` is the same for all. */
  batch?: { size: number; eachA: boolean; eachB: boolean };
  rowSum?: boolean;
  shape?: readonly number[];
}

/** Records C = op(A) · op(B); with \`rowSum\` also the sums of op(A)'s rows, [M]. */
export function matrixProduct(r: Recording, p: Product): { c: Value; sums: Value | undefined } {
  const { M, N, K, transposeA = false, transposeB = false, batch } = p;
  const lda = p.lda ?? (transposeA ? M : K);
  const ldb = p.ldb ?? (transposeB ? K : N);
  const c = fresh(r, p.shape ?? [M, N]);
  const sums = p.rowSum ? fresh(r, [M]) : undefined;
  const strideA = batch?.eachA ? M * K : 0;
  const strideB = batch?.eachB ? K * N : 0;
  // A tile of 8 × 8 reads half as much for a product as one of 4 × 4, which keeps more of a small matrix's threads busy.
  const tile = M >= 16 && N >= 16 ? 8 : 4;
  // An operand without numbers has not even one vector of four.
  const fours = (...n: number[]) => K > 0 && n.every((x) => x % 4 === 0);
  r.dispatch({
    kernel: product({
      transposeA,
      transposeB,
      vectorA: fours(transposeA ? M : K, lda, strideA),
      vectorB: fours(transposeB ? K : N, ldb, strideB),
      bias: p.bias !== undefined,
      activation: p.activation ?? "none",
      rowSum: sums !== undefined,
      tail: K % 4 !== 0,
      rows: tile,
      columns: tile,
    }),
    reads: [p.a.slot, p.b.slot, ...(p.bias ? [p.bias.slot] : [])],
    writes: [c.slot, ...(sums ? [sums.slot] : [])],
    sizes: [M, N, K, lda, ldb, strideA, strideB],
    grid: withBatch(grid(Math.ceil(M / tile) * Math.ceil(N / tile), 16), batch?.size ?? 1),
  });
  return { c, sums };
}

const withBatch = ([x, y]: readonly number[], z: number): [number, number, number] => [x!, y!, z];

/**
 * y = op(a) · op(b) for matrices [M, K] · [K, N], or for as many pairs of them: [B, M, K] · [B, K, N].
 * da = dy · bᵀ, db = aᵀ · dy, with the operands' own transpositions.
 */
export const matmul: Op<{ transposeA?: boolean; transposeB?: boolean }> = (r, [a, b], options) => {
  const { transposeA = false, transposeB = false } = options;
  expectFloat("matmul", "a", a!);
  expectFloat("matmul", "b", b!);
  const rank = a!.shape.length;
  expect(
    (rank === 2 || rank === 3) && b!.shape.length === rank && (rank === 2 || a!.shape[0] === b!.shape[0]),
    "matmul",
    () => `expected matrices or equally many of them, found a ${show(a!)} and b ${show(b!)}.`,
  );
  const [rowsA, columnsA] = a!.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b!.shape.slice(-2) as [number, number];
  const [M, K] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [K2, N] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  expect(K === K2, "matmul", () => {
    const other = transposeB ? rowsB : columnsB;
    const hint = K === other ? ` Did you mean transposeB: ${!transposeB}?` : "";
    return `inner sizes differ: a ${show(a!)}${transposeA ? "ᵀ" : ""} · b ${show(b!)}${transposeB ? "ᵀ" : ""} (${K} ≠ ${K2}).${hint}`;
  });
  const size = rank === 3 ? a!.shape[0]! : 1;
  const product = (a: Value, b: Value, M: number, N: number, K: number, transposeA: boolean, transposeB: boolean) =>
    matrixProduct(r, {
      a,
      b,
      M,
      N,
      K,
      transposeA,
      transposeB,
      ...(rank === 3 ? { batch: { size, eachA: true, eachB: true }, shape: [size, M, N] } : {}),
    }).c;
  return {
    outputs: [product(a!, b!, M, N, K, transposeA, transposeB)],
    backward: ([dy], needs) => [
      !needs[0]
        ? undefined
        : transposeA
          ? product(b!, dy!, K, M, N, transposeB, true)
          : product(dy!, b!, M, K, N, false, !transposeB),
      !needs[1]
        ? undefined
        : transposeB
          ? product(dy!, a!, N, K, M, true, transposeA)
          : product(a!, dy!, K, N, M, !transposeA, false),
    ],
  };
};
