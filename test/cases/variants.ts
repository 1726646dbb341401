/* Every way of what can be done in several ways. */

const convolutions = ["conv2d", "conv2d.backwardInput", "conv2d.backwardWeight"];
const recurrencesOf = (cells: readonly string[]) => cells.flatMap((cell) => [cell, `${cell}.backward`]);
const simple = ["gru", "lstm", "rnn.tanh", "rnn.relu"];
const recurrences = recurrencesOf([...simple, "gru.resetBefore"]);
const embeddings = ["embedding.backward"];
const pools = ["pool2d.backward"];
const norms = ["optimizer.norm"];
const rows = ["layerNorm", "layerNorm.backward", "softmax", "softmax.backward", "crossEntropy"];
const products = /^(matmul|linear)/;
const some = /^conv2d: (plain|padding, relu|everything, by axis|groups, sigmoid)/;

/** Kernels that can be done in a given way, and the cases that try it. */
export const variants: readonly { families: readonly string[]; way: string; cases: RegExp }[] = [
  ...["registers8", "registers4", "quads", "quads16", "shared64", "shared32", "splitKRegisters", "splitKShared"].map(
    (way) => ({
      families: ["matmul"],
      way,
      cases: products,
    }),
  ),
  { families: convolutions, way: "registers", cases: some },
  { families: convolutions, way: "quads", cases: /^conv/ },
  { families: convolutions, way: "shared32", cases: some },
  { families: convolutions, way: "shared64", cases: some },
  ...["linkedList", "radixSort64", "radixSort128"].map((way) => ({ families: embeddings, way, cases: /^embedding/ })),
  ...["serial", "workgroup", "multiPass"].map((way) => ({ families: ["sum"], way, cases: /^(sum|mean|layerNorm)/ })),
  ...["serial", "workgroup"].map((way) => ({
    families: rows,
    way,
    cases: /^(layerNorm|softmax|logSoftmax|crossEntropy)/,
  })),
  ...["gather", "scatter"].map((way) => ({ families: pools, way, cases: /^(max|avg)Pool2d/ })),
  ...["serial", "workgroup"].map((way) => ({ families: norms, way, cases: /^clipGradientNorm/ })),
  ...["rows8", "quads", "rows4", "barrierFree"].map((way) => ({
    families: recurrences,
    way,
    cases: /^(gru|lstm|rnn)/,
  })),
  // A reset gate before the product needs two products a step, which only goes through storage.
  { families: recurrencesOf(simple), way: "shared", cases: /^(gru|lstm|rnn)/ },
];
