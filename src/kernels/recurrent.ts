import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { concat } from "./concat.ts";
import { expectLengths } from "./gru.ts";
import { matrixProduct } from "./matmul.ts";
import { expect, expectFloat, expectRank, fresh, type Op, reshaped, show, type Value } from "./op.ts";
import { stridedCopy } from "./strided.ts";

/*
 * The simpler recurrences over x [N, T, I], with PyTorch's names: w_ih [G·H, I], w_hh [G·H, H], b_ih, b_hh [G·H].
 *   rnn   h′ = f(Wᵢ x + bᵢ + Wₕ h + bₕ), f tanh or ReLU                                  G = 1 (Elman 1990)
 *   lstm  i, f, o = σ(…), g = tanh(…) of the same sums, gates in the order i, f, g, o     G = 4
 *         c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′)                       (Hochreiter and Schmidhuber 1997; Gers 2000)
 *   gru whose reset gate comes before the recurrent product (Cho et al. 2014)            G = 3
 *         n = tanh(Wᵢₙ x + bᵢₙ + Wₕₙ (r ⊙ h) + bₕₙ),  h′ = (1 − z) ⊙ n + z ⊙ h
 *
 * As in gru.ts, Wᵢ x + bᵢ is one product over all times and the recurrence one dispatch each way; a workgroup takes ROWS
 * examples through all of their steps. `state` [N, T + 1, S·H] holds, by step: h before the step, then what the way back
 * needs. An example's state does not change from its length on.
 */

export type Cell = "tanh" | "relu" | "lstm" | "gruBefore";
const LANES = 64;
const ROWS = 4;

/** Gates, and numbers of `state` for each hidden unit: h, the gates' values, and the cell (lstm) or r ⊙ h (gru). */
const GATES = { tanh: 1, relu: 1, lstm: 4, gruBefore: 3 } as const;
const STATE = { tanh: 1, relu: 1, lstm: 6, gruBefore: 5 } as const;

/** What both ways begin with: who works on what. `each` runs once for every hidden unit of every example. */
const walk = (body: string) => /* wgsl */ `
    for (var u = lane; u < ${ROWS} * H; u += ${LANES}) {
      let j = u % H;
      let n = group.x * ${ROWS} + u / H;
      if (n < s.N) {
        ${body}
      }
    }`;

const helpers = /* wgsl */ `
fn sigmoid(x: f32) -> f32 { return 1 / (1 + exp(-x)); }
fn squash(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }
// A row of w_hh times the numbers of state that begin at "first".
fn product(row: u32, first: u32) -> f32 {
  var sum = b[row];
  for (var k = 0u; k < s.H; k++) { sum += w[row * s.H + k] * state[first + k]; }
  return sum;
}`;

const step: Record<Cell, string> = {
  tanh: "let next = squash(gx[x + j] + product(j, at));",
  relu: "let next = max(gx[x + j] + product(j, at), 0.0);",
  lstm: `
        let i = sigmoid(gx[x + j] + product(j, at));
        let f = sigmoid(gx[x + H + j] + product(H + j, at));
        let g = squash(gx[x + 2 * H + j] + product(2 * H + j, at));
        let o = sigmoid(gx[x + 3 * H + j] + product(3 * H + j, at));
        let c = f * state[at + 5 * H + j] + i * g;
        let next = o * squash(c);
        state[at + H + j] = i; state[at + 2 * H + j] = f; state[at + 3 * H + j] = g; state[at + 4 * H + j] = o;
        state[at + 11 * H + j] = c;`,
  gruBefore: `
        let z = state[at + 2 * H + j];
        let new_n = squash(gx[x + 2 * H + j] + product(2 * H + j, at + 4 * H));
        let next = (1 - z) * new_n + z * state[at + j];
        state[at + 3 * H + j] = new_n;`,
};

const forward = kernel(
  "recurrent",
  ({ cell, lengths, reverse }: { cell: Cell; lengths: boolean; reverse: boolean }) => wgsl`
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> gx: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> h0: array<f32>;
#if ${lengths}
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
#endif
@group(0) @binding(${lengths ? 5 : 4}) var<storage, read_write> state: array<f32>;
@group(0) @binding(${lengths ? 6 : 5}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${lengths ? 7 : 6}) var<storage, read_write> hidden: array<f32>;
@group(0) @binding(${lengths ? 8 : 7}) var<uniform> s: Sizes;
${helpers}

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let row = ${STATE[cell]} * H;
  ${walk(`let at = n * (s.T + 1) * row;
        state[at + j] = h0[n * H + j];
        ${cell === "lstm" ? "state[at + 5 * H + j] = h0[(s.N + n) * H + j];" : ""}`)}
  for (var step = 0u; step < s.T; step++) {
    storageBarrier();
#if ${cell === "gruBefore"}
    ${walk(`let at = (n * (s.T + 1) + step) * row;
        let length = ${lengths ? "min(lengths[n], s.T)" : "s.T"};
        if (step < length) {
          let x = (n * s.T + ${reverse ? "length - 1 - step" : "step"}) * 3 * H;
          let r = sigmoid(gx[x + j] + product(j, at));
          state[at + H + j] = r;
          state[at + 2 * H + j] = sigmoid(gx[x + H + j] + product(H + j, at));
          state[at + 4 * H + j] = r * state[at + j];
        }`)}
    storageBarrier();
#endif
    ${walk(`let at = (n * (s.T + 1) + step) * row;
        let length = ${lengths ? "min(lengths[n], s.T)" : "s.T"};
        if (step < length) {
          let t = ${reverse ? "length - 1 - step" : "step"};
          let x = (n * s.T + t) * ${GATES[cell]} * H;
          ${step[cell]}
          state[at + row + j] = next;
          y[(n * s.T + t) * H + j] = next;
        } else {
          state[at + row + j] = state[at + j];
          ${cell === "lstm" ? "state[at + row + 5 * H + j] = state[at + 5 * H + j];" : ""}
          y[(n * s.T + step) * H + j] = 0;
        }
        if (step == s.T - 1) {
          hidden[n * H + j] = state[at + row + j];
          ${cell === "lstm" ? "hidden[(s.N + n) * H + j] = state[at + row + 5 * H + j];" : ""}
        }`)}
  }
}`,
);

/** From d = dL/dh′ to the gradients of the sums inside the gates (\`dg\`), and to \`dh\`, what reaches h without Wₕ. */
const back: Record<Cell, string> = {
  tanh: `
          dg[gh + j] = d * (1 - next * next);
          dh[n * H + j] = 0;`,
  relu: `
          dg[gh + j] = select(0.0, d, next > 0);
          dh[n * H + j] = 0;`,
  lstm: `
          let i = state[at + H + j]; let f = state[at + 2 * H + j]; let g = state[at + 3 * H + j]; let o = state[at + 4 * H + j];
          let c = squash(state[at + row + 5 * H + j]);
          let dc = dh[(s.N + n) * H + j] + d * o * (1 - c * c);
          dg[gh + j] = dc * g * i * (1 - i);
          dg[gh + H + j] = dc * state[at + 5 * H + j] * f * (1 - f);
          dg[gh + 2 * H + j] = dc * i * (1 - g * g);
          dg[gh + 3 * H + j] = d * c * o * (1 - o);
          dh[n * H + j] = 0;
          dh[(s.N + n) * H + j] = dc * f;`,
  gruBefore: `
          let z = state[at + 2 * H + j]; let m = state[at + 3 * H + j];
          dg[gh + H + j] = d * (state[at + j] - m) * z * (1 - z);
          dg[gh + 2 * H + j] = d * (1 - z) * (1 - m * m);
          dh[n * H + j] = d * z;`,
};

const backward = kernel(
  "recurrent.backward",
  ({ cell, lengths, reverse }: { cell: Cell; lengths: boolean; reverse: boolean }) => wgsl`
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dhidden: array<f32>;
#if ${lengths}
@group(0) @binding(4) var<storage, read> lengths: array<u32>;
#endif
@group(0) @binding(${lengths ? 5 : 4}) var<storage, read_write> dgx: array<f32>;
@group(0) @binding(${lengths ? 6 : 5}) var<storage, read_write> dg: array<f32>;
@group(0) @binding(${lengths ? 7 : 6}) var<storage, read_write> dh: array<f32>;
@group(0) @binding(${lengths ? 8 : 7}) var<uniform> s: Sizes;
fn squash(x: f32) -> f32 { return tanh(clamp(x, -15.0, 15.0)); }

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let row = ${STATE[cell]} * H;
  ${walk(`dh[n * H + j] = dhidden[n * H + j];
        ${cell === "lstm" ? "dh[(s.N + n) * H + j] = dhidden[(s.N + n) * H + j];" : ""}
        for (var g = 0u; g < ${GATES[cell]}; g++) { dg[((n * (s.T + 1) + s.T) * ${GATES[cell]} + g) * H + j] = 0; }`)}
  for (var left = s.T; left > 0; left--) {
    let step = left - 1;
    ${walk(`let at = (n * (s.T + 1) + step) * row;
        let gh = (n * (s.T + 1) + step) * ${GATES[cell]} * H;
        let length = ${lengths ? "min(lengths[n], s.T)" : "s.T"};
        if (step < length) {
          let t = ${reverse ? "length - 1 - step" : "step"};
          let next = state[at + row + j];
          let d = dh[n * H + j] + dy[(n * s.T + t) * H + j];
          ${back[cell]}
        } else {
          for (var g = 0u; g < ${GATES[cell]}; g++) { dg[gh + g * H + j] = 0; }
        }`)}
    storageBarrier();
#if ${cell === "gruBefore"}
    // Through Wₕₙ to r ⊙ h, and from there to r and h.
    ${walk(`let at = (n * (s.T + 1) + step) * row;
        let gh = (n * (s.T + 1) + step) * 3 * H;
        var d = 0.0;
        for (var k = 0u; k < H; k++) { d += dg[gh + 2 * H + k] * w[(2 * H + k) * H + j]; }
        let r = state[at + H + j];
        if (step < ${lengths ? "min(lengths[n], s.T)" : "s.T"}) {
          dg[gh + j] = d * state[at + j] * r * (1 - r);
          dh[n * H + j] += d * r;
        }`)}
    storageBarrier();
#endif
    ${walk(`let length = ${lengths ? "min(lengths[n], s.T)" : "s.T"};
        let gh = (n * (s.T + 1) + step) * ${GATES[cell]} * H;
        let live = step < length;
        let t = ${reverse ? "select(step, length - 1 - step, live)" : "step"};
        for (var g = 0u; g < ${GATES[cell]}; g++) { dgx[((n * s.T + t) * ${GATES[cell]} + g) * H + j] = dg[gh + g * H + j]; }
        if (live) {
          var d = 0.0;
          for (var k = 0u; k < ${cell === "gruBefore" ? 2 : GATES[cell]} * H; k++) { d += dg[gh + k] * w[k * H + j]; }
          dh[n * H + j] += d;
        }`)}
    storageBarrier();
  }
}`,
);

export interface RecurrentOptions {
  cell: Cell;
  reverse?: boolean | undefined;
}

/**
 * Inputs: x, w_ih, w_hh, b_ih, b_hh, lengths (optional), h0 [N, H] (optional; of an lstm [2, N, H]: h0, then c0).
 * Outputs: output [N, T, H], hidden [N, H] ([2, N, H]: h, then c).
 */
export const recurrent: Op<RecurrentOptions> = (r, [x, wih, whh, bih, bhh, lengths, h0], { cell, reverse = false }) => {
  const op = cell === "lstm" ? "lstm" : cell === "gruBefore" ? "gru" : "rnn";
  expectFloat(op, "x", x!);
  expectRank(op, "x", x!, 3, "[N, T, I]");
  const [N, T, I] = x!.shape as [number, number, number];
  expectRank(op, "w_hh", whh!, 2, `[${GATES[cell]}H, H]`);
  const H = whh!.shape[1]!;
  const G = GATES[cell] * H;
  for (const [name, value, shape] of [
    ["w_ih", wih!, [G, I]],
    ["w_hh", whh!, [G, H]],
    ["b_ih", bih, [G]],
    ["b_hh", bhh, [G]],
    ["h0", h0, cell === "lstm" ? [2, N, H] : [N, H]],
  ] as const) {
    if (!value) continue;
    expectFloat(op, name, value);
    expect(
      show(value) === show(shape),
      op,
      () => `${name} is ${show(value)}, expected ${show(shape)} as x is ${show(x!)} and w_hh ${show(whh!)}.`,
    );
  }
  expect(
    (bih === undefined) === (bhh === undefined),
    op,
    () => "one bias is given and the other is not: give both or none.",
  );
  expect(T > 0, op, () => `x ${show(x!)} has no time steps, expected at least 1.`);
  expectLengths(op, lengths, N, T);
  const states = cell === "lstm" ? 2 : 1;
  const zeros = (...shape: number[]): Value => ({
    slot: r.upload(new Float32Array(shape.reduce((a, b) => a * b, 1))),
    shape,
    dtype: "f32",
  });
  const hiddenShape = states === 2 ? [2, N, H] : [N, H];
  const gx = matrixProduct(r, {
    a: x!,
    b: wih!,
    M: N * T,
    N: G,
    K: I,
    transposeB: true,
    bias: bih,
    examples: "M",
    shape: [N, T, G],
  }).c;
  const state = fresh(r, [N, T + 1, STATE[cell] * H]);
  const output = fresh(r, [N, T, H]);
  const hidden = fresh(r, hiddenShape);
  const perExample = lengths ? [lengths.slot] : [];
  const variant = { cell, lengths: lengths !== undefined, reverse };
  const rows: [number, number, number] = [Math.ceil(N / ROWS), 1, 1];
  r.dispatch({
    kernel: forward(variant),
    reads: [gx.slot, whh!.slot, (bhh ?? zeros(G)).slot, (h0 ?? zeros(...hiddenShape)).slot, ...perExample],
    writes: [state.slot, output.slot, hidden.slot],
    sizes: [N, T, H],
    grid: rows,
  });
  return {
    outputs: [output, hidden],
    backward: ([dy, dhidden], needs) => {
      const dgx = fresh(r, [N, T, G]);
      const dg = fresh(r, [N, T + 1, G]);
      const dh = fresh(r, hiddenShape);
      r.dispatch({
        kernel: backward(variant),
        reads: [
          state.slot,
          whh!.slot,
          (dy ?? zeros(N, T, H)).slot,
          (dhidden ?? zeros(...hiddenShape)).slot,
          ...perExample,
        ],
        writes: [dgx.slot, dg.slot, dh.slot],
        sizes: [N, T, H],
        grid: rows,
      });
      const input = weightGradient(r, dgx, x!, { rows: N * T, inputs: I, ldb: I, outputs: G });
      const recurrent = weightGradient(r, dg, state, {
        rows: N * (T + 1),
        inputs: H,
        ldb: STATE[cell] * H,
        outputs: G,
      });
      return [
        needs[0]
          ? matrixProduct(r, { a: dgx, b: wih!, M: N * T, N: I, K: G, shape: x!.shape, examples: "M" }).c
          : undefined,
        input.c,
        cell === "gruBefore" ? withReset(r, recurrent.c, dg, state, H) : recurrent.c,
        input.sums,
        recurrent.sums,
        undefined,
        needs[6] ? reshaped(dh, hiddenShape) : undefined,
      ];
    },
  };
};

/** The last H rows of dw_hh come from r ⊙ h, which is what Wₕₙ was multiplied with, instead of from h. */
function withReset(r: Recording, dw: Value, dg: Value, state: Value, H: number): Value {
  const rows = state.shape[0]! * state.shape[1]!;
  const kept = stridedCopy(r, state, [rows, H], [5 * H, 1], 4 * H);
  const reset = weightGradient(r, dg, kept, { rows, inputs: H, ldb: H, outputs: 3 * H }).c;
  const first = stridedCopy(r, dw, [2 * H, H], [H, 1]);
  const last = stridedCopy(r, reset, [H, H], [H, 1], 2 * H * H);
  return concat(r, [first, last], { axis: 0 }).outputs[0]!;
}

/** dw = dyᵀ · x and db = Σ dy over all rows at once; rows of x lie \`ldb\` apart. */
const weightGradient = (
  r: Recording,
  dy: Value,
  x: Value,
  { rows, inputs, ldb, outputs }: { rows: number; inputs: number; ldb: number; outputs: number },
) =>
  matrixProduct(r, { a: dy, b: x, M: outputs, N: inputs, K: rows, transposeA: true, ldb, rowSum: true, examples: "K" });
