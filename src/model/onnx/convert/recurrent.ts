import { type Graph, types } from "../graph.ts";
import { type Converter, fixed, type TracedCall } from "./converter.ts";

/*
 * Recurrences. ONNX orders the gates of a GRU z, r, h where we (as PyTorch) have r, z, n, and those of an LSTM i, o, f, c
 * where we have i, f, g, o; it wants [T, N, D] and both biases in one tensor. Weights are turned by nodes of the graph,
 * which engines compute once when they load it, so that the file's tensors stay what they are here.
 */

const orders = { gru: [1, 0, 2], gruBefore: [1, 0, 2], lstm: [0, 3, 1, 2], tanh: [0], relu: [0] } as const;
const nodes = { gru: "GRU", gruBefore: "GRU", lstm: "LSTM", tanh: "RNN", relu: "RNN" } as const;
type Cell = keyof typeof orders;

/** The rows of w, gate by gate in another order, behind one more axis: [G·H, …] → [1, G·H, …]. */
function reordered(g: Graph, w: string, cell: Cell, H: number): string {
  const rows = orders[cell].flatMap((gate) => Array.from({ length: H }, (_, i) => gate * H + i));
  return g.node("Gather", [w, g.wholes(rows, [1, rows.length])], { axis: 0 });
}

/** Inputs: x, w_ih, w_hh, b_ih, b_hh, lengths, h0, as in kernels/recurrent/index.ts; the last four may be left out. */
const recurrent: Converter = (g, call: TracedCall) => {
  const { options, from } = call;
  const cell: Cell = options.cell;
  const [x, wih, whh, bih, bhh, lengths, h0] = Array.from({ length: 7 }, (_, i) => call.x[i] ?? "");
  const H = fixed(call, from[2]![1], "a state");
  const isLstm = cell === "lstm";
  const bias =
    bih && bhh ? g.node("Concat", [reordered(g, bih, cell, H), reordered(g, bhh, cell, H)], { axis: 1 }) : "";
  const start = (state: number) => {
    if (!h0) return "";
    if (!isLstm) return g.node("Unsqueeze", [h0, g.wholes([0])]);
    return g.node("Slice", [h0, g.wholes([state]), g.wholes([state + 1]), g.wholes([0])]);
  };
  const inputs = [
    g.node("Transpose", [x!], { perm: [1, 0, 2] }),
    reordered(g, wih!, cell, H),
    reordered(g, whh!, cell, H),
    bias,
    lengths!,
    start(0),
    ...(isLstm ? [start(1)] : []),
  ];
  while (inputs.at(-1) === "") inputs.pop();
  const [all, last, memory] = g.nodes(
    nodes[cell],
    inputs,
    {
      hidden_size: H,
      direction: options.reverse ? "reverse" : "forward",
      ...(nodes[cell] === "GRU" ? { linear_before_reset: cell === "gru" ? 1 : 0 } : {}),
    },
    isLstm ? 3 : 2,
  );
  // [T, 1, N, H] → [N, T, H]
  const output = g.node("Transpose", [g.node("Squeeze", [all!, g.wholes([1])])], { perm: [1, 0, 2] });
  // After no step the state is the first one. ONNX does not say so, and onnxruntime's RNN leaves such a row unwritten.
  const some = lengths && g.node("Unsqueeze", [g.node("Cast", [lengths], { to: types.bool }), g.wholes([1])]);
  const state = (after: string, k: number) =>
    some ? g.node("Where", [some, after, start(k) || g.floats([0], [])]) : after;
  // States are [1, N, H] each; an LSTM's two lie one after another.
  const hidden = isLstm
    ? g.node("Concat", [state(last!, 0), state(memory!, 1)], { axis: 0 })
    : g.node("Squeeze", [state(last!, 0), g.wholes([0])]);
  return [output, hidden];
};

export const recurrences: Record<string, Converter> = {
  gru: recurrent,
  lstm: recurrent,
  rnn: (g, call) => {
    if (call.options.cell === "relu")
      throw new TypeError('onnx: rnn with the nonlinearity "relu" has no ONNX form here. Use "tanh".');
    return recurrent(g, call);
  },
};
