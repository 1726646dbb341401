import { activations } from "./activation.ts";
import { type Array64, array, at } from "./array.ts";

export interface GruInputs {
  x: Array64;
  weightIh: Array64;
  weightHh: Array64;
  biasIh?: Array64 | undefined;
  biasHh?: Array64 | undefined;
  /** The number of valid frames of each example [N], in 0…T; all T when not given. */
  lengths?: Array64 | undefined;
  /** The state before the first frame [N,H]; zero when not given. */
  h0?: Array64 | undefined;
}

/**
 * A GRU over x [N,T,I], with gates in the order r, z, n and the reset after the recurrent product:
 *
 *   r = σ(W_ir x + b_ir + W_hr h + b_hr)
 *   z = σ(W_iz x + b_iz + W_hz h + b_hz)
 *   n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
 *   h ← (1 − z) ⊙ n + z ⊙ h
 *
 * weightIh [3H,I], weightHh [3H,H], biases [3H]. y [N,T,H] is zero beyond an example's length, and
 * hidden [N,H] is its last valid state. `reverse` walks the valid frames from the last to the first.
 */
export function gru(
  inputs: GruInputs,
  { reverse = false }: { reverse?: boolean } = {},
): { y: Array64; hidden: Array64 } {
  const { x, weightIh, weightHh, biasIh, biasHh, lengths, h0 } = inputs;
  const [N, T, I] = x.shape as [number, number, number];
  const H = weightHh.shape[1]!;
  const y = array([N, T, H]);
  const hidden = array([N, H], h0?.data);

  /** Row g of W·v + b, where v starts at `offset` of `data`. */
  const gate = (w: Array64, b: Array64 | undefined, g: number, data: Float64Array, offset: number): number => {
    let total = b ? b.data[g]! : 0;
    for (let k = 0; k < w.shape[1]!; k++) total += w.data[at(w.shape, g, k)]! * data[offset + k]!;
    return total;
  };

  for (let n = 0; n < N; n++) {
    const length = lengths ? lengths.data[n]! : T;
    for (let step = 0; step < length; step++) {
      const t = reverse ? length - 1 - step : step;
      const h = hidden.data.slice(n * H, (n + 1) * H);
      for (let j = 0; j < H; j++) {
        const input = (g: number): number => gate(weightIh, biasIh, g * H + j, x.data, (n * T + t) * I);
        const recurrent = (g: number): number => gate(weightHh, biasHh, g * H + j, h, 0);
        const r = activations.sigmoid(input(0) + recurrent(0));
        const z = activations.sigmoid(input(1) + recurrent(1));
        const candidate = Math.tanh(input(2) + r * recurrent(2));
        const next = (1 - z) * candidate + z * h[j]!;
        hidden.data[n * H + j] = next;
        y.data[at(y.shape, n, t, j)] = next;
      }
    }
  }
  return { y, hidden };
}
