import type { Activation } from "../../../kernels/snippets.ts";
import type { Graph } from "../graph.ts";

/** Sizes; undefined where a size is another for another batch. */
export type Sizes = readonly (number | undefined)[];

/** A call of an op, to be written as ONNX nodes. */
export interface TracedCall {
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: each converter knows the options of its op, whose shape rule has checked them.
  readonly options: any;
  /** Names of the inputs, "" where one is left out. */
  readonly x: readonly string[];
  /** Sizes of the inputs and of the outputs. */
  readonly from: readonly Sizes[];
  readonly to: readonly Sizes[];
}

/** Adds an op's nodes to a graph, and gives the names of its outputs. */
export type Converter = (g: Graph, call: TracedCall) => string[];

export const activationNodes: Record<Exclude<Activation, "none">, string> = {
  relu: "Relu",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
};

/** The activation that an op has fused in, as a node of its own. */
export const activated = (g: Graph, y: string, activation: Activation = "none"): string =>
  activation === "none" ? y : g.node(activationNodes[activation], [y]);

/** A size that must be the same for every batch. */
export function fixed(call: TracedCall, size: number | undefined, what: string): number {
  if (size === undefined)
    throw new TypeError(`onnx: ${call.op} has ${what} that changes with the batch, which has no ONNX form here.`);
  return size;
}

/** The shape to reshape to: at most one size may change with the batch, and is left to be found. */
export function target(call: TracedCall, to: Sizes): number[] {
  if (to.filter((size) => size === undefined).length > 1)
    throw new TypeError(
      `onnx: ${call.op} gives [${to.map((size) => size ?? "?").join(", ")}], of which at most one size may change with the batch.`,
    );
  return to.map((size) => size ?? -1);
}

/** 1.0 where whole numbers are not `value`, else 0.0. */
export const isNot = (g: Graph, ids: string, value: number): string => {
  const equal = g.node("Equal", [ids, g.int32(value)]);
  return g.node("Cast", [g.node("Not", [equal])], { to: 1 });
};
