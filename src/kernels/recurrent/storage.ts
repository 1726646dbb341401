import { wgsl } from "../../gpu/index.ts";
import {
  type Backward,
  backwardArrays,
  backwardBindings,
  byFours,
  type Forward,
  forwardArrays,
  forwardBindings,
} from "./arrays.ts";
import type { Cell } from "./cells.ts";
import { backwardHooks, forwardHooks } from "./hooks.ts";

/*
 * The state goes from step to step through storage, and nothing through workgroup memory: ahead of each product with Wₕ a
 * `storageBarrier` waits for what the others of the workgroup wrote. A thread computes four neighboring hidden units of 8 or 4
 * examples at a time, then the next four that are its own; a number read from the weights serves its examples, and one of h all
 * gates. On the way back, at each step, it computes the gradients of its units' gates from what they kept, and behind the
 * barrier what reaches its units through Wₕ from the gates of all.
 *   rows8   16 threads a workgroup, all with the same 8 examples: the fewest reads. The right one for devices that compute on the
 *           CPU and have no subgroups; with them quads.ts reads less
 *   rows4   64 threads a workgroup with 8 examples, 4 a thread: for GPUs, where shared.ts does not do (more than 512 hidden units, or
 *           a cell with two products a step)
 *   barrierFree  4 threads a workgroup, each with 4 examples of its own and all of their units: no barriers. No device's default;
 *           `engine.tune` takes it where barriers are slow and batches large
 */

export interface Storage {
  threads: number;
  /** Examples of a workgroup, and of a thread. */
  examples: number;
  perThread: number;
}
export const variants = {
  rows8: { threads: 16, examples: 8, perThread: 8 },
  rows4: { threads: 64, examples: 8, perThread: 4 },
  barrierFree: { threads: 4, examples: 16, perThread: 4 },
} as const satisfies Record<string, Storage>;

interface Vectors {
  /** H is a multiple of 4: rows can be read as vec4f. */
  vector: boolean;
}

/**
 * The examples of a thread are first … first + PER_THREAD − 1; neighbors have the same units. barrier() waits for what other
 * threads of the workgroup wrote; where each has its examples for itself, there is nothing to wait for.
 */
const split = ({ threads, examples, perThread }: Storage): string => wgsl`
const THREADS = ${threads}u;
const EXAMPLES = ${examples}u;
const PER_THREAD = ${perThread}u;
fn firstOf(group: u32, thread: u32) -> u32 { return group * EXAMPLES + thread % (EXAMPLES / PER_THREAD) * PER_THREAD; }
const UNITS_AT_ONCE = 4 * THREADS * PER_THREAD / EXAMPLES;
fn firstUnit(thread: u32) -> u32 { return 4 * (thread / (EXAMPLES / PER_THREAD)); }
fn barrier() {
#if ${threads * perThread > examples}
  storageBarrier();
#endif
}`;

export const forward = (cell: Cell, v: Forward & Storage & Vectors): string => wgsl`
${forwardBindings(v, v.vector ? "vec4f" : "f32", v.vector ? "vec4f" : "f32")}
${byFours(v.vector, forwardArrays(v))}
${forwardHooks(cell, v, "vec4f")}
${split(v)}
${cell.products.map((_, i) => product(cell, i, v)).join("\n")}

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let first = firstOf(groupIndex(group), thread);
  for (var j = firstUnit(thread); j < params.H; j += UNITS_AT_ONCE) {
    for (var b = first; b < min(first + PER_THREAD, params.N); b++) { begin(b, j); }
  }
  for (var step = 0u; step < params.T; step++) {
#unroll source in [${cell.products.map(({ of }) => of)}]
    barrier();
    product_$source(step, first, thread);
#end
  }
}`;

/** The i-th product of a step, and what the cell makes of it. */
const product = (cell: Cell, i: number, { perThread }: Storage): string => {
  const { gates, of } = cell.products[i]!;
  return wgsl`
fn product_${of}(step: u32, first: u32, thread: u32) {
  let H = params.H;
  for (var j = firstUnit(thread); j < H; j += UNITS_AT_ONCE) {
    // p_gate_i: of the thread's example i.
    var anyLive = false;
#unroll i in ${perThread}
    let b$i = min(first + $i, params.N - 1);
    let at$i = stateAt(b$i, step) + ROW_${of} * H;
    anyLive |= step < lengthOf(b$i);
#unroll gate in [${gates}]
    var p_$gate_$i = Units();
#end
#end
    if (anyLive) {
      let j1 = min(j + 1, H - 1); let j2 = min(j + 2, H - 1); let j3 = min(j + 3, H - 1);
      for (var k = 0u; k < H; k += 4) {
#unroll i in ${perThread}
        let h$i = load_state(at$i, k);
#end
#unroll gate in [${gates}]
        {
          let w0 = load_w((GATE_$gate * H + j) * H, k); let w1 = load_w((GATE_$gate * H + j1) * H, k);
          let w2 = load_w((GATE_$gate * H + j2) * H, k); let w3 = load_w((GATE_$gate * H + j3) * H, k);
#unroll i in ${perThread}
          p_$gate_$i += Units(dot(w0, h$i), dot(w1, h$i), dot(w2, h$i), dot(w3, h$i));
#end
        }
#end
      }
    }
    // From here on one example after another: written out, the rest would take some compilers seconds.
    var products: array<Gates, PER_THREAD>;
#unroll i in ${perThread}
#unroll gate in [${gates}]
    products[$i].$gate = p_$gate_$i;
#end
#end
    let bias = loadBias(j);
    for (var i = 0u; i < PER_THREAD && first + i < params.N; i++) {
#if ${i === cell.products.length - 1}
      advance(first + i, j, step, products[i], bias);
#else
      resetGate(first + i, j, step, products[i], bias);
#endif
    }
  }
}`;
};

export const backward = (cell: Cell, v: Backward & Storage & Vectors): string => wgsl`
${backwardBindings(v, v.vector ? "vec4f" : "f32")}
${byFours(v.vector, backwardArrays(v))}
${backwardHooks(cell, v, "vec4f")}
${split(v)}
${cell.products.map((_, i) => productBack(cell, i, v)).join("\n")}

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let first = firstOf(groupIndex(group), thread);
  for (var j = firstUnit(thread); j < params.H; j += UNITS_AT_ONCE) {
    for (var b = first; b < min(first + PER_THREAD, params.N); b++) { beginBack(b, j); }
  }
  for (var back = 0u; back < params.T; back++) {
    let step = params.T - 1 - back;
    for (var j = firstUnit(thread); j < params.H; j += UNITS_AT_ONCE) {
      for (var b = first; b < min(first + PER_THREAD, params.N); b++) { gradients(b, j, step); }
    }
#unroll source in [${cell.products.map(({ of }) => of).reverse()}]
    barrier();
    productBack_$source(step, first, thread);
#end
  }
}`;

/** The way back through the i-th product of a step: e = Σ dp · Wₕ over its gates. */
const productBack = (cell: Cell, i: number, { perThread }: Storage): string => {
  const { gates, of } = cell.products[i]!;
  return wgsl`
fn productBack_${of}(step: u32, first: u32, thread: u32) {
  let H = params.H;
  for (var j = firstUnit(thread); j < H; j += UNITS_AT_ONCE) {
    var anyLive = false;
#unroll i in ${perThread}
    let b$i = min(first + $i, params.N - 1);
    let live$i = (first + $i < params.N) & (step < lengthOf(b$i));
    let at$i = productAt(b$i, step);
    anyLive |= live$i;
    var e$i = Units();
#end
    if (anyLive) {
      for (var gate = GATE_${gates[0]!}; gate <= GATE_${gates.at(-1)!}; gate++) {
        for (var k = 0u; k < H; k += 4) {
          let row = (gate * H + k) * H;
          let last = GATES * H * H - H;
          let w0 = load_w(row, j); let w1 = load_w(min(row + H, last), j);
          let w2 = load_w(min(row + 2 * H, last), j); let w3 = load_w(min(row + 3 * H, last), j);
#unroll i in ${perThread}
          let dp$i = load_dgh(at$i + gate * H, k);
#end
#unroll i in ${perThread}
          e$i += dp$i.x * w0 + dp$i.y * w1 + dp$i.z * w2 + dp$i.w * w3;
#end
        }
      }
    }
#unroll i in ${perThread}
#if ${i === 0}
    if (live$i) { receive(b$i, j, e$i); }
#else
    if (live$i) { receiveReset(b$i, j, step, e$i); }
#endif
#end
  }
}`;
};
