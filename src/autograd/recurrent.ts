import { checkFlag, checkName, checkOptions, type Known } from "../check.ts";
import { show } from "../kernels/checks.ts";
import type { CellName } from "../kernels/recurrent/cells.ts";
import { recurrent } from "../kernels/recurrent/index.ts";
import { apply, asTensor, expectTensor } from "./apply.ts";
import { slice } from "./indexing.ts";
import { concat, reshape, stack } from "./shape.ts";
import type { Tensor, TensorLike } from "./tensor.ts";

/** The weights of one layer and direction; equations and shapes are in `kernels/recurrent/cells.ts`. */
export interface RecurrentWeights {
  /** From the input, [G·H, I]: G gates one after another, 3 for gru (r, z, n), 4 for lstm (i, f, g, o), 1 for rnn. */
  weightIh: Tensor;
  /** From the state, [G·H, H]. */
  weightHh: Tensor;
  /** Beside weightIh, [G·H]. Both biases or none. */
  biasIh?: Tensor;
  /** Beside weightHh, [G·H]. Both biases or none. */
  biasHh?: Tensor;
}
const recurrentWeights: Known<RecurrentWeights> = { weightIh: true, weightHh: true, biasIh: true, biasHh: true };

/** Options of `lstm`, and of `gru` and `rnn` among others. */
export interface RecurrentOptions {
  /** Time steps that count of each example; what lies after them is not read. */
  lengths?: TensorLike | undefined;
  /** The state to begin with. [N, H], or [layers · directions, N, H] where there are several. Default: zeros. */
  h0?: Tensor | undefined;
  /** Layers, each over the output of the one before. The weights are then a list: by layer, and by direction in it. */
  numLayers?: number | undefined;
  /** Read each example both ways; outputs stand side by side: forward, then backward. */
  bidirectional?: boolean | undefined;
  /** Read each example from its end to its beginning. */
  reverse?: boolean | undefined;
}

const recurrentOptions: Known<RecurrentOptions> = {
  lengths: true,
  h0: true,
  numLayers: true,
  bidirectional: true,
  reverse: true,
};

/** What `gru`, `rnn` and `lstm` give. */
export interface RecurrentResult {
  /** [N, T, H], or [N, T, 2H] where bidirectional; 0 from an example's length on. */
  output: Tensor;
  /** [N, H], or [layers · directions, N, H] where there are several. */
  hidden: Tensor;
}

/** The weights of a single layer and direction, or a list of them: by layer, and by direction in it. */
export type LayerWeights = RecurrentWeights | readonly RecurrentWeights[];

/** One layer and direction: from x and the state to begin with to the output and the last state. */
type Layer = (
  x: Tensor,
  w: RecurrentWeights,
  options: { lengths: Tensor | undefined; h0: Tensor | undefined; reverse: boolean },
) => { output: Tensor; hidden: Tensor };

/** Runs layers over each other and directions beside each other. `stateAxes` is the rank of one layer's state. */
function layered(
  { name, layer, stateAxes }: { name: string; layer: Layer; stateAxes: number },
  x: Tensor,
  weights: LayerWeights,
  options: RecurrentOptions,
) {
  const { numLayers = 1, bidirectional = false, h0 } = options;
  checkFlag(name, "bidirectional", bidirectional);
  checkFlag(name, "reverse", options.reverse);
  const directions = bidirectional ? 2 : 1;
  const list = Array.isArray(weights) ? weights : [weights as RecurrentWeights];
  for (const one of list) {
    checkOptions(`${name}: weights`, one, recurrentWeights);
    if (!one?.weightIh || !one.weightHh)
      throw new TypeError(`${name}: its weights lack weightIh or weightHh, expected both.`);
  }
  if (!(Number.isInteger(numLayers) && numLayers >= 1))
    throw new TypeError(`${name}: layers is ${numLayers}, expected a whole number of at least 1.`);
  if (list.length !== numLayers * directions)
    throw new TypeError(
      `${name}: there are ${list.length} sets of weights, expected ${numLayers * directions} (layers ${numLayers} × directions ${directions}).`,
    );
  if (bidirectional && options.reverse) throw new TypeError(`${name}: reverse and bidirectional exclude each other.`);
  const several = list.length > 1;
  if (h0 !== undefined) expectTensor(name, "h0", h0);
  const lengths = options.lengths && asTensor(name, "lengths", options.lengths, x, { dtype: "i32" });
  if (several && h0 && (h0.shape.length !== stateAxes + 1 || h0.shape[0] !== list.length))
    throw new TypeError(`${name}: h0 is ${show(h0)}, expected ${list.length} states one after another.`);
  const startOf = (i: number) =>
    several && h0 ? reshape(slice(h0, { axis: 0, start: i, end: i + 1 }), h0.shape.slice(1)) : h0;
  const states: Tensor[] = [];
  let output = x;
  for (let at = 0; at < list.length; at += directions) {
    const input = output;
    const outputs = Array.from({ length: directions }, (_, d) => {
      const reverse = d === 1 || (options.reverse ?? false);
      const found = layer(input, list[at + d]!, { lengths, h0: startOf(at + d), reverse });
      states.push(found.hidden);
      return found.output;
    });
    output = outputs.length > 1 ? concat(outputs, { axis: 2 }) : outputs[0]!;
  }
  return { output, hidden: several ? stack(states) : states[0]! };
}

const inputsOf = (x: Tensor, w: RecurrentWeights, lengths: Tensor | undefined, h0: Tensor | undefined) => [
  x,
  w.weightIh,
  w.weightHh,
  w.biasIh,
  w.biasHh,
  lengths,
  h0,
];

const layerOf =
  (name: string, cell: CellName): Layer =>
  (x, w, { lengths, h0, reverse }) => {
    const [output, hidden] = apply(name, recurrent, inputsOf(x, w, lengths, h0), { cell, reverse }, 3);
    return { output: output!, hidden: hidden! };
  };

/** Options of `gru`. */
export interface GruOptions extends RecurrentOptions {
  /** Whether the reset gate comes after the recurrent product, as in PyTorch; false is Cho's first GRU. Default true. */
  resetAfter?: boolean;
}
const gruOptions: Known<GruOptions> = { ...recurrentOptions, resetAfter: true };
/** Options of `rnn`. */
export interface RnnOptions extends RecurrentOptions {
  /** f, "tanh" or "relu". Default "tanh". */
  nonlinearity?: "tanh" | "relu";
}
const rnnOptions: Known<RnnOptions> = { ...recurrentOptions, nonlinearity: true };

/**
 * Gated recurrent unit (Cho et al. 2014), PyTorch's `GRU` with the batch in front.
 *
 * r = σ(Wᵢᵣ x + bᵢᵣ + Wₕᵣ h + bₕᵣ), z likewise; n = tanh(Wᵢₙ x + bᵢₙ + r ⊙ (Wₕₙ h + bₕₙ)); h′ = (1 − z) ⊙ n + z ⊙ h
 *
 * @param x [N, T, I], f32
 * @param weights of a layer, or of each layer and direction
 * @param options.lengths [N], the time steps that count of each example. Default: all.
 * @param options.h0 the state to begin with, [N, H]. Default: zeros.
 * @param options.resetAfter false is Cho's first GRU: n = tanh(Wᵢₙ x + bᵢₙ + Wₕₙ (r ⊙ h) + bₕₙ). Default true.
 * @returns output [N, T, H] and hidden [N, H]; see `RecurrentResult`. Differentiable in x, the weights and h0.
 * @throws TypeError where shapes or the number of weights do not fit.
 * @example const { hidden } = gru(x, { weightIh, weightHh, biasIh, biasHh }, { lengths: [5, 3] });
 */
export function gru(x: Tensor, weights: LayerWeights, options: GruOptions = {}): RecurrentResult {
  checkOptions("gru", options, gruOptions);
  const { resetAfter = true } = options;
  checkFlag("gru", "resetAfter", resetAfter);
  return layered(
    { name: "gru", layer: layerOf("gru", resetAfter ? "gru" : "gruBefore"), stateAxes: 2 },
    x,
    weights,
    options,
  );
}

/**
 * Simple recurrent network (Elman 1990), PyTorch's `RNN` with the batch in front.
 *
 * h′ = f(Wᵢ x + bᵢ + Wₕ h + bₕ)
 *
 * @param x [N, T, I], f32
 * @param weights of a layer, or of each layer and direction
 * @param options.lengths [N], the time steps that count of each example. Default: all.
 * @param options.h0 the state to begin with, [N, H]. Default: zeros.
 * @param options.nonlinearity f, "tanh" or "relu". Default "tanh".
 * @returns output [N, T, H] and hidden [N, H]; see `RecurrentResult`. Differentiable in x, the weights and h0.
 * @throws TypeError where shapes or the number of weights do not fit.
 * @example const { output } = rnn(x, { weightIh, weightHh }, { nonlinearity: "relu" });
 */
export function rnn(x: Tensor, weights: LayerWeights, options: RnnOptions = {}): RecurrentResult {
  checkOptions("rnn", options, rnnOptions);
  const cell = options.nonlinearity ?? "tanh";
  checkName("rnn", "nonlinearity", cell, ["tanh", "relu"]);
  return layered({ name: "rnn", layer: layerOf("rnn", cell), stateAxes: 2 }, x, weights, options);
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997; Gers 2000), PyTorch's `LSTM` with the batch in front.
 *
 * i, f, o = σ(Wᵢ x + bᵢ + Wₕ h + bₕ) and g = tanh(…) alike; c′ = f ⊙ c + i ⊙ g; h′ = o ⊙ tanh(c′)
 *
 * @param x [N, T, I], f32
 * @param weights of a layer, or of each layer and direction
 * @param options.lengths [N], the time steps that count of each example. Default: all.
 * @param options.h0 h, then the cell c: [2, N, H], or [layers · directions, 2, N, H]. Default: zeros.
 * @returns output [N, T, H] and hidden, shaped as h0. Differentiable in x, the weights and h0.
 * @throws TypeError where shapes or the number of weights do not fit.
 * @example const { output, hidden } = lstm(x, { weightIh, weightHh, biasIh, biasHh });
 */
export function lstm(x: Tensor, weights: LayerWeights, options: RecurrentOptions = {}): RecurrentResult {
  checkOptions("lstm", options, recurrentOptions);
  return layered({ name: "lstm", layer: layerOf("lstm", "lstm"), stateAxes: 3 }, x, weights, options);
}
