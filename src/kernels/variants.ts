/*
 * The variants of the kernels that have several, by what `r.choose` calls them: a result of tuning that names others is
 * refused. What each does is said where it is chosen. Some need what not every device or size has (subgroups, states that
 * fit into workgroup memory), and are then left out there.
 */

const rows = ["serial", "workgroup"];
const convolution = ["registers", "quads", "shared32", "shared64"];
const resetBefore = ["rows8", "quads", "rows4", "barrierFree"];
const recurrence = [...resetBefore, "shared"];

export const variants: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "matmul",
    ["registers8", "registers4", "quads", "quads16", "shared64", "shared32", "splitKRegisters", "splitKShared"],
  ],
  ...["conv2d", "conv2d.backwardInput", "conv2d.backwardWeight"].map((op) => [op, convolution] as const),
  ["embedding.backward", ["linkedList", "radixSort64", "radixSort128"]],
  ["sum", ["serial", "workgroup", "multiPass"]],
  ...["layerNorm", "softmax"].flatMap((op) => [[op, rows] as const, [`${op}.backward`, rows] as const]),
  ["crossEntropy", rows],
  ["optimizer.norm", rows],
  ["pool2d.backward", ["gather", "scatter"]],
  ...["gru", "lstm", "rnn.tanh", "rnn.relu"].flatMap((cell) => [
    [cell, recurrence] as const,
    [`${cell}.backward`, recurrence] as const,
  ]),
  ["gru.resetBefore", resetBefore],
  ["gru.resetBefore.backward", resetBefore],
]);
