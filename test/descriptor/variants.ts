import type { Variants } from "./index.ts";

/* Kernels with variants that several ops go through. */

export const products: Variants = {
  kernels: ["matmul"],
  names: ["registers8", "registers4", "quads", "quads16", "shared64", "shared32", "splitKRegisters", "splitKShared"],
};
const convolutions = ["conv2d", "conv2d.backwardInput", "conv2d.backwardWeight"];
export const convolution: Variants = { kernels: convolutions, names: ["registers", "shared32", "shared64"] };
export const convolutionQuads: Variants = { kernels: convolutions, names: ["quads"] };
export const embeddings: Variants = {
  kernels: ["embedding.backward"],
  names: ["linkedList", "radixSort64", "radixSort128"],
};
export const sums: Variants = { kernels: ["sum"], names: ["serial", "workgroup", "multiPass"] };
export const rows: Variants = {
  kernels: ["layerNorm", "layerNorm.backward", "softmax", "softmax.backward", "crossEntropy"],
  names: ["serial", "workgroup"],
};
export const pools: Variants = { kernels: ["pool2d.backward"], names: ["gather", "scatter"] };
/** The norm that an optimizer clips by. */
export const norms: Variants = { kernels: ["optimizer.norm"], names: ["serial", "workgroup"] };
const withBackward = (cells: readonly string[]) => cells.flatMap((cell) => [cell, `${cell}.backward`]);
const cells = ["gru", "lstm", "rnn.tanh", "rnn.relu"];
export const recurrences: Variants = {
  kernels: withBackward([...cells, "gru.resetBefore"]),
  names: ["rows8", "quads", "rows4", "barrierFree"],
};
/** A reset gate before the product needs two products a step, which only goes through storage. */
export const recurrencesInWorkgroups: Variants = { kernels: withBackward(cells), names: ["shared"] };
