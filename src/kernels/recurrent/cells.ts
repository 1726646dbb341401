/*
 * The cells of recurrences over x [N, T, I], with PyTorch's names: w_ih [G·H, I], w_hh [G·H, H], b_ih, b_hh [G·H].
 *   gru    gates in the order r, z, n, the reset gate after the recurrent product                  G = 3
 *          r = σ(Wᵢᵣ x + bᵢᵣ + Wₕᵣ h + bₕᵣ),  z likewise
 *          n = tanh(Wᵢₙ x + bᵢₙ + r ⊙ (Wₕₙ h + bₕₙ)),  h′ = (1 − z) ⊙ n + z ⊙ h
 *   gruBefore  the same with the reset gate before the product (Cho et al. 2014)                   G = 3
 *          n = tanh(Wᵢₙ x + bᵢₙ + Wₕₙ (r ⊙ h) + bₕₙ)
 *   lstm   i, f, o = σ(…), g = tanh(…) of sums as r's, gates in the order i, f, g, o                G = 4
 *          c′ = f ⊙ c + i ⊙ g,  h′ = o ⊙ tanh(c′)                 (Hochreiter and Schmidhuber 1997; Gers 2000)
 *   tanh, relu  h′ = f(Wᵢ x + bᵢ + Wₕ h + bₕ)                                                      G = 1 (Elman 1990)
 *
 * A cell is WGSL functions of one example at one step, for `Units`: four hidden units at once, or one.
 *   forward(x, p, bias, state) -> Step         x: Wᵢ x + bᵢ of each gate; p: Wₕ h of each gate; bias: bₕ. `state` holds what was
 *                                              before the step; the step's result is what is after it, and the state with what
 *                                              the way back needs
 *   backward(state, after, d) -> Gradients     d: the gradient of what is after the step; the result those of x, of p and of
 *                                              what was before the step, but for what comes through Wₕ
 * A cell whose last gate multiplies Wₕ with r ⊙ h has two products a step, and for the first of them
 *   reset(x, p, bias, state) -> State          r, z and r ⊙ h
 *   backwardReset(d, state) -> Reset           d: the gradient of r ⊙ h; the result those of r's sum and of h
 */

export type CellName = "gru" | "gruBefore" | "lstm" | "tanh" | "relu";

export interface Cell {
  /** What its kernels, and the keys of their tuning, are called; up to the point, the function that users call. */
  readonly name: string;
  /** In the order of the weights. */
  readonly gates: readonly string[];
  /** What goes on from step to step, h first, then what is kept of each step for the way back. */
  readonly carried: readonly string[];
  readonly kept: readonly string[];
  /** The products with Wₕ of a step, one after another: of which gates, and with what of the state. */
  readonly products: readonly { readonly gates: readonly string[]; readonly of: string }[];
  readonly wgsl: string;
}

/** The plain network with f′ written by y = f(…). */
const simple = (name: string, value: string, gradient: string): Cell => ({
  name,
  gates: ["a"],
  carried: ["h"],
  kept: [],
  products: [{ gates: ["a"], of: "h" }],
  wgsl: /* wgsl */ `
fn forward(x: Gates, p: Gates, bias: Gates, state: State) -> Step {
  let a = x.a + p.a + bias.a;
  return Step(Carried(${value}), state);
}
fn backward(state: State, after: Carried, d: Carried) -> Gradients {
  let y = after.h;
  let da = ${gradient};
  return Gradients(Gates(da), Gates(da), Carried(Units()));
}`,
});

export const cells: Readonly<Record<CellName, Cell>> = {
  gru: {
    name: "gru",
    gates: ["r", "z", "n"],
    carried: ["h"],
    // hn: Wₕₙ h + bₕₙ.
    kept: ["r", "z", "n", "hn"],
    products: [{ gates: ["r", "z", "n"], of: "h" }],
    wgsl: /* wgsl */ `
fn forward(x: Gates, p: Gates, bias: Gates, state: State) -> Step {
  let r = sigmoid(x.r + p.r + bias.r);
  let z = sigmoid(x.z + p.z + bias.z);
  let hn = p.n + bias.n;
  let n = safeTanh(x.n + r * hn);
  let h = (1 - z) * n + z * state.h;
  return Step(Carried(h), State(state.h, r, z, n, hn));
}
fn backward(state: State, after: Carried, d: Carried) -> Gradients {
  let r = state.r; let z = state.z; let n = state.n;
  let dn = d.h * (1 - z) * (1 - n * n);
  let dz = d.h * (state.h - n) * z * (1 - z);
  let dr = dn * state.hn * r * (1 - r);
  return Gradients(Gates(dr, dz, dn), Gates(dr, dz, dn * r), Carried(d.h * z));
}`,
  },
  gruBefore: {
    name: "gru.resetBefore",
    gates: ["r", "z", "n"],
    carried: ["h"],
    kept: ["r", "z", "n", "rh"],
    products: [
      { gates: ["r", "z"], of: "h" },
      { gates: ["n"], of: "rh" },
    ],
    wgsl: /* wgsl */ `
fn reset(x: Gates, p: Gates, bias: Gates, state: State) -> State {
  let r = sigmoid(x.r + p.r + bias.r);
  let z = sigmoid(x.z + p.z + bias.z);
  return State(state.h, r, z, Units(), r * state.h);
}
fn forward(x: Gates, p: Gates, bias: Gates, state: State) -> Step {
  let n = safeTanh(x.n + p.n + bias.n);
  let h = (1 - state.z) * n + state.z * state.h;
  return Step(Carried(h), State(state.h, state.r, state.z, n, state.rh));
}
fn backward(state: State, after: Carried, d: Carried) -> Gradients {
  let z = state.z; let n = state.n;
  let dz = d.h * (state.h - n) * z * (1 - z);
  let dn = d.h * (1 - z) * (1 - n * n);
  let gates = Gates(Units(), dz, dn);
  return Gradients(gates, gates, Carried(d.h * z));
}
fn backwardReset(d: Units, state: State) -> Reset {
  let r = state.r;
  return Reset(d * state.h * r * (1 - r), d * r);
}`,
  },
  lstm: {
    name: "lstm",
    gates: ["i", "f", "g", "o"],
    carried: ["h", "c"],
    kept: ["i", "f", "g", "o"],
    products: [{ gates: ["i", "f", "g", "o"], of: "h" }],
    wgsl: /* wgsl */ `
fn forward(x: Gates, p: Gates, bias: Gates, state: State) -> Step {
  let i = sigmoid(x.i + p.i + bias.i);
  let f = sigmoid(x.f + p.f + bias.f);
  let g = safeTanh(x.g + p.g + bias.g);
  let o = sigmoid(x.o + p.o + bias.o);
  let c = f * state.c + i * g;
  return Step(Carried(o * safeTanh(c), c), State(state.h, state.c, i, f, g, o));
}
fn backward(state: State, after: Carried, d: Carried) -> Gradients {
  let i = state.i; let f = state.f; let g = state.g; let o = state.o;
  let c = safeTanh(after.c);
  let dc = d.c + d.h * o * (1 - c * c);
  let di = dc * g * i * (1 - i);
  let df = dc * state.c * f * (1 - f);
  let dg = dc * i * (1 - g * g);
  let dO = d.h * c * o * (1 - o);
  let gates = Gates(di, df, dg, dO);
  return Gradients(gates, gates, Carried(Units(), dc * f));
}`,
  },
  tanh: simple("rnn.tanh", "safeTanh(a)", "d.h * (1 - y * y)"),
  relu: simple("rnn.relu", "relu(a)", "select(d.h, Units(), y <= Units())"),
};

/**
 * WGSL: what all cells need. Some devices compute tanh by exponentials, which overflow; functions of WGSL may lose NaN, which goes
 * through here.
 */
export const functions = (units: "vec4f" | "f32"): string => /* wgsl */ `
alias Units = ${units};
alias Bits = ${units === "f32" ? "u32" : "vec4u"};
fn propagateNan(y: Units, x: Units) -> Units {
  return select(y, x, (bitcast<Bits>(x) & Bits(0x7fffffff)) > Bits(0x7f800000));
}
fn sigmoid(x: Units) -> Units { return propagateNan(1 / (1 + exp(-x)), x); }
fn safeTanh(x: Units) -> Units { return propagateNan(tanh(clamp(x, Units(-15), Units(15))), x); }
fn relu(x: Units) -> Units { return select(x, Units(), x < Units()); }`;
