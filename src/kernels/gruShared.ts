import { kernel, wgsl } from "../gpu/index.ts";

/*
 * The GRU's recurrence with what its threads tell each other in workgroup memory, for GPUs: a workgroup takes one or two
 * examples through all steps, a thread computes every so many hidden units of them. Buffers that alternate from step to
 * step need one barrier a step. Bindings and layouts are those of gru.ts.
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
export const MOST = 512;

/** Sizes of a workgroup for a hidden size. */
export function fitted(H: number): { lanes: number; rows: number; room: number } {
  const room = Math.max(64, 2 ** Math.ceil(Math.log2(H)));
  return { lanes: Math.min(room, 256), rows: room > 256 ? 1 : 2, room };
}

const sigmoid = /* wgsl */ `fn sigmoid(x: f32) -> f32 { return 1 / (1 + exp(-x)); }`;
const times = (v: Variant) => /* wgsl */ `let length = ${v.lengths ? "min(lengths[n], s.T)" : "s.T"};`;

export const forward = kernel("gru.shared", (v: Variant & { vector: boolean; bias: boolean; h0: boolean }) => {
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
@group(0) @binding(${outputs - 1}) var<storage, read> h0: array<f32>;
#endif
@group(0) @binding(${outputs}) var<storage, read_write> state: array<f32>;
@group(0) @binding(${outputs + 1}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${outputs + 2}) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(${outputs + 3}) var<uniform> s: Sizes;
// h of each example, before a step and after it by turns.
var<workgroup> h: array<f32, ${2 * v.rows * v.room}>;

${sigmoid}
fn known(at: u32) -> Numbers {
#if ${v.vector}
  return vec4f(h[at], h[at + 1], h[at + 2], h[at + 3]);
#else
  return h[at];
#endif
}
fn times(a: Numbers, b: Numbers) -> f32 { return ${v.vector ? "dot(a, b)" : "a * b"}; }

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let row = H / ${width};
  for (var i = 0u; i < ${v.rows}; i++) {
    let n = group.x * ${v.rows} + i;
    if (n >= s.N) { break; }
    for (var j = lane; j < H; j += ${v.lanes}) {
      let first = ${v.h0 ? "h0[n * H + j]" : "0.0"};
      h[i * ${v.room} + j] = first;
      state[n * (s.T + 1) * 5 * H + j] = first;
    }
  }
  for (var step = 0u; step < s.T; step++) {
    workgroupBarrier();
    let now = step % 2 * ${v.rows * v.room};
    let after = ${v.rows * v.room} - now;
    for (var i = 0u; i < ${v.rows}; i++) {
      let n = group.x * ${v.rows} + i;
      if (n >= s.N) { break; }
      ${times(v)}
      let live = step < length;
      let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
      let at = (n * (s.T + 1) + step) * 5 * H;
      for (var j = lane; j < H; j += ${v.lanes}) {
        let before = h[now + i * ${v.room} + j];
        var next = before;
        if (live) {
          var r = 0.0; var z = 0.0; var c = 0.0;
          for (var k = 0u; k < row; k++) {
            let hk = known(now + i * ${v.room} + k * ${width});
            r += times(w[j * row + k], hk);
            z += times(w[(H + j) * row + k], hk);
            c += times(w[(2 * H + j) * row + k], hk);
          }
#if ${v.bias}
          r += b[j]; z += b[H + j]; c += b[2 * H + j];
#endif
          let x = (n * s.T + t) * 3 * H + j;
          r = sigmoid(gx[x] + r);
          z = sigmoid(gx[x + H] + z);
          let new_ = tanh(clamp(gx[x + 2 * H] + r * c, -15.0, 15.0));
          next = (1 - z) * new_ + z * before;
          state[at + H + j] = r;
          state[at + 2 * H + j] = z;
          state[at + 3 * H + j] = new_;
          state[at + 4 * H + j] = c;
        }
        h[after + i * ${v.room} + j] = next;
        state[at + 5 * H + j] = next;
        y[(n * s.T + t) * H + j] = select(0.0, next, live);
        if (step == s.T - 1) { hidden[n * H + j] = next; }
      }
    }
  }
}`;
});

export const backward = kernel("gru.backward.shared", (v: Variant & { dy: boolean; dhidden: boolean }) => {
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
// The gradients of the three gates, of one step and the next by turns.
var<workgroup> dg: array<f32, ${2 * v.rows * 3 * v.room}>;

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  for (var i = 0u; i < ${v.rows}; i++) {
    let n = group.x * ${v.rows} + i;
    if (n >= s.N) { break; }
    for (var j = lane; j < H; j += ${v.lanes}) {
      dh[n * H + j] = ${v.dhidden ? "dhidden[n * H + j]" : "0.0"};
      for (var g = 0u; g < 3; g++) { dgh[((n * (s.T + 1) + s.T) * 3 + g) * H + j] = 0; }
    }
  }
  for (var back = 0u; back < s.T; back++) {
    let step = s.T - 1 - back;
    let turn = step % 2 * ${v.rows * 3 * v.room};
    for (var i = 0u; i < ${v.rows}; i++) {
      let n = group.x * ${v.rows} + i;
      if (n >= s.N) { break; }
      ${times(v)}
      let live = step < length;
      let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
      let at = (n * (s.T + 1) + step) * 5 * H;
      let gx = (n * s.T + t) * 3 * H;
      let gh = (n * (s.T + 1) + step) * 3 * H;
      let mine = turn + i * ${3 * v.room};
      for (var j = lane; j < H; j += ${v.lanes}) {
        var dr = 0.0; var dz = 0.0; var dn = 0.0; var dc = 0.0;
        if (live) {
          let d = dh[n * H + j]${v.dy ? " + dy[(n * s.T + t) * H + j]" : ""};
          let r = state[at + H + j];
          let z = state[at + 2 * H + j];
          let c = state[at + 3 * H + j];
          dn = d * (1 - z) * (1 - c * c);
          dz = d * (state[at + j] - c) * z * (1 - z);
          dr = dn * state[at + 4 * H + j] * r * (1 - r);
          dc = dn * r;
          dh[n * H + j] = d * z;
        }
        dgx[gx + j] = dr; dgx[gx + H + j] = dz; dgx[gx + 2 * H + j] = dn;
        dgh[gh + j] = dr; dgh[gh + H + j] = dz; dgh[gh + 2 * H + j] = dc;
        dg[mine + j] = dr; dg[mine + ${v.room} + j] = dz; dg[mine + ${2 * v.room} + j] = dc;
      }
    }
    workgroupBarrier();
    // dh += dgh · w_hh; neighbouring threads read neighbouring weights.
    for (var i = 0u; i < ${v.rows}; i++) {
      let n = group.x * ${v.rows} + i;
      if (n >= s.N) { break; }
      ${times(v)}
      if (step >= length) { continue; }
      let mine = turn + i * ${3 * v.room};
      for (var j = lane; j < H; j += ${v.lanes}) {
        var d = 0.0;
        for (var k = 0u; k < H; k++) {
          d += dg[mine + k] * w[k * H + j] + dg[mine + ${v.room} + k] * w[(H + k) * H + j] + dg[mine + ${2 * v.room} + k] * w[(2 * H + k) * H + j];
        }
        dh[n * H + j] += d;
      }
    }
  }
}`;
});
