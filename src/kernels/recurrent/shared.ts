import { wgsl } from "../../gpu/index.ts";
import {
  type Backward,
  backwardArrays,
  backwardBindings,
  type Forward,
  forwardArrays,
  forwardBindings,
} from "./arrays.ts";
import type { Cell } from "./cells.ts";
import { backwardHooks, forwardHooks } from "./hooks.ts";

/*
 * A workgroup takes one or two examples through all steps; thread t computes their hidden units t, t + THREADS, …, one at a time
 * (up to 256 units it has one). In workgroup memory lie, on the way there, h of all units, and on the way back the gradients of
 * all gates' products, each twice: what is read and what is written change places from step to step, so that one barrier a step
 * will do. Weights are read from storage.
 *
 * The right variant for GPUs, up to 512 hidden units, and for cells with one product a step (all but the GRU with its reset gate
 * before the product).
 */

export interface Shared {
  /** Threads of a workgroup, and its examples. */
  threads: number;
  examples: number;
  /** Hidden units that there is room for. */
  room: number;
}

/** Hidden units that fit into 16 KiB of workgroup memory on the way back. */
const MOST = 512;

/** Sizes of a workgroup for a cell and a hidden size; undefined where this is no way to do it. */
export function fitted(cell: Cell, H: number): Shared | undefined {
  if (H > MOST || cell.products.length > 1) return undefined;
  const room = Math.max(64, 2 ** Math.ceil(Math.log2(H)));
  return { threads: Math.min(room, 256), examples: room > 256 ? 1 : 2, room };
}

/** How one number of a row of H is read and written. */
const byOnes = ({ loads, stores }: { loads: string[]; stores: string[] }): string => wgsl`
#unroll array in [${loads}]
fn load_$array(at: u32, j: u32) -> f32 { return $array[at + j]; }
#end
#unroll array in [${stores}]
fn store_$array(at: u32, j: u32, number: f32) { $array[at + j] = number; }
#end`;

const split = ({ threads, examples, room }: Shared): string => wgsl`
const THREADS = ${threads}u;
const EXAMPLES = ${examples}u;
const ROOM = ${room}u;`;

export const forward = (cell: Cell, v: Forward & Shared & { vector: boolean }): string => {
  const { loads, stores } = forwardArrays(v);
  return wgsl`
${split(v)}
// Weights, and h with them, are multiplied WIDTH at a time.
const WIDTH = ${v.vector ? 4 : 1}u;
${forwardBindings(v, "f32", v.vector ? "vec4f" : "f32")}
${byOnes({ loads: loads.filter((array) => array !== "w"), stores })}
${forwardHooks(cell, v, "f32")}
// h of each example, before a step and after it by turns.
var<workgroup> shared_h: array<f32, 2 * EXAMPLES * ROOM>;
#if ${v.vector}
fn sharedH(at: u32) -> vec4f { return vec4f(shared_h[at], shared_h[at + 1], shared_h[at + 2], shared_h[at + 3]); }
fn times(a: vec4f, b: vec4f) -> f32 { return dot(a, b); }
#else
fn sharedH(at: u32) -> f32 { return shared_h[at]; }
fn times(a: f32, b: f32) -> f32 { return a * b; }
#endif

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let H = params.H;
  let first = groupIndex(group) * EXAMPLES;
  let rows = H / WIDTH;
  for (var i = 0u; i < EXAMPLES && first + i < params.N; i++) {
    for (var j = thread; j < H; j += THREADS) {
      begin(first + i, j);
      shared_h[i * ROOM + j] = load_state(stateAt(first + i, 0), j);
    }
  }
  for (var step = 0u; step < params.T; step++) {
    workgroupBarrier();
    let before = step % 2 * EXAMPLES * ROOM;
    let after = EXAMPLES * ROOM - before;
    for (var i = 0u; i < EXAMPLES && first + i < params.N; i++) {
      for (var j = thread; j < H; j += THREADS) {
        var p = Gates();
        if (step < lengthOf(first + i)) {
          for (var k = 0u; k < rows; k++) {
            let h = sharedH(before + i * ROOM + k * WIDTH);
#unroll gate in [${cell.gates}]
            p.$gate += times(w[(GATE_$gate * H + j) * rows + k], h);
#end
          }
        }
        shared_h[after + i * ROOM + j] = advance(first + i, j, step, p, loadBias(j));
      }
    }
  }
}`;
};

export const backward = (cell: Cell, v: Backward & Shared): string => wgsl`
${split(v)}
${backwardBindings(v, "f32")}
${byOnes(backwardArrays(v))}
${backwardHooks(cell, v, "f32")}
// The gradients of the gates' products, of one step and the next by turns.
var<workgroup> shared_dp: array<f32, 2 * EXAMPLES * GATES * ROOM>;

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let H = params.H;
  let first = groupIndex(group) * EXAMPLES;
  for (var i = 0u; i < EXAMPLES && first + i < params.N; i++) {
    for (var j = thread; j < H; j += THREADS) { beginBack(first + i, j); }
  }
  for (var back = 0u; back < params.T; back++) {
    let step = params.T - 1 - back;
    let turn = step % 2 * EXAMPLES * GATES * ROOM;
    for (var i = 0u; i < EXAMPLES && first + i < params.N; i++) {
      for (var j = thread; j < H; j += THREADS) {
        let dp = gradients(first + i, j, step);
#unroll gate in [${cell.gates}]
        shared_dp[turn + (i * GATES + GATE_$gate) * ROOM + j] = dp.$gate;
#end
      }
    }
    workgroupBarrier();
    // dh += dp · Wₕ; neighboring threads read neighboring weights.
    for (var i = 0u; i < EXAMPLES && first + i < params.N; i++) {
      if (step >= lengthOf(first + i)) { continue; }
      for (var j = thread; j < H; j += THREADS) {
        var e = 0.0;
        for (var k = 0u; k < H; k++) {
#unroll gate in [${cell.gates}]
          e += shared_dp[turn + (i * GATES + GATE_$gate) * ROOM + k] * w[(GATE_$gate * H + k) * H + j];
#end
        }
        receive(first + i, j, e);
      }
    }
  }
}`;
