import type { TensorLike } from "../../autograd/index.ts";
import { checkFlag, checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { recurrentLayer } from "../layers.ts";
import type { EncoderKind } from "./encoder.ts";

/** How a network reads frames of sound: a recurrence over them. */
export interface AudioConfig {
  /** D, the numbers that describe one frame, such as mel bands. */
  features: number;
  /** The recurrent cell. Default "gru". */
  cell?: "gru" | "lstm";
  /** Size of its state. Default 64. */
  hidden?: number;
  /** Number of layers, each over the states of the one before. Default 1. */
  numLayers?: number;
  /** Whether it reads both ways; the features are then twice `hidden`. Default false. */
  bidirectional?: boolean;
}

/** What the audio encoder reads of a batch. */
export interface AudioFields {
  /** [N, T, D] */
  audio?: TensorLike | undefined;
  /** [N], how many of the T frames are there. Default: all. */
  frames?: TensorLike | undefined;
}

/** GRU or LSTM of several layers over frames, [N, T, D] → the last layer's last state [N, size]; both ways side by side. */
export const audioEncoder: EncoderKind<AudioConfig, Required<AudioConfig>, AudioFields> = {
  complete(operation, part, config) {
    checkOptions(`${operation}: ${part}`, config, {
      features: true,
      cell: true,
      hidden: true,
      numLayers: true,
      bidirectional: true,
    });
    const { features, cell = "gru", hidden = 64, numLayers = 1, bidirectional = false } = config;
    for (const [name, n] of Object.entries({ features, hidden, numLayers }))
      checkNumber(operation, `${part}.${name}`, n, number.wholeAtLeast1);
    checkName(operation, `${part}.cell`, cell, ["gru", "lstm"]);
    checkFlag(operation, `${part}.bidirectional`, bidirectional);
    return { features, cell, hidden, numLayers, bidirectional };
  },
  fields: {
    audio: { shape: ({ features }) => ["N", "T", features] },
    frames: { shape: () => ["N"], dtype: "i32", optional: true },
  },
  create(store, { features, cell, ...shape }) {
    const recurrence = recurrentLayer(store, `audio.${cell}`, { cell, inputs: features, ...shape });
    return {
      size: recurrence.size,
      encode: (read, { frames }) => recurrence.last(read("audio"), frames),
    };
  },
};
