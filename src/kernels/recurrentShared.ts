import { wgsl } from "../gpu/index.ts";
import { type Cell, helpers } from "./cells.ts";

/*
 * A recurrence with what its threads tell each other in workgroup memory, for GPUs: a workgroup takes one or two examples
 * through all steps, a thread computes every so many hidden units of them. Buffers that alternate from step to step need
 * one barrier a step. Only for cells whose products are all with h. Bindings and layouts are those of the other ways.
 */

export interface Variant extends Record<string, boolean | number> {
  lengths: boolean;
  reverse: boolean;
  /** Threads of a workgroup, and its examples. */
  lanes: number;
  rows: number;
  /** Hidden units that there is room for. */
  room: number;
}

/** Hidden units that fit into 16 KiB of workgroup memory on the way back. */
const MOST = 512;

/** Sizes of a workgroup for a cell and a hidden size; undefined where this is no way to do it. */
export function fitted(cell: Cell, H: number): { lanes: number; rows: number; room: number } | undefined {
  if (H > MOST || cell.forward.length > 1) return undefined;
  const room = Math.max(64, 2 ** Math.ceil(Math.log2(H)));
  return { lanes: Math.min(room, 256), rows: room > 256 ? 1 : 2, room };
}

const load = (array: string) => /* wgsl */ `
fn load_${array}(at: u32, j: u32) -> f32 { return ${array}[at + j]; }`;
const store = (array: string) => /* wgsl */ `
fn store_${array}(at: u32, j: u32, v: f32) { ${array}[at + j] = v; }`;
const all = (n: number, text: (g: number) => string) => Array.from({ length: n }, (_, g) => text(g)).join(" ");

/** A loop over a workgroup's examples, with what is to be known of one at its step. */
const examples = (cell: Cell, v: Variant) => /* wgsl */ `for (var i = 0u; i < ${v.rows}; i++) {
      let n = group * ${v.rows} + i;
      if (n >= s.N) { break; }
      let length = ${v.lengths ? "min(lengths[n], s.T)" : "s.T"};
      let live = step < length;
      let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
      let at = (n * (s.T + 1) + step) * row;
      let x = (n * s.T + t) * ${cell.gates} * H;`;

export const forward = (cell: Cell, v: Variant & { vector: boolean; bias: boolean; h0: boolean }): string => {
  const { gates: G, state: S, carried } = cell;
  const outputs = 2 + Number(v.bias) + Number(v.lengths) + Number(v.h0);
  const width = v.vector ? 4 : 1;
  return wgsl`
struct Sizes { N: u32, T: u32, H: u32 }
alias Numbers = ${v.vector ? "vec4f" : "f32"};
@group(0) @binding(0) var<storage, read> gx: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Numbers>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<f32>;
#endif
#if ${v.lengths}
@group(0) @binding(${2 + Number(v.bias)}) var<storage, read> lengths: array<u32>;
#endif
#if ${v.h0}
@group(0) @binding(${outputs - 1}) var<storage, read> first_h: array<f32>;
#endif
@group(0) @binding(${outputs}) var<storage, read_write> state: array<f32>;
@group(0) @binding(${outputs + 1}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${outputs + 2}) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(${outputs + 3}) var<uniform> s: Sizes;
// h of each example, before a step and after it by turns.
var<workgroup> shared_h: array<f32, ${2 * v.rows * v.room}>;
${load("gx")}${load("state")}${store("state")}
${helpers("f32")}
fn known(at: u32) -> Numbers {
#if ${v.vector}
  return vec4f(shared_h[at], shared_h[at + 1], shared_h[at + 2], shared_h[at + 3]);
#else
  return shared_h[at];
#endif
}
fn times(a: Numbers, b: Numbers) -> f32 { return ${v.vector ? "dot(a, b)" : "a * b"}; }

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let group = wg.x + wg.y * wgs.x;
  let row = ${S} * H;
  let wide = H / ${width};
  for (var i = 0u; i < ${v.rows}; i++) {
    let n = group * ${v.rows} + i;
    if (n >= s.N) { break; }
    for (var j = lane; j < H; j += ${v.lanes}) {
      for (var k = 0u; k < ${carried}; k++) {
        state[n * (s.T + 1) * row + k * H + j] = ${v.h0 ? "first_h[(k * s.N + n) * H + j]" : "0"};
      }
      shared_h[i * ${v.room} + j] = state[n * (s.T + 1) * row + j];
    }
  }
  for (var step = 0u; step < s.T; step++) {
    workgroupBarrier();
    let now = step % 2 * ${v.rows * v.room};
    let after = ${v.rows * v.room} - now;
    ${examples(cell, v)}
      for (var j = lane; j < H; j += ${v.lanes}) {
        let h = shared_h[now + i * ${v.room} + j];
        var next = h;
        if (live) {
          ${all(G, (g) => `var p${g} = 0.0; let b${g} = ${v.bias ? `b[${g} * H + j]` : "0.0"};`)}
          for (var k = 0u; k < wide; k++) {
            let hk = known(now + i * ${v.room} + k * ${width});
            ${all(G, (g) => `p${g} += times(w[(${g} * H + j) * wide + k], hk);`)}
          }
          ${cell.forward[0]!.body}
        } else {
          for (var k = 1u; k < ${carried}; k++) { state[at + row + k * H + j] = state[at + k * H + j]; }
        }
        shared_h[after + i * ${v.room} + j] = next;
        state[at + row + j] = next;
        y[(n * s.T + t) * H + j] = select(0.0, next, live);
        if (step == s.T - 1) {
          for (var k = 0u; k < ${carried}; k++) { hidden[(k * s.N + n) * H + j] = state[at + row + k * H + j]; }
        }
      }
    }
  }
}`;
};

export const backward = (cell: Cell, v: Variant & { dy: boolean; dhidden: boolean }): string => {
  const { gates: G, state: S, carried } = cell;
  const { body, dx, dp } = cell.backward;
  const reads = 2 + Number(v.lengths) + Number(v.dy) + Number(v.dhidden);
  return wgsl`
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
#if ${v.lengths}
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
#endif
#if ${v.dy}
@group(0) @binding(${2 + Number(v.lengths)}) var<storage, read> dy: array<f32>;
#endif
#if ${v.dhidden}
@group(0) @binding(${reads - 1}) var<storage, read> dhidden: array<f32>;
#endif
@group(0) @binding(${reads}) var<storage, read_write> dgx: array<f32>;
@group(0) @binding(${reads + 1}) var<storage, read_write> dgh: array<f32>;
@group(0) @binding(${reads + 2}) var<storage, read_write> dh: array<f32>;
@group(0) @binding(${reads + 3}) var<uniform> s: Sizes;
// The gradients of the gates' products, of one step and the next by turns.
var<workgroup> shared_dp: array<f32, ${2 * v.rows * G * v.room}>;
${load("state")}${load("dh")}${store("dh")}
${helpers("f32")}

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let group = wg.x + wg.y * wgs.x;
  let row = ${S} * H;
  for (var i = 0u; i < ${v.rows}; i++) {
    let n = group * ${v.rows} + i;
    if (n >= s.N) { break; }
    for (var j = lane; j < H; j += ${v.lanes}) {
      for (var k = 0u; k < ${carried}; k++) {
        dh[(k * s.N + n) * H + j] = ${v.dhidden ? "dhidden[(k * s.N + n) * H + j]" : "0"};
      }
      for (var g = 0u; g < ${G}; g++) { dgh[((n * (s.T + 1) + s.T) * ${G} + g) * H + j] = 0; }
    }
  }
  for (var back = 0u; back < s.T; back++) {
    let step = s.T - 1 - back;
    let turn = step % 2 * ${v.rows * G * v.room};
    ${examples(cell, v)}
      let gh = (n * (s.T + 1) + step) * ${G} * H;
      let mine = turn + i * ${G * v.room};
      for (var j = lane; j < H; j += ${v.lanes}) {
        ${[...new Set([...dx, ...dp])].map((name) => `var ${name} = 0.0;`).join(" ")}
        if (live) {
          let d = dh[n * H + j]${v.dy ? " + dy[(n * s.T + t) * H + j]" : ""};
          ${body}
        }
        ${all(G, (g) => `dgx[x + ${g} * H + j] = ${dx[g]}; dgh[gh + ${g} * H + j] = ${dp[g]}; shared_dp[mine + ${g * v.room} + j] = ${dp[g]};`)}
      }
    }
    workgroupBarrier();
    // dh += dp · w_hh; neighbouring threads read neighbouring weights.
    ${examples(cell, v)}
      if (!live) { continue; }
      let mine = turn + i * ${G * v.room};
      for (var j = lane; j < H; j += ${v.lanes}) {
        var e = 0.0;
        for (var k = 0u; k < H; k++) { ${all(G, (g) => `e += shared_dp[mine + ${g * v.room} + k] * w[(${g} * H + k) * H + j];`)} }
        ${cell.backward.products[0]!.body}
      }
    }
  }
}`;
};
