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
 * What a cell is made of is WGSL that runs for each hidden unit j of each example n at each of its steps. It is written
 * for numbers of the type T: four units at once (recurrentStorage.ts), or one (recurrentShared.ts). All of it finds H, s.N,
 * row = S·H, `at`, the step's place in `state` [N, T + 1, S·H], and load_…(place, j) and store_…(place, j, value) for arrays of
 * rows of H.
 */

export type CellName = "gru" | "gruBefore" | "lstm" | "tanh" | "relu";

export interface Cell {
  /** What its kernels, and the families of their ways, are called; up to the point, the function that users call. */
  readonly name: string;
  /** G; S, how many numbers `state` has for each unit; how many of these, the first, go on from step to step. */
  readonly gates: number;
  readonly state: number;
  readonly carried: number;
  /**
   * One part after another, each with recurrent products p0, p1 … and biases b0, b1 … of its gates [from, to), the products
   * of Wₕ with part `source` of the state (0: h). `h` is h before the step, `x` the step's place in Wᵢ x + bᵢ [N, T, G·H]
   * (load_gx). The last part sets `next`, which is h′, and stores what goes on beside it.
   */
  readonly forward: readonly { gates: readonly [number, number]; source: number; body: string }[];
  readonly backward: {
    /**
     * From d = dL/dh′ and `dh` [carried, N, H], of what goes on beside h: sets what `dx` and `dp` name, which begin as 0, and
     * stores to `dh` what reaches the state directly.
     */
    readonly body: string;
    /** Names of the gradients of Wᵢ x + bᵢ, and of Wₕ h + bₕ. */
    readonly dx: readonly string[];
    readonly dp: readonly string[];
    /**
     * Then what goes through Wₕ: e = Σ dp · Wₕ over the gates [from, to), and where it goes. A cell with several of them finds
     * the step's places gx in `dx` and gh in `dp` (store_dgx, store_dgh), too.
     */
    readonly products: readonly { gates: readonly [number, number]; body: string }[];
  };
}

const toState = /* wgsl */ "store_dh(n * H, j, load_dh(n * H, j) + e);";

const simple = (name: string, value: (sum: string) => string, slope: string): Cell => ({
  ...{ name, gates: 1, state: 1, carried: 1 },
  forward: [{ gates: [0, 1], source: 0, body: `next = ${value("load_gx(x, j) + p0 + b0")};` }],
  backward: {
    body: /* wgsl */ `
      let y = load_state(at + row, j);
      g0 = ${slope};
      store_dh(n * H, j, T());`,
    ...{ dx: ["g0"], dp: ["g0"], products: [{ gates: [0, 1], body: toState }] },
  },
});

export const cells: Readonly<Record<CellName, Cell>> = {
  // State: h, r, z, n, Wₕₙ h + bₕₙ.
  gru: {
    ...{ name: "gru", gates: 3, state: 5, carried: 1 },
    forward: [
      {
        ...{ gates: [0, 3], source: 0 },
        body: /* wgsl */ `
          let r = sigmoid(load_gx(x, j) + p0 + b0);
          let z = sigmoid(load_gx(x + H, j) + p1 + b1);
          let c = p2 + b2;
          let m = squash(load_gx(x + 2 * H, j) + r * c);
          next = (1 - z) * m + z * h;
          store_state(at + H, j, r); store_state(at + 2 * H, j, z); store_state(at + 3 * H, j, m); store_state(at + 4 * H, j, c);`,
      },
    ],
    backward: {
      body: /* wgsl */ `
        let r = load_state(at + H, j); let z = load_state(at + 2 * H, j); let m = load_state(at + 3 * H, j);
        g2 = d * (1 - z) * (1 - m * m);
        g1 = d * (load_state(at, j) - m) * z * (1 - z);
        g0 = g2 * load_state(at + 4 * H, j) * r * (1 - r);
        q2 = g2 * r;
        store_dh(n * H, j, d * z);`,
      ...{ dx: ["g0", "g1", "g2"], dp: ["g0", "g1", "q2"], products: [{ gates: [0, 3], body: toState }] },
    },
  },
  // State: h, r, z, n, r ⊙ h.
  gruBefore: {
    ...{ name: "gru.resetBefore", gates: 3, state: 5, carried: 1 },
    forward: [
      {
        ...{ gates: [0, 2], source: 0 },
        body: /* wgsl */ `
          let r = sigmoid(load_gx(x, j) + p0 + b0);
          store_state(at + H, j, r);
          store_state(at + 2 * H, j, sigmoid(load_gx(x + H, j) + p1 + b1));
          store_state(at + 4 * H, j, r * h);`,
      },
      {
        ...{ gates: [2, 3], source: 4 },
        body: /* wgsl */ `
          let z = load_state(at + 2 * H, j);
          let m = squash(load_gx(x + 2 * H, j) + p2 + b2);
          next = (1 - z) * m + z * h;
          store_state(at + 3 * H, j, m);`,
      },
    ],
    backward: {
      body: /* wgsl */ `
        let z = load_state(at + 2 * H, j); let m = load_state(at + 3 * H, j);
        g1 = d * (load_state(at, j) - m) * z * (1 - z);
        g2 = d * (1 - z) * (1 - m * m);
        store_dh(n * H, j, d * z);`,
      ...{ dx: ["g0", "g1", "g2"], dp: ["g0", "g1", "g2"] },
      products: [
        {
          gates: [2, 3],
          body: /* wgsl */ `
            let r = load_state(at + H, j);
            let g0 = e * load_state(at, j) * r * (1 - r);
            store_dgx(gx, j, g0); store_dgh(gh, j, g0);
            store_dh(n * H, j, load_dh(n * H, j) + e * r);`,
        },
        { gates: [0, 2], body: toState },
      ],
    },
  },
  // State: h, c, i, f, g, o.
  lstm: {
    ...{ name: "lstm", gates: 4, state: 6, carried: 2 },
    forward: [
      {
        ...{ gates: [0, 4], source: 0 },
        body: /* wgsl */ `
          let i = sigmoid(load_gx(x, j) + p0 + b0);
          let f = sigmoid(load_gx(x + H, j) + p1 + b1);
          let g = squash(load_gx(x + 2 * H, j) + p2 + b2);
          let o = sigmoid(load_gx(x + 3 * H, j) + p3 + b3);
          let c = f * load_state(at + H, j) + i * g;
          next = o * squash(c);
          store_state(at + 2 * H, j, i); store_state(at + 3 * H, j, f); store_state(at + 4 * H, j, g); store_state(at + 5 * H, j, o);
          store_state(at + row + H, j, c);`,
      },
    ],
    backward: {
      body: /* wgsl */ `
        let i = load_state(at + 2 * H, j); let f = load_state(at + 3 * H, j);
        let g = load_state(at + 4 * H, j); let o = load_state(at + 5 * H, j);
        let c = squash(load_state(at + row + H, j));
        let dc = load_dh((s.N + n) * H, j) + d * o * (1 - c * c);
        g0 = dc * g * i * (1 - i);
        g1 = dc * load_state(at + H, j) * f * (1 - f);
        g2 = dc * i * (1 - g * g);
        g3 = d * c * o * (1 - o);
        store_dh(n * H, j, T());
        store_dh((s.N + n) * H, j, dc * f);`,
      ...{ dx: ["g0", "g1", "g2", "g3"], dp: ["g0", "g1", "g2", "g3"], products: [{ gates: [0, 4], body: toState }] },
    },
  },
  tanh: simple("rnn.tanh", (sum) => `squash(${sum})`, "d * (1 - y * y)"),
  relu: simple("rnn.relu", (sum) => `rectified(${sum})`, "select(d, T(), y <= T())"),
};

/**
 * What all cells need, for numbers of the type T. Some devices compute tanh by exponentials, which overflow; functions of WGSL
 * may lose NaN, which goes through here.
 */
export const helpers = (T: "vec4f" | "f32") => /* wgsl */ `
alias T = ${T};
alias Bits = ${T === "f32" ? "u32" : "vec4u"};
fn kept(y: T, x: T) -> T { return select(y, x, (bitcast<Bits>(x) & Bits(0x7fffffff)) > Bits(0x7f800000)); }
fn sigmoid(x: T) -> T { return kept(1 / (1 + exp(-x)), x); }
fn squash(x: T) -> T { return kept(tanh(clamp(x, T(-15), T(15))), x); }
fn rectified(x: T) -> T { return select(x, T(), x < T()); }`;
