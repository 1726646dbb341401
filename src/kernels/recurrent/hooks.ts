import { wgsl } from "../../gpu/index.ts";
import type { Backward, Forward, Recurrence } from "./arrays.ts";
import { type Cell, functions } from "./cells.ts";

/*
 * From a variant's `main` to an equation: main and its product with Wₕ (each variant's own) → advance, gradients (here) → forward, backward of a
 * cell (cells.ts).
 *
 * What all variants of a recurrence do alike, as WGSL functions of one example b and its hidden units from j on at one step. A
 * variant brings how arrays are read and written, load_…(place, j) and store_…(place, j, value).
 */

const numbered = (letter: string, names: readonly string[]): string =>
  names.map((name, i) => `const ${letter}_${name} = ${i}u;`).join(" ");

/** The cell, its types, and where things are: the arrays' rows are of H numbers. */
const cellAndPlaces = (cell: Cell, { lengths, reverse }: Recurrence, units: "vec4f" | "f32"): string => wgsl`
${functions(units)}
// Which of a cell's gates a letter is, and which row of the state.
${numbered("GATE", cell.gates)}
${numbered("ROW", [...cell.carried, ...cell.kept])}
const GATES = ${cell.gates.length}u;
const ROWS_OF_STATE = ${cell.carried.length + cell.kept.length}u;
struct Gates {
#unroll gate in [${cell.gates}]
  $gate: Units,
#end
}
struct Carried {
#unroll name in [${cell.carried}]
  $name: Units,
#end
}
struct State {
#unroll name in [${[...cell.carried, ...cell.kept]}]
  $name: Units,
#end
}
struct Step { after: Carried, state: State }
struct Gradients { x: Gates, p: Gates, before: Carried }
struct Reset { r: Units, h: Units }
${cell.wgsl}

// How many steps example b has, and which time its step is.
fn lengthOf(b: u32) -> u32 {
#if ${lengths}
  return min(lengths[b], params.T);
#else
  return params.T;
#endif
}
fn timeOf(step: u32, length: u32) -> u32 {
#if ${reverse}
  return select(step, length - 1 - step, step < length);
#else
  return step;
#endif
}
// Of state [N, T + 1, ROWS_OF_STATE, H], gx and dgx [N, T, GATES, H], dgh [N, T + 1, GATES, H].
fn stateAt(b: u32, step: u32) -> u32 { return (b * (params.T + 1) + step) * ROWS_OF_STATE * params.H; }
fn inputAt(b: u32, time: u32) -> u32 { return (b * params.T + time) * GATES * params.H; }
fn productAt(b: u32, step: u32) -> u32 { return (b * (params.T + 1) + step) * GATES * params.H; }
fn loadState(at: u32, j: u32) -> State {
  let H = params.H;
  return State(
#unroll name in [${[...cell.carried, ...cell.kept]}]
    load_state(at + ROW_$name * H, j),
#end
  );
}`;

/**
 *   begin(b, j)                     the first state
 *   advance(b, j, step, p, bias)    a step, from the products p of each gate; returns h′
 *   resetGate(b, j, step, p, bias)  ahead of it, where the cell has two products
 *   loadBias(j)                     of each gate
 */
export const forwardHooks = (cell: Cell, v: Forward, units: "vec4f" | "f32"): string => wgsl`
${cellAndPlaces(cell, v, units)}
fn loadBias(j: u32) -> Gates {
#if ${v.bias}
  let H = params.H;
  return Gates(
#unroll gate in [${cell.gates}]
    load_bias(GATE_$gate * H, j),
#end
  );
#else
  return Gates();
#endif
}
fn loadInput(at: u32, j: u32) -> Gates {
  let H = params.H;
  return Gates(
#unroll gate in [${cell.gates}]
    load_gx(at + GATE_$gate * H, j),
#end
  );
}
fn begin(b: u32, j: u32) {
  let H = params.H;
#unroll name in [${cell.carried}]
#if ${v.h0}
  store_state(stateAt(b, 0) + ROW_$name * H, j, load_h0((ROW_$name * params.N + b) * H, j));
#else
  store_state(stateAt(b, 0) + ROW_$name * H, j, Units());
#endif
#end
#if ${cell.products.length > 1}
  // The weight gradient is a product with all of it, where 0 times what an unwritten place holds may be NaN.
  store_state(stateAt(b, params.T) + ROW_${cell.products.at(-1)!.of} * H, j, Units());
#endif
}
#if ${cell.products.length > 1}
fn resetGate(b: u32, j: u32, step: u32, p: Gates, bias: Gates) {
  let H = params.H;
  let length = lengthOf(b);
  let at = stateAt(b, step);
  var state = State();
  if (step < length) {
    state.h = load_state(at, j);
    state = reset(loadInput(inputAt(b, timeOf(step, length)), j), p, bias, state);
  }
  // Zeros where there is no step, for the same reason.
#unroll name in [${cell.kept}]
  store_state(at + ROW_$name * H, j, state.$name);
#end
}
#endif
fn advance(b: u32, j: u32, step: u32, p: Gates, bias: Gates) -> Units {
  let H = params.H;
  let length = lengthOf(b);
  let live = step < length;
  let time = timeOf(step, length);
  let at = stateAt(b, step);
#if ${cell.products.length > 1}
  var state = loadState(at, j);
#else
  var state = State();
#unroll name in [${cell.carried}]
  state.$name = load_state(at + ROW_$name * H, j);
#end
#endif
  var after: Carried;
#unroll name in [${cell.carried}]
  after.$name = state.$name;
#end
  if (live) {
    let done = forward(loadInput(inputAt(b, time), j), p, bias, state);
    after = done.after;
    state = done.state;
#unroll name in [${cell.kept}]
    store_state(at + ROW_$name * H, j, state.$name);
#end
  }
#unroll name in [${cell.carried}]
  store_state(at + (ROWS_OF_STATE + ROW_$name) * H, j, after.$name);
  if (step == params.T - 1) { store_hidden((ROW_$name * params.N + b) * H, j, after.$name); }
#end
  store_y((b * params.T + time) * H, j, select(Units(), after.h, live));
  return after.h;
}`;

/**
 *   beginBack(b, j)                 the gradient of the last state
 *   gradients(b, j, step)           of a step's gates, but for what comes through Wₕ; returns those of its products
 *   receive(b, j, e)                what came through Wₕ: the gradient of the h that it was multiplied with
 *   receiveReset(b, j, step, e)     likewise of r ⊙ h, where the cell has two products
 */
export const backwardHooks = (cell: Cell, v: Backward, units: "vec4f" | "f32"): string => wgsl`
${cellAndPlaces(cell, v, units)}
fn beginBack(b: u32, j: u32) {
  let H = params.H;
#unroll name in [${cell.carried}]
#if ${v.dhidden}
  store_dh((ROW_$name * params.N + b) * H, j, load_dhidden((ROW_$name * params.N + b) * H, j));
#else
  store_dh((ROW_$name * params.N + b) * H, j, Units());
#endif
#end
  // No product follows the last step: zeros to match the state there.
#unroll gate in [${cell.gates}]
  store_dgh(productAt(b, params.T) + GATE_$gate * H, j, Units());
#end
}
fn gradients(b: u32, j: u32, step: u32) -> Gates {
  let H = params.H;
  let length = lengthOf(b);
  let time = timeOf(step, length);
  var g = Gradients();
  if (step < length) {
    var after: Carried;
    var d: Carried;
#unroll name in [${cell.carried}]
    after.$name = load_state(stateAt(b, step + 1) + ROW_$name * H, j);
    d.$name = load_dh((ROW_$name * params.N + b) * H, j);
#end
#if ${v.dy}
    d.h += load_dy((b * params.T + time) * H, j);
#endif
    g = backward(loadState(stateAt(b, step), j), after, d);
#unroll name in [${cell.carried}]
    store_dh((ROW_$name * params.N + b) * H, j, g.before.$name);
#end
  }
#unroll gate in [${cell.gates}]
  store_dgx(inputAt(b, time) + GATE_$gate * H, j, g.x.$gate);
  store_dgh(productAt(b, step) + GATE_$gate * H, j, g.p.$gate);
#end
  return g.p;
}
fn receive(b: u32, j: u32, e: Units) {
  let at = b * params.H;
  store_dh(at, j, load_dh(at, j) + e);
}
#if ${cell.products.length > 1}
fn receiveReset(b: u32, j: u32, step: u32, e: Units) {
  let d = backwardReset(e, loadState(stateAt(b, step), j));
  store_dgx(inputAt(b, timeOf(step, lengthOf(b))) + GATE_r * params.H, j, d.r);
  store_dgh(productAt(b, step) + GATE_r * params.H, j, d.r);
  receive(b, j, d.h);
}
#endif`;
