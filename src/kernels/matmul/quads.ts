import { kernel, wgsl } from "../../gpu/index.ts";
import { subgroups } from "../snippets.ts";
import { common, type Product, readByFours, runOf, type Vectors } from "./common.ts";

/*
 * As registers.ts, but the four threads of a quad, which are a workgroup, have the same rows and neighboring columns: each reads
 * a quarter of A for all of them, and they tell one another (`quadBroadcast`). A thread computes 16 × 8 or 8 × 4 results, its
 * workgroup 16 × 32 or 8 × 16. No barrier, no workgroup memory.
 *
 * The right variant for devices that compute on the CPU and have subgroups, unless a side of the product is short (then
 * registers.ts): a number for four threads costs SwiftShader some ten multiply-adds, wherever it lies. 16 rows are the default;
 * `engine.tune` takes 8 where they are faster.
 */

/** Threads of a workgroup: one quad, which SwiftShader's subgroups are best at. */
export const THREADS = 4;

export interface Quads extends Product, Vectors {
  /** Rows of a thread, 16 or 8; it has half as many columns. */
  rows: number;
}

export const quads = kernel(
  "matmul",
  (v: Quads) => wgsl`
${subgroups}
${common(v, v)}
${readByFours(v)}
const ROWS = ${v.rows}u;
const COLUMNS = ${v.rows / 2}u;
const RUN = ${runOf(v)}u;

@compute @workgroup_size(${THREADS})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let M = params.M; let N = params.N; let K = params.K;
  let lda = params.lda / WIDTH_A; let ldb = params.ldb / WIDTH_B;
  let part = partOf(group.id.z);
  let quad = groupIndex(group);
  let across = (N + 4 * COLUMNS - 1) / (4 * COLUMNS);
  let m = quad / across * ROWS;
  let n = (quad % across * 4 + thread) * COLUMNS;
  if (m >= M) { return; }

  // Where a thread first reads its quarter of A, and its own columns of B. Beyond the last row or column it is repeated.
#unroll q in ${v.rows / 4}
#if ${!v.transposeA}
  let startA$q = (part.baseA + min(m + $(4 * q) + thread, M - 1) * params.lda) / WIDTH_A;
#elif ${v.vectorA}
  let startA$q = (part.baseA + min(m + $(4 * q), M - 4)) / 4;
#else
  let startA$q = part.baseA + m + $(4 * q);
#endif
#end
#if ${v.transposeB}
#unroll j in ${v.rows / 2}
  let startB$j = (part.baseB + min(n + $j, N - 1) * params.ldb) / WIDTH_B;
#end
#else
#unroll q in ${v.rows / 8}
#if ${v.vectorB}
  let startB$q = (part.baseB + min(n + $(4 * q), N - 4)) / 4;
#else
  let startB$q = part.baseB + n + $(4 * q);
#endif
#end
#endif

  // c_i_q: row m + i, columns n + 4q … n + 4q + 3.
#unroll i in ${v.rows}
#unroll q in ${v.rows / 8}
  var c$i_$q = vec4f();
#end
#if ${v.rowSum}
  var sum$i = 0.0;
#endif
#end

  // Sums of rows are added up in runs: rounding errors grow with the run, not with K.
  for (var start = part.fromK; start < part.toK; start += RUN) {
    let stop = min(start + RUN, part.toK);
#if ${v.rowSum}
#unroll i in ${v.rows}
    var run$i = 0.0;
#end
#endif
    for (var k = start; k < stop; k += 4) {
      // k0 … k3: which k this round takes. Beyond the last, rows of B are as if they had no columns.
#unroll d in 4
#if ${v.tail}
      let k$d = min(k + $d, K - 1); let N$d = select(0u, N, k + $d < K);
#else
      let k$d = k + $d; let N$d = N;
#endif
#end
      // k as a start counts it.
      let kA = k / WIDTH_A; let kB = k / WIDTH_B;
      // A quarter of A: every fourth row of it, or, where A is transposed, every fourth k.
#unroll q in ${v.rows / 4}
#if ${v.transposeA}
      let own$q = fourOfA(startA$q + min(k + thread, K - 1) * lda, m + $(4 * q), select(0u, M, k + thread < K));
#else
      let own$q = fourOfA(startA$q + kA, k, K);
#endif
#end
#if ${!v.transposeA}
#unroll i in ${v.rows}
      let a$i = quadBroadcast(own$(i / 4), $(i % 4));
#end
#endif
#if ${v.transposeB}
#unroll j in ${v.rows / 2}
      let b$j = fourOfB(startB$j + kB, k, K);
#end
#endif
      // Each k: a column of op(A) times a row of op(B), right behind what it reads, so that it need not be kept.
#unroll d in 4
      {
#if ${v.transposeA}
#unroll q in ${v.rows / 4}
        let a$q = quadBroadcast(own$q, $d);
#end
#unroll i in ${v.rows}
        let column$i = a$(i / 4)[$(i % 4)];
#end
#else
#unroll i in ${v.rows}
        let column$i = a$i[$d];
#end
#endif
#unroll q in ${v.rows / 8}
#if ${v.transposeB}
        let row$q = vec4f(b$(4 * q)[$d], b$(4 * q + 1)[$d], b$(4 * q + 2)[$d], b$(4 * q + 3)[$d]);
#else
        let row$q = fourOfB(startB$q + k$d * ldb, n + $(4 * q), N$d);
#endif
#end
#unroll i in ${v.rows}
#unroll q in ${v.rows / 8}
        c$i_$q += column$i * row$q;
#end
#if ${v.rowSum}
        run$i += column$i;
#endif
#end
      }
#end
    }
#if ${v.rowSum}
#unroll i in ${v.rows}
    sum$i += run$i;
#end
#endif
  }

  // A loop: written out, storing would take a device that compiles on the CPU longer to compile than all else.
  var results: array<vec4f, ROWS * COLUMNS / 4>;
#unroll i in ${v.rows}
#unroll q in ${v.rows / 8}
  results[$i * COLUMNS / 4 + $q] = c$i_$q;
#end
#end
  for (var i = 0u; i < ROWS && m + i < M; i++) {
#unroll q in ${v.rows / 8}
    store(m + i, n + $(4 * q), part.base, results[i * COLUMNS / 4 + $q]);
#end
  }
#if ${v.rowSum}
  if (n == 0) {
    var rowSums: array<f32, ROWS>;
#unroll i in ${v.rows}
    rowSums[$i] = sum$i;
#end
    for (var i = 0u; i < ROWS && m + i < M; i++) { storeSum(m + i, part.base, rowSums[i]); }
  }
#endif
}`,
);
