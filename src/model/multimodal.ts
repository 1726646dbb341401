import {
  dropModalities,
  dropout,
  type Engine,
  flatten,
  fuse,
  maskedMean,
  maxPool2d,
  Tensor,
} from "../autograd/index.ts";
import type { Numbers } from "../autograd/ops.ts";
import type { Fusion } from "../kernels/fuse.ts";
import { count } from "../kernels/op.ts";
import { zeros } from "./initialise.ts";
import { convLayer, embeddingLayer, gruLayer, linearLayer, type Module, ParameterStore } from "./layers.ts";

/** What a network is made of. Saved with its weights. */
export interface MultimodalConfig {
  /** Channels, height and width of an image. */
  image: readonly [number, number, number];
  /** Words, padding (0) and unknown (1) among them. */
  vocabulary: number;
  /** Numbers that describe one frame of sound. */
  audio: number;
  classes: number;
  fusion: Fusion;
  /** Channels of the convolutions, each followed by ReLU and a max pooling that halves the image. */
  channels?: readonly number[];
  /** Size of a word vector. */
  words?: number;
  /** Size of the GRU's state. */
  hidden?: number;
  /** Size that average and weighted fusion project every modality to. */
  projection?: number;
  /** Size of the head's hidden layer. */
  head?: number;
  /** Probability that a number of the head's hidden layer is dropped in training. */
  dropout?: number;
  /** Probability that a modality of an example is hidden in training. */
  modalityDropout?: number;
}

export const modalities = ["image", "text", "audio"] as const;
export type Modality = (typeof modalities)[number];

/** N examples, as typed arrays or tensors. */
export interface Batch {
  /** [N, C, H, W] */
  image: Numbers;
  /** [N, L] ids; 0 is padding. */
  words: Numbers;
  /** [N, T, D] */
  audio: Numbers;
  /** [N]: how many of the T frames are there. Default: all. */
  frames?: Numbers;
  /** [N, 3]: 1 where an example has its image, text, audio, else 0. Default: all are there. */
  present?: Numbers;
}

const defaults = {
  channels: [16, 32],
  words: 32,
  hidden: 64,
  projection: 64,
  head: 128,
  dropout: 0,
  modalityDropout: 0,
};

/**
 * A network over picture, text and sound:
 *   image  convolutions 3×3 → ReLU → max pool 2, flattened
 *   text   word vectors, their mean over the words that are there
 *   audio  GRU over the frames, its last state
 * fused by concatenation, average or learned weights, then a hidden layer with ReLU and one logit a class. Any modality
 * may be missing, an example at a time.
 */
export class MultimodalNet implements Module {
  readonly config: Required<MultimodalConfig>;
  readonly engine: Engine;
  readonly #store: ParameterStore;
  readonly #encode: (batch: Batch, N: number) => Tensor[];
  readonly #head: (features: Tensor, p: number) => Tensor;
  readonly #fusionWeights: Tensor | undefined;

  /** @throws RangeError naming the option that cannot be. */
  constructor(engine: Engine, config: MultimodalConfig & { seed?: number }) {
    const { seed = 0, ...given } = config;
    this.config = { ...defaults, ...given };
    this.engine = engine;
    checkConfig(this.config);
    const store = new ParameterStore(engine, seed);
    this.#store = store;
    const { image, vocabulary, audio, classes, fusion, channels, words, hidden, projection, head } = this.config;

    const convolutions = channels.map((outputs, i) =>
      convLayer(store, `image.conv${i + 1}`, channels[i - 1] ?? image[0], outputs, 3, "relu"),
    );
    const wordVectors = embeddingLayer(store, "text.embedding", vocabulary, words);
    const recurrence = gruLayer(store, "audio.gru", audio, hidden);
    const encoders: Record<Modality, (batch: Batch, N: number) => Tensor> = {
      image: (batch, N) => {
        let x = this.#tensor("image", batch.image, [N, ...image]);
        for (const convolution of convolutions) x = maxPool2d(convolution(x), { kernel: 2 });
        return flatten(x, { start: 1 });
      },
      text: (batch, N) => {
        const ids = this.#tensor("words", batch.words, [N, -1], "i32");
        return maskedMean(wordVectors(ids), ids);
      },
      audio: (batch, N) => recurrence(this.#tensor("audio", batch.audio, [N, -1, audio]), batch.frames).hidden,
    };
    const halved = (n: number) => channels.reduce((size) => Math.floor(size / 2), n);
    const sizes: Record<Modality, number> = {
      image: channels.at(-1)! * halved(image[1]) * halved(image[2]),
      text: words,
      audio: hidden,
    };
    const project = (m: Modality) =>
      fusion === "concat" ? (x: Tensor) => x : linearLayer(store, `fusion.${m}`, sizes[m], projection);
    const projections = modalities.map(project);
    this.#encode = (batch, N) => modalities.map((m, i) => projections[i]!(encoders[m](batch, N)));
    this.#fusionWeights = fusion === "weighted" ? store.make("fusion.weights", [modalities.length], zeros) : undefined;

    const fused = fusion === "concat" ? sizes.image + sizes.text + sizes.audio : projection;
    const hiddenLayer = linearLayer(store, "head.hidden", fused, head, "relu");
    const outputLayer = linearLayer(store, "head.output", head, classes);
    this.#head = (features, p) => outputLayer(dropout(hiddenLayer(features), { p }));
  }

  parameters(): Record<string, Tensor> {
    return this.#store.parameters();
  }

  /** How many numbers are learned. */
  get size(): number {
    return Object.values(this.parameters()).reduce((sum, p) => sum + count(p.shape), 0);
  }

  /** Logits [N, classes]. Call it in a step. `training` turns dropout on. */
  forward(batch: Batch, { training = false }: { training?: boolean } = {}): Tensor {
    const features = this.encode(batch);
    const N = features[0]!.shape[0]!;
    let present = batch.present && this.#tensor("present", batch.present, [N, modalities.length]);
    if (training && this.config.modalityDropout > 0) {
      present ??= this.engine.tensor(new Float32Array(N * modalities.length).fill(1), [N, modalities.length]);
      present = dropModalities(present, { p: this.config.modalityDropout });
    }
    return this.classify(features, present, training ? this.config.dropout : 0);
  }

  /** The features of each modality, [N, D] each, in the order of `modalities`. */
  encode(batch: Batch): Tensor[] {
    const N = batch.image instanceof Tensor ? batch.image.shape[0]! : batch.image.length / count(this.config.image);
    return this.#encode(batch, N);
  }

  /** Logits [N, classes] from features, of which `present` [N, 3] tells what is there. */
  classify(features: readonly Tensor[], present?: Numbers, dropout = 0): Tensor {
    return this.#head(fuse(features, this.config.fusion, { present, weights: this.#fusionWeights }), dropout);
  }

  /** What the batch holds under `name` as a tensor of this shape; -1 stands for the size that fits. */
  #tensor(name: string, data: Numbers, shape: readonly number[], dtype: "f32" | "i32" = "f32"): Tensor {
    if (data instanceof Tensor) return data;
    const open = data.length / count(shape.filter((size) => size !== -1));
    const full = shape.map((size) => (size === -1 ? open : size));
    if (!full.every(Number.isInteger) || count(full) !== data.length) {
      throw new TypeError(
        `MultimodalNet: batch.${name} holds ${data.length} numbers, which do not fill [${shape.join(", ").replace("-1", "…")}].`,
      );
    }
    return this.engine.tensor(data, full, dtype);
  }
}

/** @throws RangeError naming the option that cannot be. */
function checkConfig(config: Required<MultimodalConfig>): void {
  const fail = (name: string, found: unknown, expected: string) => {
    throw new RangeError(`MultimodalNet: ${name} is ${found}, expected ${expected}.`);
  };
  const sizes: Record<string, unknown> = { ...config };
  for (const name of ["image", "vocabulary", "audio", "classes", "channels", "words", "hidden", "projection", "head"]) {
    const found = sizes[name];
    for (const n of Array.isArray(found) ? found : [found]) {
      if (!Number.isInteger(n) || n < 1) fail(name, found, "whole numbers of at least 1");
    }
  }
  for (const name of ["dropout", "modalityDropout"] as const) {
    if (!(config[name] >= 0 && config[name] < 1)) fail(name, config[name], "at least 0 and under 1");
  }
  if (config.image.length !== 3) fail("image", config.image, "channels, height and width");
  if (Math.min(config.image[1], config.image[2]) < 2 ** config.channels.length) {
    fail(
      "image",
      config.image,
      `sides of at least ${2 ** config.channels.length}, as ${config.channels.length} poolings halve it`,
    );
  }
  if (!["concat", "average", "weighted"].includes(config.fusion))
    fail("fusion", config.fusion, '"concat", "average" or "weighted"');
}
