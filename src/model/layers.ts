import { expectEngine } from "../autograd/engine.ts";
import {
  concat,
  conv2d,
  type Engine,
  embedding,
  gru,
  linear,
  lstm,
  permute,
  reshape,
  slice,
  type Tensor,
  type TensorLike,
} from "../autograd/index.ts";
import {
  checkFlag,
  checkFunction,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  checkText,
  describe,
  type Known,
  number,
} from "../check.ts";
import { Random } from "../data/random.ts";
import type { Activation } from "../kernels/snippets.ts";
import { type Initializer, normalAfter, uniformByFan } from "./initialize.ts";

/** Anything with parameters, by name, as PyTorch's state dict names them. */
export interface Module {
  /** @returns the parameters by name. */
  parameters(): Record<string, Tensor>;
  /**
   * What belongs to it but is not learned by gradients, such as the running averages of `batchNorm2d`: weights and checkpoints
   * hold it beside the parameters, optimizers do not get it. Names are those of no parameter.
   */
  buffers?(): Record<string, Tensor>;
}

/** All that a module's weights hold, by name: its parameters and its buffers. @throws TypeError where it is no module. */
export function tensorsOf(operation: string, module: Module): Record<string, Tensor> {
  if (typeof module !== "object" || module === null || typeof module.parameters !== "function")
    throw new TypeError(
      `${operation}: the module is ${describe(module)}, expected a network with parameters(), such as a MultimodalNet.`,
    );
  const parameters = module.parameters();
  const buffers = module.buffers?.() ?? {};
  for (const name of Object.keys(buffers)) {
    if (Object.hasOwn(parameters, name))
      throw new TypeError(`the network has a parameter and a buffer called ${name}. Give each a name of its own.`);
  }
  return { ...parameters, ...buffers };
}

/** The numbers that a parameter starts from; undefined where they are to be drawn. */
export type Start = (name: string, shape: readonly number[]) => Float32Array | undefined;

/**
 * Makes the parameters of a network of your own: each starts from a random stream of its own name and the network's seed.
 *
 * @example
 * const store = new ParameterStore(engine, 1);
 * const hidden = linearLayer(store, "hidden", { inputs: 784, outputs: 128, activation: "relu" });
 * const output = linearLayer(store, "output", { inputs: 128, outputs: 10 });
 * const optimizer = adam(store.parameters(), { lr: 1e-3 });
 */
export class ParameterStore implements Module {
  readonly #parameters = new Map<string, Tensor>();

  /**
   * @param engine that the parameters belong to.
   * @param seed of the random streams.
   * @param start gives the numbers of parameters that are not drawn. Default: all are drawn.
   */
  constructor(
    /** The engine that the parameters belong to. */
    readonly engine: Engine,
    /** Of the random streams. */
    readonly seed: number,
    /** Gives the numbers of parameters that are not drawn. */
    readonly start: Start = () => undefined,
  ) {
    expectEngine("ParameterStore", engine);
    checkNumber("ParameterStore", "seed", seed, number.whole);
    checkFunction("ParameterStore", "start", start);
  }

  /**
   * Makes a parameter.
   *
   * @param name unique in the store, such as "head.weight".
   * @param shape its sizes.
   * @param initialize draws its numbers.
   * @returns the parameter.
   * @throws Error where the name is taken.
   */
  make(name: string, shape: readonly number[], initialize: Initializer): Tensor {
    checkText("ParameterStore.make", "name", name);
    checkList("ParameterStore.make", "the shape", shape, "a list of sizes");
    checkFunction("ParameterStore.make", "initialize", initialize);
    if (this.#parameters.has(name)) throw new Error(`the network has two parameters called ${name}.`);
    const n = shape.reduce((a, b) => a * b, 1);
    const numbers = this.start(name, shape) ?? initialize(n, new Random("parameter", this.seed, name));
    const parameter = this.engine.parameter(numbers, shape);
    this.#parameters.set(name, parameter);
    return parameter;
  }

  /** @returns the parameters by name, in the order in which they were made. */
  parameters(): Record<string, Tensor> {
    return Object.fromEntries(this.#parameters);
  }
}

/** The sizes of a linear layer, and what is done to its results. */
export interface LinearLayerOptions {
  /** Size of x's last axis. */
  inputs: number;
  /** Size of y's last axis. */
  outputs: number;
  /** Default "none". */
  activation?: Activation;
  /** Draws the bias. Default: uniform in ±1/√inputs, as PyTorch. */
  bias?: Initializer;
}

/**
 * A linear layer: y = f(x · wᵀ + b), with parameters `name`.weight [outputs, inputs] and `name`.bias [outputs].
 *
 * @param store makes the parameters.
 * @param name the beginning of their names.
 * @param options.inputs size of x's last axis.
 * @param options.outputs size of y's last axis.
 * @param options.activation f. Default "none".
 * @param options.bias draws b. Default: uniform in ±1/√inputs, as PyTorch.
 * @returns the layer, x [N, inputs] → y [N, outputs]. Differentiable in x, w and b.
 * @throws Error where the name is taken; TypeError or RangeError naming the option that cannot be.
 * @example const layer = linearLayer(store, "hidden", { inputs: 784, outputs: 128, activation: "relu" });
 */
export function linearLayer(store: ParameterStore, name: string, options: LinearLayerOptions) {
  if (!(store instanceof ParameterStore))
    throw new TypeError(`linearLayer: the store is ${describe(store)}, expected a ParameterStore.`);
  checkText("linearLayer", "name", name);
  checkOptions("linearLayer", options, { inputs: true, outputs: true, activation: true, bias: true });
  const { inputs, outputs, activation = "none", bias } = options ?? {};
  for (const [what, n] of Object.entries({ inputs, outputs }))
    checkNumber("linearLayer", what, n, number.wholeAtLeast1);
  const w = store.make(`${name}.weight`, [outputs, inputs], uniformByFan(inputs));
  const b = store.make(`${name}.bias`, [outputs], bias ?? uniformByFan(inputs));
  return (x: Tensor): Tensor => linear(x, w, b, { activation });
}

interface ConvLayerOptions {
  /** Channels. */
  inputs: number;
  outputs: number;
  /** Of the window's sides, odd with a stride. */
  size: number;
  /** Default 1. */
  stride?: number;
  /** Default "none". */
  activation?: Activation;
}

/** A square convolution, `name`.weight [outputs, inputs, size, size]; sides H become ⌈H / stride⌉. */
export function convLayer(
  store: ParameterStore,
  name: string,
  { inputs, outputs, size, stride = 1, activation = "none" }: ConvLayerOptions,
) {
  const fan = inputs * size * size;
  const w = store.make(`${name}.weight`, [outputs, inputs, size, size], uniformByFan(fan));
  const b = store.make(`${name}.bias`, [outputs], uniformByFan(fan));
  const window = stride === 1 ? { padding: "same" as const } : { stride, padding: (size - 1) / 2 };
  return (x: Tensor): Tensor => conv2d(x, w, b, { ...window, activation });
}

/**
 * Doubles an image's sides: a square convolution to four times the channels, of which each four become the pixels of a
 * 2 × 2 square (Shi et al. 2016; PyTorch's pixel_shuffle): [N, inputs, H, W] → [N, outputs, 2H, 2W].
 */
export function upsampleLayer(store: ParameterStore, name: string, inputs: number, outputs: number, size: number) {
  const convolution = convLayer(store, name, { inputs, outputs: 4 * outputs, size });
  return (x: Tensor): Tensor => {
    const [N, , H, W] = x.shape as [number, number, number, number];
    const squares = permute(reshape(convolution(x), [N, outputs, 2, 2, H, W]), [0, 1, 4, 2, 5, 3]);
    return reshape(squares, [N, outputs, 2 * H, 2 * W]);
  };
}

/** Word vectors, `name`.weight [words, size]; word 0 is padding and is not learned. */
export function embeddingLayer(store: ParameterStore, name: string, words: number, size: number) {
  const w = store.make(`${name}.weight`, [words, size], normalAfter(size));
  return (ids: TensorLike): Tensor => embedding(ids, w, { paddingIdx: 0 });
}

export interface RecurrentShape {
  cell: "gru" | "lstm";
  inputs: number;
  hidden: number;
  numLayers?: number;
  bidirectional?: boolean;
}

const recurrentShape: Known<RecurrentShape> = {
  cell: true,
  inputs: true,
  hidden: true,
  numLayers: true,
  bidirectional: true,
};

/** GRU or LSTM of several layers and both directions, with PyTorch's names for its weights. */
export function recurrentLayer(store: ParameterStore, name: string, shape: RecurrentShape) {
  checkOptions(name, shape, recurrentShape);
  const { cell, inputs, hidden: H, numLayers = 1, bidirectional = false } = shape;
  checkName(name, "cell", cell, ["gru", "lstm"]);
  for (const [what, n] of Object.entries({ inputs, hidden: H, numLayers }))
    checkNumber(name, what, n, number.wholeAtLeast1);
  checkFlag(name, "bidirectional", bidirectional);
  const gates = { gru: 3, lstm: 4 }[cell];
  const directions = bidirectional ? 2 : 1;
  const weights = Array.from({ length: numLayers * directions }, (_, i) => {
    const [layer, direction] = [Math.floor(i / directions), i % directions];
    const make = (part: string, size: number[]) =>
      store.make(`${name}.${part}_l${layer}${direction === 1 ? "_reverse" : ""}`, size, uniformByFan(H));
    return {
      weightIh: make("weight_ih", [gates * H, layer === 0 ? inputs : directions * H]),
      weightHh: make("weight_hh", [gates * H, H]),
      biasIh: make("bias_ih", [gates * H]),
      biasHh: make("bias_hh", [gates * H]),
    };
  });
  const run = { gru, lstm }[cell];
  return {
    size: directions * H,
    /** The last state of the last layer, [N, T, inputs] → [N, size]; both directions side by side. */
    last(x: Tensor, lengths?: TensorLike): Tensor {
      const { hidden } = run(x, weights, { lengths, numLayers, bidirectional });
      const N = x.shape[0]!;
      if (weights.length === 1 && cell === "gru") return hidden;
      // States lie one after another, an LSTM's two apiece, of which the first is the one it shows.
      const each = cell === "lstm" ? 2 : 1;
      const states = reshape(hidden, [weights.length * each, N, H]);
      const last = Array.from({ length: directions }, (_, d) => {
        const start = (weights.length - directions + d) * each;
        return reshape(slice(states, { axis: 0, start, end: start + 1 }), [N, H]);
      });
      return directions === 1 ? last[0]! : concat(last, { axis: 1 });
    },
  };
}
