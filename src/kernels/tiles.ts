import { wgsl } from "../gpu/index.ts";

/*
 * A matrix product C [M, N] = A [M, K] · B [K, N] through workgroup memory, for GPUs: a workgroup computes SIDE × SIDE
 * results and moves DEPTH of K at a time into memory that all its threads share, so that a number is read from storage
 * once for SIDE products. (On a device that computes on the CPU workgroup memory is slower than storage.)
 *
 * Matrices may be anything that can say what number is where: a kernel that uses this has its own bindings and
 *   fn numberOfA(m: u32, k: u32) -> f32, numberOfB(k: u32, n: u32) -> f32       0 where there is none
 *   fn atColumn(n: u32), atDepth(k: u32)       called before, once a workgroup and once a tile: what a thread asks of B
 *                                              has always this n (or this k, where `alongK` says so for it)
 *   fn store(m: u32, n: u32, c: vec4f), storeSum(m: u32, a: vec4f)       results (m, n … n + 3), sums (m … m + 3) of A
 */

export interface Tiles extends Record<string, string | number | boolean> {
  /** 64 or 32. */
  side: number;
  /** Whether neighbours in memory differ in k: neighbouring threads then read along k. */
  alongKA: boolean;
  alongKB: boolean;
  /** Whether Σₖ A[m, k] is wanted too. */
  rowSum: boolean;
}

/** How much of K is in workgroup memory at a time. */
export const DEPTH = 16;

/** Workgroups for a product. */
export const tilesOf = (side: number, M: number, N: number): number => Math.ceil(M / side) * Math.ceil(N / side);

/**
 * Results [m, m + side) × [n, n + side) of the tile number `tile`, summed over k in [from, to), which must be uniform.
 * A thread has 4 × 4 of them.
 */
export const tiles = ({ side, alongKA, alongKB, rowSum }: Tiles): string => wgsl`
var<workgroup> tileA: array<f32, ${DEPTH * side}>;
var<workgroup> tileB: array<f32, ${DEPTH * side}>;

fn four(i: u32) -> vec4f { return vec4f(tileA[i], tileA[i + 1], tileA[i + 2], tileA[i + 3]); }

fn product(tile: u32, M: u32, N: u32, from_: u32, to: u32, lane: u32) {
  let across = (N + ${side - 1}) / ${side};
  let m0 = tile / across * ${side};
  let n0 = tile % across * ${side};
  let row = lane / ${side / 4} * 4;
  let column = lane % ${side / 4} * 4;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
#if ${rowSum}
  var sum = vec4f();
#endif
#if ${!alongKB}
  atColumn(n0 + lane % ${side});
#endif
  for (var k0 = from_; k0 < to; k0 += ${DEPTH}) {
#if ${alongKB}
    atDepth(k0 + lane % ${DEPTH});
#endif
    for (var i = lane; i < ${side * DEPTH}; i += ${(side * side) / 16}) {
#if ${alongKA}
      let m = i / ${DEPTH}; let k = i % ${DEPTH};
#else
      let m = i % ${side}; let k = i / ${side};
#endif
      var a = 0.0;
      if (m0 + m < M && k0 + k < to) { a = numberOfA(m0 + m, k0 + k); }
      tileA[k * ${side} + m] = a;
    }
    for (var i = lane; i < ${side * DEPTH}; i += ${(side * side) / 16}) {
#if ${alongKB}
      let n = i / ${DEPTH}; let k = i % ${DEPTH};
#else
      let n = i % ${side}; let k = i / ${side};
#endif
      var b = 0.0;
      if (n0 + n < N && k0 + k < to) { b = numberOfB(k0 + k, n0 + n); }
      tileB[k * ${side} + n] = b;
    }
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}; k++) {
      let a = four(k * ${side} + row);
      let at = k * ${side} + column;
      let b = vec4f(tileB[at], tileB[at + 1], tileB[at + 2], tileB[at + 3]);
      c0 += a.x * b; c1 += a.y * b; c2 += a.z * b; c3 += a.w * b;
#if ${rowSum}
      sum += a;
#endif
    }
    workgroupBarrier();
  }
  store(m0 + row, n0 + column, c0);
  store(m0 + row + 1, n0 + column, c1);
  store(m0 + row + 2, n0 + column, c2);
  store(m0 + row + 3, n0 + column, c3);
#if ${rowSum}
  if (n0 + column == 0) { storeSum(m0 + row, sum); }
#endif
}`;
