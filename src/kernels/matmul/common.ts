import { wgsl } from "../../gpu/index.ts";
import { type Activation, activations, RUN } from "../snippets.ts";

/* What all variants of the matrix product are given, and the hooks by which they read and store. */

export interface Product extends Record<string, string | number | boolean> {
  transposeA: boolean;
  transposeB: boolean;
  bias: boolean;
  /** Not ReLU: that is none at all, with `lowerBound` 0 and not −∞. One kernel less to compile. */
  activation: Exclude<Activation, "relu">;
  /** Whether Σₖ op(A)[m, k] is wanted too. */
  rowSum: boolean;
  /** Split K: each part of K goes to a place of its own in `c`, M × N partial results, then M partial sums. */
  split: boolean;
}

/** Which four numbers of an operand are neighbors in storage, and how a kernel reads them. */
export interface Vectors {
  /** Whether A, B can be read as vec4f: their contiguous size and row length are multiples of 4. */
  vectorA: boolean;
  vectorB: boolean;
  /** Whether a row may lie beyond K: K is not a multiple of 4, in a product that reads four of it at a time. */
  tail: boolean;
}

/** How much of K is added up at a time; all of it where no sums of rows are wanted. */
export const runOf = ({ rowSum }: Product): number => (rowSum ? RUN : 2 ** 30);

/**
 * Parameters and bindings, and
 *   partOf(z)                     where the operands and results of all workgroups at z are, and which part of K is theirs
 *   store(m, n, base, y)          results (m, n … n + 3), with bias and activation
 *   storeSum(m, base, sum)        the sum of row m of op(A)
 */
export const common = ({ bias, activation, rowSum, split }: Product, vectors?: Vectors): string => wgsl`
struct Params {
  M: u32, N: u32, K: u32,
  // How far apart the rows of A and B are, and the matrices of a batch.
  lda: u32, ldb: u32, strideA: u32, strideB: u32,
  kPerSplit: u32,
  lowerBound: f32,
}
@group(0) @binding(_) var<storage, read> a: array<${vectors?.vectorA ? "vec4f" : "f32"}>;
@group(0) @binding(_) var<storage, read> b: array<${vectors?.vectorB ? "vec4f" : "f32"}>;
#if ${bias}
@group(0) @binding(_) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> c: array<f32>;
#if ${rowSum && !split}
@group(0) @binding(_) var<storage, read_write> sums: array<f32>;
#endif
@group(0) @binding(_) var<uniform> params: Params;

struct Part { baseA: u32, baseB: u32, base: u32, fromK: u32, toK: u32 }
fn partOf(z: u32) -> Part {
#if ${split}
  let fromK = z * params.kPerSplit;
  let numbers = params.M * params.N + select(0u, params.M, ${rowSum});
  return Part(0, 0, z * numbers, fromK, min(fromK + params.kPerSplit, params.K));
#else
  return Part(z * params.strideA, z * params.strideB, z * params.M * params.N, 0, params.K);
#endif
}

fn activate(x: f32) -> f32 {
  return ${activation === "none" ? "select(x, params.lowerBound, x < params.lowerBound)" : activations[activation].value};
}
fn store(m: u32, n: u32, base: u32, y: vec4f) {
  let at = base + m * params.N + n;
#unroll i in 4
#if ${bias}
  if (n + $i < params.N) { c[at + $i] = activate(y[$i] + bias[n + $i]); }
#else
  if (n + $i < params.N) { c[at + $i] = activate(y[$i]); }
#endif
#end
}
fn storeSum(m: u32, base: u32, sum: f32) {
#if ${rowSum && split}
  c[base + params.M * params.N + m] = sum;
#elif ${rowSum}
  sums[m] = sum;
#endif
}`;

/**
 * fourOfA(start, column, end), fourOfB: four neighboring numbers of an operand, which lie in columns column … column + 3 of its
 * row as it is stored; 0 for those from column `end` on, though of a vec4f there is all or nothing. `start`, as what it is made
 * of, counts vec4f where there are such (WIDTH_A, WIDTH_B): multiplied out of the loops, not divided in them.
 */
export const readByFours = ({ vectorA, vectorB, tail }: Vectors): string => wgsl`
${fours("A", "a", vectorA, tail)}
${fours("B", "b", vectorB, tail)}`;

const fours = (name: string, array: string, vector: boolean, tail: boolean): string => wgsl`
const WIDTH_${name} = ${vector ? 4 : 1}u;
fn fourOf${name}(start: u32, column: u32, end: u32) -> vec4f {
#if ${vector && tail}
  return select(vec4f(), ${array}[start], column < end);
#elif ${vector}
  return ${array}[start];
#else
  let numbers = vec4f(${array}[start], ${array}[start + 1], ${array}[start + 2], ${array}[start + 3]);
  return select(vec4f(), numbers, vec4u(column, column + 1, column + 2, column + 3) < vec4u(end));
#endif
}`;
