import { kernel, wgsl } from "../../gpu/index.ts";
import { RUN } from "../snippets.ts";

/*
 * The gradient by a linked list of the places of each id, which one thread makes; then a thread sums along a list.
 *
 * The right variant for devices that compute on the CPU: an eighth of the time of a sort there, and a tenth to compile.
 */

/**
 * One thread goes through the places from the last to the first: heads[v] becomes 1 + the first place of v, next[i] 1 + the
 * following place of the same id, or 0. Nothing is cleared before: what memory held is told from a head by the id there.
 */
export const link = kernel(
  "embedding.link",
  () => wgsl`
struct Params { n: u32, V: u32 }
@group(0) @binding(_) var<storage, read> ids: array<u32>;
@group(0) @binding(_) var<storage, read_write> next: array<u32>;
@group(0) @binding(_) var<storage, read_write> heads: array<u32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  for (var i = params.n; i > 0; i--) {
    let id = ids[i - 1];
    if (id >= params.V) { continue; }
    let head = heads[id];
    let follows = head > i && head <= params.n && ids[min(head, params.n) - 1] == id;
    next[i - 1] = select(0u, head, follows);
    heads[id] = i;
  }
}`,
);

/** A thread sums `width` neighboring numbers of one id's row, 4 where D is a multiple of it. */
export const sumLists = kernel(
  "embedding.backwardLists",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Params { n: u32, V: u32, D: u32, padding: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(_) var<storage, read> ids: array<u32>;
@group(0) @binding(_) var<storage, read> next: array<u32>;
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
  let head = heads[v];
  if (v != params.padding && head - 1 < params.n && ids[min(head - 1, params.n - 1)] == v) {
    var run = Numbers();
    var added = 0u;
    for (var i = head; i > 0; i = next[i - 1]) {
      run += dy[(i - 1) * across + d];
      added++;
      // A word may occur often, and rounding errors are to grow with a run, not with how often.
      if (added % ${RUN} == 0) { sum += run; run = Numbers(); }
    }
    sum += run;
  }
  dw[at] = sum;
}`,
);
