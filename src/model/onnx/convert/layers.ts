import { activated, type Converter, fixed, isNot, type TracedCall } from "./converter.ts";

/* What layers are made of, but for recurrences. */

const pair = (n: number | readonly [number, number]): readonly [number, number] => (typeof n === "number" ? [n, n] : n);

const pool =
  (type: string): Converter =>
  (g, { x, options }) => {
    const [padH, padW] = pair(options.padding ?? 0);
    const window = {
      kernel_shape: pair(options.kernelSize),
      strides: pair(options.stride ?? options.kernelSize),
      pads: [padH, padW, padH, padW],
    };
    const y = g.node(type, x, type === "AveragePool" ? { ...window, count_include_pad: 1 } : window);
    return [activated(g, y, options.activation)];
  };

/** The last two axes swapped. */
const turned = (call: TracedCall, i: number): number[] => {
  const rank = call.from[i]!.length;
  return call.from[i]!.map((_, axis) => (axis < rank - 2 ? axis : axis === rank - 2 ? rank - 1 : rank - 2));
};

export const layers: Record<string, Converter> = {
  linear: (g, call) => {
    const { x, options, from } = call;
    const biased = x[2] !== undefined && x[2] !== "";
    if (from[0]!.length === 2) {
      const y = g.node("Gemm", biased ? [...x] : x.slice(0, 2), { transB: 1 });
      return [activated(g, y, options.activation)];
    }
    const product = g.node("MatMul", [x[0]!, g.node("Transpose", [x[1]!], { perm: [1, 0] })]);
    return [activated(g, biased ? g.node("Add", [product, x[2]!]) : product, options.activation)];
  },
  matmul: (g, call) => {
    const operand = (i: number, transposed: boolean) =>
      transposed ? g.node("Transpose", [call.x[i]!], { perm: turned(call, i) }) : call.x[i]!;
    return [g.node("MatMul", [operand(0, call.options.transposeA), operand(1, call.options.transposeB)])];
  },
  conv2d: (g, call) => {
    const { x, options, from } = call;
    const window = from[1]!.slice(2).map((size) => fixed(call, size, "a window"));
    const dilations = pair(options.dilation ?? 1);
    // As kernels/conv2d.ts has it: of an odd number of zeros around, the one more goes below and to the right.
    const around = window.map((size, i) => dilations[i]! * (size - 1));
    const same = options.padding === "same";
    const before = same ? around.map((all) => Math.floor(all / 2)) : pair(options.padding ?? 0);
    const after = same ? around.map((all) => Math.ceil(all / 2)) : before;
    const y = g.node("Conv", x[2] ? [...x] : x.slice(0, 2), {
      kernel_shape: window,
      strides: pair(options.stride ?? 1),
      pads: [...before, ...after],
      dilations,
      group: options.groups ?? 1,
    });
    return [activated(g, y, options.activation)];
  },
  maxPool2d: pool("MaxPool"),
  avgPool2d: pool("AveragePool"),
  embedding: (g, { x }) => [g.node("Gather", [x[1]!, x[0]!], { axis: 0 })],
  // Σ of the vectors of words that are there over their number, or over 1 where there are none.
  maskedMean: (g, { x, options }) => {
    const there = isNot(g, x[1]!, options.paddingIdx ?? 0);
    const kept = g.node("Mul", [x[0]!, g.node("Unsqueeze", [there, g.wholes([2])])]);
    const total = g.node("ReduceSum", [kept, g.wholes([1])], { keepdims: 0 });
    const count = g.node("ReduceSum", [there, g.wholes([1])], { keepdims: 1 });
    return [g.node("Div", [total, g.node("Max", [count, g.floats([1])])])];
  },
  layerNorm: (g, call) => {
    const { x, options, from } = call;
    const D = fixed(call, from[0]!.at(-1), "a last axis");
    const scale = x[1] || g.floats(new Float32Array(D).fill(1));
    const eps = { float: options.eps ?? 1e-5 };
    return [g.node("LayerNormalization", x[2] ? [x[0]!, scale, x[2]] : [x[0]!, scale], { axis: -1, epsilon: eps })];
  },
  // y = [p_1 x_1, …] or Σ c_m x_m, as in kernels/fuse.ts.
  fuse: (g, call) => {
    const { x, options } = call;
    const M: number = options.modalities;
    const xs = x.slice(0, M);
    const [present, v] = [x[M], x[M + 1]];
    const column = (table: string, m: number) =>
      g.node("Slice", [table, g.wholes([m]), g.wholes([m + 1]), g.wholes([1])]);
    const total = (terms: readonly string[]) => terms.reduce((a, b) => g.node("Add", [a, b]));
    if (options.fusion === "concat") {
      const kept = present ? xs.map((one, m) => g.node("Mul", [one, column(present, m)])) : xs;
      return [g.node("Concat", kept, { axis: 1 })];
    }
    const weights = v ? g.node("Softmax", [v], { axis: 0 }) : g.floats(new Float32Array(M).fill(1 / M));
    const row = g.node("Unsqueeze", [weights, g.wholes([0])]);
    if (!present) return [total(xs.map((one, m) => g.node("Mul", [one, column(row, m)])))];
    const shares = g.node("Mul", [present, row]);
    const sum = g.node("ReduceSum", [shares, g.wholes([1])], { keepdims: 1 });
    // An example without any modality gives 0, and its shares are 0 as well.
    const safe = g.node("Max", [sum, g.floats([1e-30])]);
    return [g.node("Div", [total(xs.map((one, m) => g.node("Mul", [one, column(shares, m)]))), safe])];
  },
};
