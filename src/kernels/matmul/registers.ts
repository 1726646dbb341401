import { kernel, wgsl } from "../../gpu/index.ts";
import { common, type Product, readByFours, runOf, type Vectors } from "./common.ts";

/*
 * A thread computes a tile of C, 8 × 8 or 4 × 4, in registers, and reads A and B straight from storage, four numbers at a
 * time: no barrier, no workgroup memory. The 16 threads of a workgroup have neighboring tiles and nothing else in common.
 *
 * The right variant for small products on any device (4 × 4 keeps more threads busy, 8 × 8 reads half as much), and for all
 * products on devices that compute on the CPU and have no subgroups; with them quads.ts reads less.
 */

/** Threads of a workgroup: few, as most products have few tiles. */
export const THREADS = 16;

export interface Registers extends Product, Vectors {
  /** The tile of a thread: as many rows as columns, a multiple of 4. */
  tile: number;
}

/** Where both operands are stored by rows of k, there is nothing to gain from taking K by fours. */
const depthOf = ({ transposeA, transposeB }: Registers): number => (transposeA && !transposeB ? 1 : 4);

export const registers = kernel(
  "matmul",
  (v: Registers) => wgsl`
${common(v, v)}
${readByFours(v)}
const THREADS = ${THREADS}u;
const TILE = ${v.tile}u;
const RUN = ${runOf(v)}u;
const DEPTH = ${depthOf(v)}u;

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  // In registers: what a loop reads from a uniform buffer is read anew in every round.
  let M = params.M; let N = params.N; let K = params.K;
  let lda = params.lda / WIDTH_A; let ldb = params.ldb / WIDTH_B;
  let part = partOf(group.id.z);
  let tile = groupIndex(group) * THREADS + thread;
  let across = (N + TILE - 1) / TILE;
  let m = tile / across * TILE;
  let n = tile % across * TILE;
  if (m >= M) { return; }

  // Where A and B are first read. Rows and columns beyond the last repeat it, and are not stored.
#if ${!v.transposeA}
#unroll i in ${v.tile}
  let startA$i = (part.baseA + min(m + $i, M - 1) * params.lda) / WIDTH_A;
#end
#else
#unroll q in ${v.tile / 4}
#if ${v.vectorA}
  let startA$q = (part.baseA + min(m + $(4 * q), M - 4)) / 4;
#else
  let startA$q = part.baseA + m + $(4 * q);
#endif
#end
#endif
#if ${v.transposeB}
#unroll j in ${v.tile}
  let startB$j = (part.baseB + min(n + $j, N - 1) * params.ldb) / WIDTH_B;
#end
#else
#unroll q in ${v.tile / 4}
#if ${v.vectorB}
  let startB$q = (part.baseB + min(n + $(4 * q), N - 4)) / 4;
#else
  let startB$q = part.baseB + n + $(4 * q);
#endif
#end
#endif

  // c_i_q: row m + i, columns n + 4q … n + 4q + 3.
#unroll i in ${v.tile}
#unroll q in ${v.tile / 4}
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
#unroll i in ${v.tile}
    var run$i = 0.0;
#end
#endif
    for (var k = start; k < stop; k += DEPTH) {
      // k0, k1 …: which k this round takes. Beyond the last, rows of A and B are as if they had no columns.
#unroll d in ${depthOf(v)}
#if ${v.tail}
      let live$d = k + $d < K; let k$d = min(k + $d, K - 1); let M$d = select(0u, M, live$d); let N$d = select(0u, N, live$d);
#else
      let k$d = k + $d; let M$d = M; let N$d = N;
#endif
#end
      // k as a start counts it.
      let kA = k / WIDTH_A; let kB = k / WIDTH_B;
#if ${!v.transposeA}
#unroll i in ${v.tile}
      let a$i = fourOfA(startA$i + kA, k, K);
#end
#endif
#if ${v.transposeB}
#unroll j in ${v.tile}
      let b$j = fourOfB(startB$j + kB, k, K);
#end
#endif
      // Each k: a column of op(A) times a row of op(B), right behind what it reads, so that it need not be kept.
#unroll d in ${depthOf(v)}
      {
#if ${v.transposeA}
#unroll q in ${v.tile / 4}
        let a$q = fourOfA(startA$q + k$d * lda, m + $(4 * q), M$d);
#end
#unroll i in ${v.tile}
        let column$i = a$(i / 4)[$(i % 4)];
#end
#else
#unroll i in ${v.tile}
        let column$i = a$i[$d];
#end
#endif
#unroll q in ${v.tile / 4}
#if ${v.transposeB}
        let row$q = vec4f(b$(4 * q)[$d], b$(4 * q + 1)[$d], b$(4 * q + 2)[$d], b$(4 * q + 3)[$d]);
#else
        let row$q = fourOfB(startB$q + k$d * ldb, n + $(4 * q), N$d);
#endif
#end
#unroll i in ${v.tile}
#unroll q in ${v.tile / 4}
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
#unroll i in ${v.tile}
    sum$i += run$i;
#end
#endif
  }

  // A loop: written out, storing would take a device that compiles on the CPU longer to compile than all else.
  var results: array<vec4f, TILE * TILE / 4>;
#unroll i in ${v.tile}
#unroll q in ${v.tile / 4}
  results[$i * TILE / 4 + $q] = c$i_$q;
#end
#end
  for (var i = 0u; i < TILE && m + i < M; i++) {
#unroll q in ${v.tile / 4}
    store(m + i, n + $(4 * q), part.base, results[i * TILE / 4 + $q]);
#end
  }
#if ${v.rowSum}
  if (n == 0) {
    var rowSums: array<f32, TILE>;
#unroll i in ${v.tile}
    rowSums[$i] = sum$i;
#end
    for (var i = 0u; i < TILE && m + i < M; i++) { storeSum(m + i, part.base, rowSums[i]); }
  }
#endif
}`,
);
