import { wgsl } from "../gpu/index.ts";

/*
 * A matrix product C [M, N] = A [M, K] · B [K, N] through workgroup memory, for GPUs: a workgroup computes SIDE × SIDE
 * results and moves DEPTH of K at a time into memory that all its threads share, so that a number is read from storage
 * once for SIDE products: tileA[k, m] and tileB[k, n], with a barrier before and one after they are used. (On a device that
 * computes on the CPU workgroup memory is slower than storage.)
 *
 * Matrices may be anything that can say what number is where: a kernel that uses this has its own bindings and the hooks
 *   fn loadA(m: u32, k: u32) -> f32, loadB(k: u32, n: u32) -> f32     called only for what is inside of the matrices
 *   fn atColumn(n: u32), atDepth(k: u32)       called before, once a workgroup and once a tile: what a thread asks of B
 *                                              has always this n (or this k, where `alongKB` says so for it)
 *   fn storeFour(m: u32, n: u32, c: vec4f)     results (m, n … n + 3), some of which may lie beyond the matrix
 *   fn storeFourSums(m: u32, sums: vec4f)      Σₖ A[m, k] for rows m … m + 3, likewise
 */

export interface Tiles extends Record<string, string | number | boolean> {
  /** 64 or 32. */
  side: number;
  /** Whether neighbors in memory differ in k: neighboring threads then read along k. */
  alongKA: boolean;
  alongKB: boolean;
  /** Whether Σₖ A[m, k] is wanted too. */
  rowSum: boolean;
}

/** How much of K is in workgroup memory at a time. */
export const DEPTH = 16;

/** Workgroups for a product. */
export const tilesOf = (side: number, M: number, N: number): number => Math.ceil(M / side) * Math.ceil(N / side);

/** Threads of a workgroup: each has 4 × 4 results. */
export const threadsOf = (side: number): number => (side / 4) ** 2;

/** WGSL: `product(tile, M, N, fromK, toK, thread)`, the results of one tile, summed over k in [fromK, toK), which must be uniform. */
export const tiles = ({ side, alongKA, alongKB, rowSum }: Tiles): string => wgsl`
const SIDE = ${side}u;
const DEPTH = ${DEPTH}u;
const THREADS = SIDE / 4 * SIDE / 4;
var<workgroup> tileA: array<f32, DEPTH * SIDE>;
var<workgroup> tileB: array<f32, DEPTH * SIDE>;

fn product(tile: u32, M: u32, N: u32, fromK: u32, toK: u32, thread: u32) {
  let across = (N + SIDE - 1) / SIDE;
  let m0 = tile / across * SIDE;
  let n0 = tile % across * SIDE;
  let row = thread / (SIDE / 4) * 4;
  let column = thread % (SIDE / 4) * 4;
#unroll i in 4
  var c$i = vec4f();
#end
#if ${rowSum}
  var sums = vec4f();
#endif
#if ${!alongKB}
  atColumn(n0 + thread % SIDE);
#endif
  for (var k0 = fromK; k0 < toK; k0 += DEPTH) {
#if ${alongKB}
    atDepth(k0 + thread % DEPTH);
#endif
    for (var i = thread; i < SIDE * DEPTH; i += THREADS) {
#if ${alongKA}
      let m = i / DEPTH; let k = i % DEPTH;
#else
      let m = i % SIDE; let k = i / SIDE;
#endif
      var a = 0.0;
      if (m0 + m < M && k0 + k < toK) { a = loadA(m0 + m, k0 + k); }
      tileA[k * SIDE + m] = a;
    }
    for (var i = thread; i < SIDE * DEPTH; i += THREADS) {
#if ${alongKB}
      let n = i / DEPTH; let k = i % DEPTH;
#else
      let n = i % SIDE; let k = i / SIDE;
#endif
      var b = 0.0;
      if (n0 + n < N && k0 + k < toK) { b = loadB(k0 + k, n0 + n); }
      tileB[k * SIDE + n] = b;
    }
    workgroupBarrier();
#if ${rowSum}
    var run = vec4f();
#endif
    for (var k = 0u; k < DEPTH; k++) {
      let atA = k * SIDE + row;
      let atB = k * SIDE + column;
      let a = vec4f(tileA[atA], tileA[atA + 1], tileA[atA + 2], tileA[atA + 3]);
      let b = vec4f(tileB[atB], tileB[atB + 1], tileB[atB + 2], tileB[atB + 3]);
#unroll i in 4
      c$i += a[$i] * b;
#end
#if ${rowSum}
      run += a;
#endif
    }
#if ${rowSum}
    sums += run;
#endif
    workgroupBarrier();
  }
#unroll i in 4
  storeFour(m0 + row + $i, n0 + column, c$i);
#end
#if ${rowSum}
  if (n0 + column == 0) { storeFourSums(m0 + row, sums); }
#endif
}`;
