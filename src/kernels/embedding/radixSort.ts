import { kernel, wgsl } from "../../gpu/index.ts";
import { RUN } from "../snippets.ts";

/*
 * The gradient by sorting the places of all ids, by one workgroup; then a thread sums a stretch of the sorted places.
 *
 * The right variant for GPUs.
 */

/**
 * Radix sort of the places 0 … n − 1 by their ids, 4 bits a pass, in one workgroup: each thread counts the 16 digits in
 * its stretch, a running sum over (digit, thread) tells where each thread's next place of a digit goes, each thread moves its
 * places in order.
 */
export const sort = kernel(
  "embedding.sort",
  ({ threads }: { threads: number }) => wgsl`
const THREADS = ${threads}u;
struct Params { n: u32, V: u32, passes: u32 }
@group(0) @binding(_) var<storage, read> ids: array<u32>;
// The last pass leaves the places in the first n numbers, and their ids in the n after those.
@group(0) @binding(_) var<storage, read_write> sorted: array<u32>;
@group(0) @binding(_) var<storage, read_write> between: array<u32>;
// 1 + where each id's stretch begins; 0 for ids that do not occur.
@group(0) @binding(_) var<storage, read_write> heads: array<u32>;
@group(0) @binding(_) var<uniform> params: Params;

var<workgroup> counts: array<u32, 16 * THREADS>;
var<workgroup> sums: array<u32, THREADS>;

fn place(i: u32, turn: u32) -> u32 {
  return select(select(sorted[i], between[i], (params.passes - turn) % 2 == 1), i, turn == 0);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
  let stretch = (params.n + THREADS - 1) / THREADS;
  let first = min(thread * stretch, params.n);
  let last = min(first + stretch, params.n);
  for (var v = thread; v < params.V; v += THREADS) { heads[v] = 0; }
  for (var turn = 0u; turn < params.passes; turn++) {
    let shift = 4 * turn;
    for (var d = 0u; d < 16; d++) { counts[d * THREADS + thread] = 0; }
    for (var i = first; i < last; i++) { counts[((min(ids[place(i, turn)], params.V) >> shift) & 15) * THREADS + thread]++; }
    workgroupBarrier();
    // The running sum: each thread over 16 counts in a row, then over the threads' totals.
    var total = 0u;
    for (var c = 0u; c < 16; c++) { total += counts[thread * 16 + c]; }
    sums[thread] = total;
    workgroupBarrier();
    if (thread == 0) {
      var before = 0u;
      for (var l = 0u; l < THREADS; l++) { let own = sums[l]; sums[l] = before; before += own; }
    }
    workgroupBarrier();
    var next = sums[thread];
    for (var c = 0u; c < 16; c++) {
      let n = counts[thread * 16 + c];
      counts[thread * 16 + c] = next;
      next += n;
    }
    workgroupBarrier();
    for (var i = first; i < last; i++) {
      let p = place(i, turn);
      let id = min(ids[p], params.V);
      let to = &counts[((id >> shift) & 15) * THREADS + thread];
      if ((params.passes - turn) % 2 == 1) {
        sorted[*to] = p;
        if (turn == params.passes - 1) { sorted[params.n + *to] = id; }
      } else {
        between[*to] = p;
      }
      *to++;
    }
    workgroupBarrier();
    storageBarrier();
  }
  for (var i = first; i < last; i++) {
    let id = sorted[params.n + i];
    if (id < params.V && (i == 0 || sorted[params.n + max(i, 1) - 1] != id)) { heads[id] = i + 1; }
  }
}`,
);

/** A thread sums `width` neighboring numbers of one id's row, 4 where D is a multiple of it. */
export const sumStretches = kernel(
  "embedding.backward",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Params { n: u32, V: u32, D: u32, padding: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(_) var<storage, read> sorted: array<u32>;
@group(0) @binding(_) var<storage, read> heads: array<u32>;
@group(0) @binding(_) var<storage, read> dy: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> dw: array<Numbers>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  let across = params.D / ${width};
  if (at >= params.V * across) { return; }
  let v = at / across;
  let d = at % across;
  var sum = Numbers();
  let head = select(heads[v], 0u, v == params.padding);
  if (head > 0) {
    var run = Numbers();
    for (var i = head - 1; i < params.n && sorted[params.n + i] == v; i++) {
      run += dy[sorted[i] * across + d];
      // A word may occur often, and rounding errors are to grow with a run, not with how often.
      if ((i - head + 2) % ${RUN} == 0) { sum += run; run = Numbers(); }
    }
    sum += run;
  }
  dw[at] = sum;
}`,
);
