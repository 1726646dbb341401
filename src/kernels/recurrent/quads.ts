import { wgsl } from "../../gpu/index.ts";
import { subgroups } from "../snippets.ts";
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
 * A workgroup of 16 threads, four quads, takes 8 examples through all steps. As in the variant `rows8` of storage.ts a thread
 * computes four neighboring hidden units of all 8 at a time, then the next four that are its own, through storage and without
 * workgroup memory; but of h (on the way back, of the gates' gradients) each thread of a quad reads two of the 8 examples for
 * all four, and they tell one another (`quadBroadcast`). Weights each thread reads for itself.
 *
 * A quad goes through the loops together: where there are not enough units for all four threads, the last units are computed
 * more than once and stored once (`mine`).
 *
 * The right variant for devices that compute on the CPU and have subgroups.
 */

export const EXAMPLES = 8;
const THREADS = 16;

interface Vectors {
  /** H is a multiple of 4: rows can be read as vec4f. */
  vector: boolean;
}

export const forward = (cell: Cell, v: Forward & Vectors): string => wgsl`
${subgroups}
${forwardBindings(v, v.vector ? "vec4f" : "f32", v.vector ? "vec4f" : "f32")}
${byFours(v.vector, forwardArrays(v))}
${forwardHooks(cell, v, "vec4f")}
const EXAMPLES = ${EXAMPLES}u;
const THREADS = ${THREADS}u;
${cell.products.map((_, i) => product(cell, i)).join("\n")}

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let first = groupIndex(group) * EXAMPLES;
  for (var j = 4 * thread; j < params.H; j += 4 * THREADS) {
    for (var b = first; b < min(first + EXAMPLES, params.N); b++) { begin(b, j); }
  }
  for (var step = 0u; step < params.T; step++) {
#unroll source in [${cell.products.map(({ of }) => of)}]
    storageBarrier();
    product_$source(step, first, thread);
#end
  }
}`;

/** The i-th product of a step, and what the cell makes of it. */
const product = (cell: Cell, i: number): string => {
  const { gates, of } = cell.products[i]!;
  return wgsl`
fn product_${of}(step: u32, first: u32, thread: u32) {
  let H = params.H;
  let units = (H + 3) / 4;
  for (var quad = thread - thread % 4; quad < units; quad += THREADS) {
    let mine = quad + thread % 4 < units;
    let j = 4 * min(quad + thread % 4, units - 1);
    // Where the state is that this thread reads: examples thread % 4 and 4 + thread % 4.
#unroll i in ${EXAMPLES / 4}
    let at$i = stateAt(min(first + $(4 * i) + thread % 4, params.N - 1), step) + ROW_${of} * H;
#end
    // p_gate_i: of example i.
    var anyLive = false;
#unroll i in ${EXAMPLES}
    anyLive |= step < lengthOf(min(first + $i, params.N - 1));
#unroll gate in [${gates}]
    var p_$gate_$i = Units();
#end
#end
    if (anyLive) {
      let j1 = min(j + 1, H - 1); let j2 = min(j + 2, H - 1); let j3 = min(j + 3, H - 1);
      for (var k = 0u; k < H; k += 4) {
#unroll i in ${EXAMPLES / 4}
        let own$i = load_state(at$i, k);
#end
#unroll i in ${EXAMPLES}
        let h$i = quadBroadcast(own$(i / 4), $(i % 4));
#end
#unroll gate in [${gates}]
        {
          let w0 = load_w((GATE_$gate * H + j) * H, k); let w1 = load_w((GATE_$gate * H + j1) * H, k);
          let w2 = load_w((GATE_$gate * H + j2) * H, k); let w3 = load_w((GATE_$gate * H + j3) * H, k);
#unroll i in ${EXAMPLES}
          p_$gate_$i += Units(dot(w0, h$i), dot(w1, h$i), dot(w2, h$i), dot(w3, h$i));
#end
        }
#end
      }
    }
    // From here on one example after another: written out, the rest would take some compilers seconds.
    var products: array<Gates, EXAMPLES>;
#unroll i in ${EXAMPLES}
#unroll gate in [${gates}]
    products[$i].$gate = p_$gate_$i;
#end
#end
    let bias = loadBias(j);
    for (var i = 0u; i < EXAMPLES && first + i < params.N && mine; i++) {
#if ${i === cell.products.length - 1}
      advance(first + i, j, step, products[i], bias);
#else
      resetGate(first + i, j, step, products[i], bias);
#endif
    }
  }
}`;
};

export const backward = (cell: Cell, v: Backward & Vectors): string => wgsl`
${subgroups}
${backwardBindings(v, v.vector ? "vec4f" : "f32")}
${byFours(v.vector, backwardArrays(v))}
${backwardHooks(cell, v, "vec4f")}
const EXAMPLES = ${EXAMPLES}u;
const THREADS = ${THREADS}u;
${cell.products.map((_, i) => productBack(cell, i)).join("\n")}

@compute @workgroup_size(THREADS)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let first = groupIndex(group) * EXAMPLES;
  for (var j = 4 * thread; j < params.H; j += 4 * THREADS) {
    for (var b = first; b < min(first + EXAMPLES, params.N); b++) { beginBack(b, j); }
  }
  for (var back = 0u; back < params.T; back++) {
    let step = params.T - 1 - back;
    for (var j = 4 * thread; j < params.H; j += 4 * THREADS) {
      for (var b = first; b < min(first + EXAMPLES, params.N); b++) { gradients(b, j, step); }
    }
#unroll source in [${cell.products.map(({ of }) => of).reverse()}]
    storageBarrier();
    productBack_$source(step, first, thread);
#end
  }
}`;

/** The way back through the i-th product of a step: e = Σ dp · Wₕ over its gates. */
const productBack = (cell: Cell, i: number): string => {
  const { gates, of } = cell.products[i]!;
  return wgsl`
fn productBack_${of}(step: u32, first: u32, thread: u32) {
  let H = params.H;
  let units = (H + 3) / 4;
  for (var quad = thread - thread % 4; quad < units; quad += THREADS) {
    let mine = quad + thread % 4 < units;
    let j = 4 * min(quad + thread % 4, units - 1);
#unroll i in ${EXAMPLES / 4}
    let at$i = productAt(min(first + $(4 * i) + thread % 4, params.N - 1), step);
#end
    var anyLive = false;
#unroll i in ${EXAMPLES}
    let live$i = (first + $i < params.N) & (step < lengthOf(min(first + $i, params.N - 1)));
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
#unroll i in ${EXAMPLES / 4}
          let own$i = load_dgh(at$i + gate * H, k);
#end
#unroll i in ${EXAMPLES}
          let dp$i = quadBroadcast(own$(i / 4), $(i % 4));
          e$i += dp$i.x * w0 + dp$i.y * w1 + dp$i.z * w2 + dp$i.w * w3;
#end
        }
      }
    }
#unroll i in ${EXAMPLES}
#if ${i === 0}
    if (live$i & mine) { receive(first + $i, j, e$i); }
#else
    if (live$i & mine) { receiveReset(first + $i, j, step, e$i); }
#endif
#end
  }
}`;
};
