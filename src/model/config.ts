import { checkNumber, checkOptions, number } from "../check.ts";
import {
  type AnyEncoderKind,
  type EncoderConfigs,
  encoders,
  type FullEncoderConfigs,
  type Modality,
  modalities,
} from "./encoder/index.ts";
import { completeFusion, type FusionConfig } from "./fusion/index.ts";
import { completeHead, type HeadConfig } from "./head.ts";

/**
 * What a network is made of: plain data, saved with its weights. The modalities that are given are those that it reads;
 * at least one.
 */
export interface MultimodalConfig extends EncoderConfigs {
  /** How the modalities' features become one vector. Default: concatenation. */
  fusion?: FusionConfig;
  /** What it answers. */
  head: HeadConfig;
  /** Probability that a modality of an example is hidden in training; one is always left. Default 0. */
  modalityDropout?: number;
}

/** A configuration with every default filled in. */
export interface FullConfig extends FullEncoderConfigs {
  /** How the modalities' features become one vector. */
  readonly fusion: Required<FusionConfig>;
  /** What it answers. */
  readonly head: Required<HeadConfig>;
  /** Probability that a modality of an example is hidden in training. */
  readonly modalityDropout: number;
}

/** The modalities that a configuration names, in the order of features. */
export const modalitiesOf = (config: EncoderConfigs | FullEncoderConfigs): Modality[] =>
  modalities.filter((m) => config[m] !== undefined);

/** Fills in the defaults. @throws RangeError or TypeError naming the setting that cannot be, or that there is not. */
export function completeConfig(given: MultimodalConfig): FullConfig {
  const operation = "MultimodalNet";
  checkOptions(operation, given, {
    ...(Object.fromEntries(modalities.map((m) => [m, true])) as Record<Modality, true>),
    fusion: true,
    head: true,
    modalityDropout: true,
  });
  const { modalityDropout = 0 } = given;
  const read = modalitiesOf(given);
  if (read.length === 0)
    throw new RangeError(`${operation}: it takes nothing. Give at least one of ${modalities.join(", ")}.`);
  checkNumber(operation, "modalityDropout", modalityDropout, number.under1);
  return {
    ...Object.fromEntries(read.map((m) => [m, (encoders[m] as AnyEncoderKind).complete(operation, m, given[m]!)])),
    fusion: completeFusion(operation, given.fusion, read),
    head: completeHead(operation, given.head),
    modalityDropout,
  };
}

/** A configuration as version 0.1 wrote it, flat, by today's names and parts; one of today as it is. */
export function upgradedConfig(config: object): object {
  const flat = config as Record<string, unknown>;
  if (typeof flat.fusion !== "string") return config;
  const { image, channels, pool, vocabulary, words, text, tokens, sentence, audio, recurrence, ...more } = flat;
  const { hidden, layers, bidirectional, fusion, projection, rank, task, classes, head, dropout, ...others } = more;
  const tasks = new Map([
    ["class", "multiclass"],
    ["labels", "multilabel"],
    ["values", "regression"],
  ]);
  return {
    image: image && given({ shape: image, channels, pool }),
    text:
      vocabulary &&
      given({ vocabSize: vocabulary, embeddingDim: words, encoder: text, length: tokens, hidden: sentence }),
    audio: audio && given({ features: audio, cell: recurrence, hidden, numLayers: layers, bidirectional }),
    fusion: given({ kind: fusion, dim: projection, rank }),
    head: given({ task: tasks.get(task as string) ?? task, outputs: classes, hidden: head, dropout }),
    ...others,
  };
}

/** What was written: an absent setting has its default. */
const given = (settings: object): object =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined && value !== null));
