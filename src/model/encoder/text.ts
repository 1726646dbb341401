import { argmax, flatten, maskedMean, pad, type Tensor, type TensorLike, where } from "../../autograd/index.ts";
import { checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { embeddingLayer, type ParameterStore, recurrentLayer } from "../layers.ts";
import type { Encoder, EncoderKind } from "./encoder.ts";

/** How word vectors become features: their mean, all of them side by side, or a GRU's last state. */
export type TextEncoder = "mean" | "flatten" | "gru";

/** How a network reads words: their vectors, and one of three ways to make one feature vector of them. */
export interface TextConfig {
  /** Number of words, padding (0) and unknown (1) among them. */
  vocabSize: number;
  /** Size of a word vector. Default 32. */
  embeddingDim?: number;
  /** How word vectors become features: their mean, all of them side by side, or a GRU's last state. Default "mean". */
  encoder?: TextEncoder;
  /** Number of words of a text: "flatten" takes texts of this length alone, and an ONNX export of "gru" does. */
  length?: number | undefined;
  /** Size of the GRU's state. Default 64. */
  hidden?: number;
}

/** The settings of words, with every default filled in. */
export type FullTextConfig = Required<Omit<TextConfig, "length">> & Pick<TextConfig, "length">;

/** What the text encoder reads of a batch. */
export interface TextFields {
  /** [N, L] ids; 0 is padding. */
  words?: TensorLike | undefined;
}

/** Makes features of word vectors. */
type CreateText = (store: ParameterStore, config: FullTextConfig) => Encoder<TextFields>;

const vectorsOf = (store: ParameterStore, { vocabSize, embeddingDim }: FullTextConfig) =>
  embeddingLayer(store, "text.embedding", vocabSize, embeddingDim);

/** The mean over the words that are there: [N, D]. */
const meanOfWords: CreateText = (store, config) => {
  const vectors = vectorsOf(store, config);
  return {
    size: config.embeddingDim,
    encode(read) {
      const ids = read("words");
      return maskedMean(vectors(ids), ids);
    },
  };
};

/** All of them side by side, [N, length · D]; padding is word 0, whose vector is 0 and not learned. */
const flattened: CreateText = (store, config) => {
  const vectors = vectorsOf(store, config);
  return {
    size: config.length! * config.embeddingDim,
    encode: (read) => flatten(vectors(read("words")), { start: 1 }),
  };
};

/** The last state of a GRU over the words up to the last that is there: [N, hidden]. */
const gruOfWords: CreateText = (store, config) => {
  const vectors = vectorsOf(store, config);
  const recurrence = recurrentLayer(store, "text.gru", {
    cell: "gru",
    inputs: config.embeddingDim,
    hidden: config.hidden,
  });
  return {
    size: recurrence.size,
    encode(read) {
      const ids = read("words");
      const places = store.engine.tensor(Float32Array.from({ length: ids.shape[1]! }, (_, i) => i + 1));
      return recurrence.last(vectors(ids), lengthsOf(ids, places));
    },
  };
};

/**
 * What there is to make features of word vectors, [N, L, D], the default first. A new one is a name in `TextEncoder`, a function
 * above and a line here. `ofLength`: whether it takes texts of `length` words alone, always, in an ONNX file (where a shape may leave
 * one size open, N, but not the number of words too), or never.
 */
const choices: Record<TextEncoder, { create: CreateText; ofLength: "never" | "exported" | "always" }> = {
  mean: { create: meanOfWords, ofLength: "never" },
  flatten: { create: flattened, ofLength: "always" },
  gru: { create: gruOfWords, ofLength: "exported" },
};

/** By name, the default first. */
export const textEncoders = Object.keys(choices) as readonly TextEncoder[];

/** Word vectors, [N, L] ids → [N, L, D], and features of them. */
export const textEncoder: EncoderKind<TextConfig, FullTextConfig, TextFields> = {
  complete(operation, part, config) {
    checkOptions(`${operation}: ${part}`, config, {
      vocabSize: true,
      embeddingDim: true,
      encoder: true,
      length: true,
      hidden: true,
    });
    const { vocabSize, embeddingDim = 32, encoder = "mean", length, hidden = 64 } = config;
    for (const [name, n] of Object.entries({ vocabSize, embeddingDim, hidden }))
      checkNumber(operation, `${part}.${name}`, n, number.wholeAtLeast1);
    checkName(operation, `${part}.encoder`, encoder, textEncoders);
    if (length !== undefined) checkNumber(operation, `${part}.length`, length, number.wholeAtLeast1);
    else if (choices[encoder].ofLength === "always")
      throw new RangeError(
        `${operation}: ${part}.length is undefined, expected a whole number of at least 1, as the encoder is "${encoder}".`,
      );
    return { vocabSize, embeddingDim, encoder, length, hidden };
  },
  fields: {
    words: {
      dtype: "i32",
      shape: ({ encoder, length }) => ["N", choices[encoder].ofLength === "always" ? length! : "L"],
      exportedShape({ encoder, length }) {
        if (choices[encoder].ofLength === "never") return ["N", "L"];
        if (length === undefined)
          throw new TypeError(
            `onnxOf: the text encoder is "${encoder}". Give text.length, the number of words of a text, in its configuration.`,
          );
        return ["N", length];
      },
    },
  },
  create: (store, config) => choices[config.encoder].create(store, config),
};

/**
 * [N] i32: how many words there are up to the last that is not padding. Found on the device, since ids may be there: of
 * 0 and each word's place, counted from 1, the place of the largest.
 */
const lengthsOf = (ids: Tensor, places: Tensor): Tensor => argmax(pad(where(ids, places, 0), [1, 0]), { axis: 1 });
