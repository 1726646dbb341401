import { kernel, wgsl } from "../../gpu/index.ts";
import { threadsOf, tiles } from "../tiles.ts";
import { common, type Product } from "./common.ts";

/*
 * A workgroup computes a tile of 64 × 64 or 32 × 32 results, 4 × 4 a thread. In workgroup memory lie, for 16 of K at a time, its
 * 64 or 32 rows of A and columns of B, which its threads bring there together (tiles.ts: the loop, and the barriers).
 *
 * The right variant for large products on a GPU: 64 where both sides of C are longer than 32, else 32. Where K is long and C
 * small, workgroups take a part of K each (`split`: splitKShared of index.ts).
 */

export interface Shared extends Product {
  side: number;
}

export const shared = kernel(
  "matmul.shared",
  (v: Shared) => wgsl`
${common(v)}
// What main's workgroup works on, for the hooks.
var<private> part: Part;

#if ${v.transposeA}
fn loadA(m: u32, k: u32) -> f32 { return a[part.baseA + k * params.lda + m]; }
#else
fn loadA(m: u32, k: u32) -> f32 { return a[part.baseA + m * params.lda + k]; }
#endif
#if ${v.transposeB}
fn loadB(k: u32, n: u32) -> f32 { return b[part.baseB + n * params.ldb + k]; }
#else
fn loadB(k: u32, n: u32) -> f32 { return b[part.baseB + k * params.ldb + n]; }
#endif
fn atColumn(n: u32) {}
fn atDepth(k: u32) {}
fn storeFour(m: u32, n: u32, y: vec4f) {
  if (m < params.M) { store(m, n, part.base, y); }
}
fn storeFourSums(m: u32, sums: vec4f) {
  for (var i = 0u; i < 4u && m + i < params.M; i++) { storeSum(m + i, part.base, sums[i]); }
}
${tiles({ side: v.side, alongKA: !v.transposeA, alongKB: v.transposeB, rowSum: v.rowSum })}

@compute @workgroup_size(${threadsOf(v.side)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let mine = partOf(group.id.z);
  part = mine;
  product(groupIndex(group), params.M, params.N, mine.fromK, mine.toK, thread);
}`,
);
