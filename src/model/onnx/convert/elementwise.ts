import type { Graph } from "../graph.ts";
import { activationNodes, type Converter } from "./converter.ts";

/* Functions of numbers one by one. */

const plain =
  (type: string): Converter =>
  (g, { x }) => [g.node(type, x)];

/** NaN apart, ONNX's functions are those of kernels/elementwise.ts. */
export const elementwise: Record<string, Converter> = {
  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  pow: plain("Pow"),
  maximum: plain("Max"),
  minimum: plain("Min"),
  relu: plain(activationNodes.relu),
  tanh: plain(activationNodes.tanh),
  sigmoid: plain(activationNodes.sigmoid),
  neg: plain("Neg"),
  exp: plain("Exp"),
  log: plain("Log"),
  sqrt: plain("Sqrt"),
  abs: plain("Abs"),
  softplus: plain("Softplus"),
  silu: (g, { x }) => [g.node("Mul", [x[0]!, g.node("Sigmoid", x)])],
  gelu: (g, { x }) => {
    const erf = g.node("Erf", [g.node("Mul", [x[0]!, g.floats([Math.SQRT1_2], [])])]);
    return [g.node("Mul", [half(g, x[0]!), g.node("Add", [erf, g.floats([1], [])])])];
  },
  leakyRelu: (g, { x, options }) => [g.node("LeakyRelu", x, { alpha: { float: options.p } })],
  clamp: (g, { x, options }) => [g.node("Clip", [x[0]!, g.floats([options.p], []), g.floats([options.q], [])])],
  where: (g, { x }) => [g.node("Where", [g.node("Cast", [x[0]!], { to: 9 }), x[1]!, x[2]!])],
  softmax: (g, { x }) => [g.node("Softmax", x, { axis: -1 })],
  logSoftmax: (g, { x }) => [g.node("LogSoftmax", x, { axis: -1 })],
};

const half = (g: Graph, x: string): string => g.node("Mul", [x, g.floats([0.5], [])]);
