import { activations } from "./activation.ts";
import { concat } from "./arithmetic.ts";
import { type Array64, array, at, map } from "./array.ts";

const { sigmoid } = activations;
export type Cell = "rnn" | "relu" | "lstm" | "gru" | "gruBefore";
export interface Layer {
  weightIh: Array64;
  weightHh: Array64;
  biasIh: Array64;
  biasHh: Array64;
}

/** Rows of W·v + b. */
const times = (w: Array64, b: Array64, v: readonly number[]): number[] =>
  Array.from(b.data, (bias, g) => v.reduce((total, x, k) => total + w.data[at(w.shape, g, k)]! * x, bias));

/** One step of one example: from Wᵢ x + bᵢ, h and c to the next h and c. */
function next(cell: Cell, w: Layer, gx: number[], h: number[], c: number[]): [number[], number[]] {
  const H = h.length;
  const gh = times(w.weightHh, w.biasHh, h);
  const s = (g: number, j: number) => gx[g * H + j]! + gh[g * H + j]!;
  if (cell === "rnn") return [h.map((_, j) => Math.tanh(s(0, j))), c];
  if (cell === "relu") return [h.map((_, j) => Math.max(0, s(0, j))), c];
  if (cell === "lstm") {
    const cells = c.map((old, j) => sigmoid(s(1, j)) * old + sigmoid(s(0, j)) * Math.tanh(s(2, j)));
    return [cells.map((v, j) => sigmoid(s(3, j)) * Math.tanh(v)), cells];
  }
  const r = h.map((_, j) => sigmoid(s(0, j)));
  const ghReset = times(
    w.weightHh,
    w.biasHh,
    h.map((v, j) => v * r[j]!),
  );
  return [
    h.map((old, j) => {
      const recurrent = cell === "gru" ? r[j]! * gh[2 * H + j]! : ghReset[2 * H + j]!;
      const z = sigmoid(s(1, j));
      return (1 - z) * Math.tanh(gx[2 * H + j]! + recurrent) + z * old;
    }),
    c,
  ];
}

/** Layers over each other and directions beside each other; `layers` in PyTorch's order, `start` their states
 * (of an lstm h, then c). */
export function layered(
  cell: Cell,
  x: Array64,
  layers: readonly Layer[],
  { bidirectional = false, reverse = false }: { bidirectional?: boolean; reverse?: boolean },
  lengths?: Array64,
  start?: Array64,
): { y: Array64; hidden: Array64 } {
  const directions = bidirectional ? 2 : 1;
  const [N, T] = x.shape as [number, number];
  const H = layers[0]!.weightHh.shape[1]!;
  const states: number[][] = [];
  for (let at0 = 0; at0 < layers.length; at0 += directions) {
    const I = x.shape[2]!;
    const outputs = Array.from({ length: directions }, (_, d) => {
      const w = layers[at0 + d]!;
      const y = array([N, T, H]);
      const last: [number[], number[]] = [[], []];
      for (let n = 0; n < N; n++) {
        const length = lengths ? lengths.data[n]! : T;
        const states = (own: number) => Array.from({ length: H }, (_, j) => start?.data[(own * N + n) * H + j] ?? 0);
        const own = (at0 + d) * (cell === "lstm" ? 2 : 1);
        let [h, c] = [states(own), states(own + 1)];
        for (let step = 0; step < length; step++) {
          const t = d === 1 || reverse ? length - 1 - step : step;
          const frame = Array.from(x.data.slice((n * T + t) * I, (n * T + t + 1) * I));
          [h, c] = next(cell, w, times(w.weightIh, w.biasIh, frame), h, c);
          h.forEach((v, j) => {
            y.data[at(y.shape, n, t, j)] = v;
          });
        }
        last[0].push(...h);
        last[1].push(...c);
      }
      states.push(cell === "lstm" ? [...last[0], ...last[1]] : last[0]);
      return y;
    });
    x = concat(outputs, { axis: 2 });
  }
  const own = cell === "lstm" ? [2, N, H] : [N, H];
  return { y: map(x, (v) => v), hidden: array(states.length > 1 ? [states.length, ...own] : own, states.flat()) };
}
