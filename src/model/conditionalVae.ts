import { expectEngine } from "../autograd/engine.ts";
import {
  add,
  binaryCrossEntropyWithLogits,
  concat,
  div,
  type Engine,
  exp,
  layerNorm,
  mul,
  normal,
  relu,
  reshape,
  sigmoid,
  split,
  sub,
  sum,
  Tensor,
  type TensorLike,
} from "../autograd/index.ts";
import { checkList, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { count } from "../kernels/op.ts";
import { linearLayer, type Module, ParameterStore, upsampleLayer } from "./layers.ts";

/** Sizes of a `ConditionalVae`. */
export interface ConditionalVaeConfig {
  /** F, the size of the features that say what to draw, such as a network's `fusedSize`. */
  features: number;
  /** Channels, height and width; both sides can be halved as often as there are `channels`. */
  image: readonly [number, number, number];
  /** Z, how many random numbers tell one drawing from another of the same features. Default 16. */
  noise?: number;
  /** Size of the encoder's hidden layer. Default 128. */
  hidden?: number;
  /** Channels before each doubling of the image. Default [32, 16]. */
  channels?: readonly number[];
}

/** The loss of a `ConditionalVae`. */
export interface VaeLossOptions {
  /** β, the weight of the KL divergence. Default 1. */
  beta?: number;
}

const vaeOptions: Known<ConditionalVaeConfig> = {
  features: true,
  image: true,
  noise: true,
  hidden: true,
  channels: true,
};
const lossOptions = { beta: true } as const;
const defaults = { noise: 16, hidden: 128, channels: [32, 16] };

/**
 * Draws images of what fused features say: a conditional variational autoencoder (Kingma and Welling 2014; Sohn, Lee and
 * Yan 2015). With features f [N, F], an image x and random z [N, Z]:
 *   an encoder, for learning alone   μ, log σ² = E(x, f),  z = μ + σ ∘ ε,  ε normal
 *   a decoder                        p(x | z, f) = σ(D(z, f)), pixel by pixel
 *   loss = −log p(x | z, f) + β · KL(N(μ, σ²) ‖ N(0, 1)), the mean over examples, in nats
 * D is linear, then convolutions that each double the image's sides. Features are normalized (layer norm) first, so that
 * any network's will do.
 *
 * @example
 * const vae = new ConditionalVae(engine, { features: net.fusedSize, image: [1, 28, 28] });
 * const loss = await engine.step(() => vae.loss(features, images));
 */
export class ConditionalVae implements Module {
  /** All options, defaults among them. */
  readonly config: Required<ConditionalVaeConfig>;
  /** The engine that its parameters belong to. */
  readonly engine: Engine;
  readonly #store: ParameterStore;
  readonly #encode: (x: Tensor) => Tensor;
  readonly #decode: (x: Tensor) => Tensor;

  /**
   * @param engine that the parameters belong to.
   * @param config sizes, and the seed of the parameters.
   * @throws RangeError naming the option that cannot be.
   */
  constructor(engine: Engine, config: ConditionalVaeConfig & { seed?: number }) {
    expectEngine("ConditionalVae", engine);
    const { seed = 0, ...given } = config ?? {};
    checkOptions("ConditionalVae", given, vaeOptions);
    checkNumber("ConditionalVae", "seed", seed, number.whole);
    this.config = { ...defaults, ...given };
    this.engine = engine;
    check(this.config);
    const store = new ParameterStore(engine, seed);
    this.#store = store;
    const { features: F, image, noise: Z, hidden, channels } = this.config;
    const [C, H, W] = image;

    const seen = linearLayer(store, "encoder.hidden", { inputs: C * H * W + F, outputs: hidden, activation: "relu" });
    const spread = linearLayer(store, "encoder.output", { inputs: hidden, outputs: 2 * Z });
    this.#encode = (x) => spread(seen(x));

    const small = [channels[0] ?? C, H / 2 ** channels.length, W / 2 ** channels.length];
    const idea = linearLayer(store, "decoder.hidden", { inputs: F + Z, outputs: hidden, activation: "relu" });
    const sketch = linearLayer(store, "decoder.sketch", { inputs: hidden, outputs: count(small) });
    const stages = channels.map((inputs, i) =>
      upsampleLayer(store, `decoder.up${i + 1}`, inputs, channels[i + 1] ?? C, 3),
    );
    this.#decode = (x) =>
      stages.reduce((y, stage) => stage(relu(y)), reshape(sketch(idea(x)), [x.shape[0]!, ...small]));
  }

  /** @returns its parameters by name. */
  parameters(): Record<string, Tensor> {
    return this.#store.parameters();
  }

  /**
   * The negative evidence lower bound; called in a step.
   *
   * loss = −log p(x | z, f) + β · KL(N(μ, σ²) ‖ N(0, 1)), in nats
   *
   * @param image x [N, C, H, W], 0 to 1.
   * @param features f [N, F]
   * @param options.beta the weight of the KL divergence. Default 1.
   * @returns the mean over the examples, a scalar. Differentiable in all parameters and the features.
   * @throws TypeError where image or features do not fit; RangeError where β is below 0.
   */
  loss(image: TensorLike, features: TensorLike, options: VaeLossOptions = {}): Tensor {
    checkOptions("ConditionalVae.loss", options, lossOptions);
    const { beta = 1 } = options;
    checkNumber("ConditionalVae.loss", "beta", beta, number.atLeast0);
    const { image: shape, noise: Z } = this.config;
    const f = this.#features(features);
    const N = f.shape[0]!;
    const x = this.#tensor("image", image, [N, count(shape)]);
    const [mu, logVariance] = split(this.#encode(concat([x, f], { axis: 1 })), Z, { axis: 1 }) as [Tensor, Tensor];
    const z = add(mu, mul(exp(mul(logVariance, 0.5)), normal(this.engine, [N, Z])));
    const logits = reshape(this.#decode(concat([f, z], { axis: 1 })), [N, count(shape)]);
    const missed = binaryCrossEntropyWithLogits(logits, x, { reduction: "sum" });
    const divergence = sum(sub(add(mul(mu, mu), exp(logVariance)), add(logVariance, 1)));
    return div(add(missed, mul(divergence, 0.5 * beta)), N);
  }

  /**
   * Decodes images from features and noise; called in a step.
   *
   * @param features f [N, F]
   * @param noise z [N, Z]. Default: drawn by the engine's seed, another in every step.
   * @returns images [N, C, H, W], 0 to 1.
   * @throws TypeError where features or noise do not fit.
   */
  draw(features: TensorLike, noise?: TensorLike): Tensor {
    const f = this.#features(features);
    const shape = [f.shape[0]!, this.config.noise];
    const z = noise ? this.#tensor("noise", noise, shape) : normal(this.engine, shape);
    return sigmoid(this.#decode(concat([f, z], { axis: 1 })));
  }

  #features(features: TensorLike): Tensor {
    const F = this.config.features;
    const N = features instanceof Tensor ? features.shape[0]! : features.length / F;
    return layerNorm(this.#tensor("features", features, [N, F]));
  }

  #tensor(name: string, data: TensorLike, shape: readonly number[]): Tensor {
    const found = data instanceof Tensor ? count(data.shape) : data.length;
    if (!shape.every(Number.isInteger) || found !== count(shape))
      throw new TypeError(`ConditionalVae: ${name} holds ${found} numbers, which do not fill [${shape.join(", ")}].`);
    return data instanceof Tensor ? reshape(data, shape) : this.engine.tensor(data, shape, "f32");
  }
}

/** @throws RangeError naming the option that cannot be. */
function check(config: Required<ConditionalVaeConfig>): void {
  checkList("ConditionalVae", "image", config.image, "channels, height and width");
  checkList("ConditionalVae", "channels", config.channels, "an array of numbers");
  for (const [name, found] of Object.entries(config)) {
    for (const n of [found].flat() as number[])
      if (!Number.isInteger(n) || n < 1)
        throw new RangeError(`ConditionalVae: ${name} is ${found}, expected whole numbers of at least 1.`);
  }
  const { image, channels } = config;
  const part = 2 ** channels.length;
  if (image.length !== 3 || image[1] % part !== 0 || image[2] % part !== 0)
    throw new RangeError(
      `ConditionalVae: image is ${image}, expected channels, and a height and width that ${part} divides, as ${channels.length} layers double them.`,
    );
}
