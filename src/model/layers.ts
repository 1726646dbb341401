import { conv2d, type Engine, embedding, gru, linear, type Tensor } from "../autograd/index.ts";
import type { Numbers } from "../autograd/ops.ts";
import { Random } from "../data/random.ts";
import type { Activation } from "../kernels/op.ts";
import { type Initialiser, normalAfter, uniformByFan } from "./initialise.ts";

/** Anything with parameters, by name, as PyTorch's state dict names them. */
export interface Module {
  parameters(): Record<string, Tensor>;
}

/** Makes the parameters of a network: each starts from a random stream of its own name and the network's seed. */
export class ParameterStore implements Module {
  readonly #parameters: Record<string, Tensor> = {};

  constructor(
    readonly engine: Engine,
    readonly seed: number,
  ) {}

  make(name: string, shape: readonly number[], initialise: Initialiser): Tensor {
    if (this.#parameters[name]) throw new Error(`the network has two parameters called ${name}.`);
    const n = shape.reduce((a, b) => a * b, 1);
    const parameter = this.engine.parameter(initialise(n, new Random("parameter", this.seed, name)), shape);
    this.#parameters[name] = parameter;
    return parameter;
  }

  parameters(): Record<string, Tensor> {
    return { ...this.#parameters };
  }
}

/** y = f(x · wᵀ + b), `name`.weight [outputs, inputs] and `name`.bias [outputs]. */
export function linearLayer(
  store: ParameterStore,
  name: string,
  inputs: number,
  outputs: number,
  activation: Activation = "none",
) {
  const w = store.make(`${name}.weight`, [outputs, inputs], uniformByFan(inputs));
  const b = store.make(`${name}.bias`, [outputs], uniformByFan(inputs));
  return (x: Tensor): Tensor => linear(x, w, b, { activation });
}

/** A square convolution that keeps the image's size, `name`.weight [outputs, inputs, size, size]. */
export function convLayer(
  store: ParameterStore,
  name: string,
  inputs: number,
  outputs: number,
  size: number,
  activation: Activation = "none",
) {
  const fan = inputs * size * size;
  const w = store.make(`${name}.weight`, [outputs, inputs, size, size], uniformByFan(fan));
  const b = store.make(`${name}.bias`, [outputs], uniformByFan(fan));
  return (x: Tensor): Tensor => conv2d(x, w, b, { padding: "same", activation });
}

/** Word vectors, `name`.weight [words, size]; word 0 is padding and is not learned. */
export function embeddingLayer(store: ParameterStore, name: string, words: number, size: number) {
  const w = store.make(`${name}.weight`, [words, size], normalAfter(size));
  return (ids: Numbers): Tensor => embedding(ids, w, { paddingIdx: 0 });
}

/** GRU of one layer, with PyTorch's names for its weights. */
export function gruLayer(store: ParameterStore, name: string, inputs: number, hidden: number) {
  const make = (part: string, shape: number[]) => store.make(`${name}.${part}_l0`, shape, uniformByFan(hidden));
  const w = {
    weightIh: make("weight_ih", [3 * hidden, inputs]),
    weightHh: make("weight_hh", [3 * hidden, hidden]),
    biasIh: make("bias_ih", [3 * hidden]),
    biasHh: make("bias_hh", [3 * hidden]),
  };
  return (x: Tensor, lengths?: Numbers) => gru(x, w, { lengths });
}
