import { audioEncoder } from "./audio.ts";
import type { EncoderKind } from "./encoder.ts";
import { imageEncoder } from "./image.ts";
import { textEncoder } from "./text.ts";

/** The encoders by modality, in the order of features, `present` and fusion. A new modality is a line here. */
export const encoders = {
  /** Pictures. Default: the network sees none. */
  image: imageEncoder,
  /** Words. Default: the network reads none. */
  text: textEncoder,
  /** Sound. Default: the network hears none. */
  audio: audioEncoder,
};

/** What a network can read: the name of an encoder. */
export type Modality = keyof typeof encoders;
/** The modalities by name, in the order of features, `present` and fusion. */
export const modalities = Object.keys(encoders) as readonly Modality[];

type Parts<Kind> = Kind extends EncoderKind<infer Config, infer Full, infer Fields> ? [Config, Full, Fields] : never;
type All<T> = (T extends unknown ? (x: T) => void : never) extends (x: infer Both) => void ? Both : never;

/** The settings of each modality that a network reads. */
export type EncoderConfigs = { [M in keyof typeof encoders]?: Parts<(typeof encoders)[M]>[0] | undefined };
/** The same, with every default filled in. */
export type FullEncoderConfigs = { [M in keyof typeof encoders]?: Parts<(typeof encoders)[M]>[1] | undefined };
/** What the encoders read of a batch, all together. */
export type BatchFields = All<Parts<(typeof encoders)[Modality]>[2]>;

/** An encoder of whatever settings, for what goes through all of them. */
export type AnyEncoderKind = EncoderKind<object, object, BatchFields>;
