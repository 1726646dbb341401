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
  weightIh: Tensor;
  weightHh: Tensor;
  /** Both biases or none. */
  biasIh?: Tensor;
  biasHh?: Tensor;
}
const recurrentWeights: Known<RecurrentWeights> = { weightIh: true, weightHh: true, biasIh: true, biasHh: true };
export type GruWeights = RecurrentWeights;

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

export interface RecurrentResult {
  /** [N, T, H], or [N, T, 2H] where bidirectional; 0 from an example's length on. */
  output: Tensor;
  /** [N, H], or [layers · directions, N, H] where there are several. */
  hidden: Tensor;
}

type LayerWeights = RecurrentWeights | readonly RecurrentWeights[];

/** One layer and direction: from x and the state to begin with to the output and the last state. */
type Layer = (
  x: Tensor,
  w: RecurrentWeights,
  options: { lengths: Tensor | undefined; h0: Tensor | undefined; reverse: boolean },
) => { output: Tensor; hidden: Tensor };

/** Runs layers over each other and directions beside each other. `stateAxes` is the rank of one layer's state. */
function layered(
  name: string,
  layer: Layer,
  stateAxes: number,
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
  const lengths = options.lengths && asTensor(name, "lengths", options.lengths, x, "i32");
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

type GruOptions = RecurrentOptions & { resetAfter?: boolean };
const gruOptions: Known<GruOptions> = { ...recurrentOptions, resetAfter: true };
type RnnOptions = RecurrentOptions & { nonlinearity?: "tanh" | "relu" };
const rnnOptions: Known<RnnOptions> = { ...recurrentOptions, nonlinearity: true };

/** `resetAfter: false` is Cho's first GRU, whose reset gate comes before the recurrent product; PyTorch has the other. */
export function gru(x: Tensor, weights: LayerWeights, options: GruOptions = {}): RecurrentResult {
  checkOptions("gru", options, gruOptions);
  const { resetAfter = true } = options;
  checkFlag("gru", "resetAfter", resetAfter);
  return layered("gru", layerOf("gru", resetAfter ? "gru" : "gruBefore"), 2, x, weights, options);
}

/** Elman's network. `nonlinearity` is "tanh" (the default) or "relu". */
export function rnn(x: Tensor, weights: LayerWeights, options: RnnOptions = {}): RecurrentResult {
  checkOptions("rnn", options, rnnOptions);
  const cell = options.nonlinearity ?? "tanh";
  checkName("rnn", "nonlinearity", cell, ["tanh", "relu"]);
  return layered("rnn", layerOf("rnn", cell), 2, x, weights, options);
}

/** `h0` and `hidden` hold two states: [2, N, H] (h, then the cell c), or [layers · directions, 2, N, H]. */
export function lstm(x: Tensor, weights: LayerWeights, options: RecurrentOptions = {}): RecurrentResult {
  checkOptions("lstm", options, recurrentOptions);
  return layered("lstm", layerOf("lstm", "lstm"), 3, x, weights, options);
}
