import { argmax, type Engine, embedding, pad, reshape, Tensor, type TensorLike, where } from "../../autograd/index.ts";
import { checkFlag, checkList, checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { recurrentLayer } from "../layers.ts";
import type { EncoderKind } from "./encoder.ts";

/** How a network reads frames of sound: a recurrence over them. */
export interface AudioConfig {
  /** D, the numbers that describe one frame, such as mel bands. */
  features: number;
  /**
   * k, how many frames the recurrence takes at once, side by side (frame stacking, Sak et al. 2015): ⌈T / k⌉ steps of k · D numbers.
   * Default 1.
   */
  stack?: number;
  /** T, the number of frames of a sound, where it is always the same: an ONNX export with `stack` takes no others. */
  length?: number | undefined;
  /** The recurrent cell. Default "gru". */
  cell?: "gru" | "lstm";
  /** Size of its state. Default 64. */
  hidden?: number;
  /** Number of layers, each over the states of the one before. Default 1. */
  numLayers?: number;
  /** Whether it reads both ways; the features are then twice `hidden`. Default false. */
  bidirectional?: boolean;
}

/** The settings of sound, with every default filled in. */
export type FullAudioConfig = Required<Omit<AudioConfig, "length">> & Pick<AudioConfig, "length">;

/** What the audio encoder reads of a batch. */
export interface AudioFields {
  /** [N, T, D] */
  audio?: TensorLike | undefined;
  /** [N], how many of the T frames are there. Default: all. */
  frames?: TensorLike | undefined;
}

/** GRU or LSTM of several layers over frames, [N, T, D] → the last layer's last state [N, size]; both ways side by side. */
export const audioEncoder: EncoderKind<AudioConfig, FullAudioConfig, AudioFields> = {
  complete(operation, part, config) {
    checkOptions(`${operation}: ${part}`, config, {
      features: true,
      stack: true,
      length: true,
      cell: true,
      hidden: true,
      numLayers: true,
      bidirectional: true,
    });
    const { features, stack = 1, length, cell = "gru", hidden = 64, numLayers = 1, bidirectional = false } = config;
    for (const [name, n] of Object.entries({ features, stack, hidden, numLayers }))
      checkNumber(operation, `${part}.${name}`, n, number.wholeAtLeast1);
    if (length !== undefined) checkNumber(operation, `${part}.length`, length, number.wholeAtLeast1);
    checkName(operation, `${part}.cell`, cell, ["gru", "lstm"]);
    checkFlag(operation, `${part}.bidirectional`, bidirectional);
    return { features, stack, length, cell, hidden, numLayers, bidirectional };
  },
  fields: {
    audio: {
      shape: ({ features }) => ["N", "T", features],
      exportedShape({ features, stack, length }) {
        if (stack === 1) return ["N", "T", features];
        if (length === undefined)
          throw new TypeError(
            `onnxOf: the recurrence takes ${stack} frames at once. Give audio.length, the number of frames of a sound, in its configuration.`,
          );
        return ["N", length, features];
      },
    },
    frames: { shape: () => ["N"], dtype: "i32", optional: true },
  },
  create(store, { features, stack, length: _, cell, ...shape }) {
    const recurrence = recurrentLayer(store, `audio.${cell}`, { cell, inputs: stack * features, ...shape });
    return {
      size: recurrence.size,
      encode(read, { frames }) {
        const [x, lengths] = stacked(store.engine, read("audio"), frames, stack);
        return recurrence.last(x, lengths);
      },
    };
  },
};

/** Sound [N, T, D] and how many of its frames are there, as a recurrence over each k frames side by side takes them. */
function stacked(
  engine: Engine,
  x: Tensor,
  frames: TensorLike | undefined,
  k: number,
): [Tensor, TensorLike | undefined] {
  if (k === 1) return [x, frames];
  const [N, T, D] = x.shape as [number, number, number];
  const steps = Math.ceil(T / k);
  const stack = (x: Tensor) => reshape(pad(x, [0, 0, 0, steps * k - T]), [N, steps, k * D]);
  if (frames === undefined) return [stack(x), undefined];
  // Frames that are not there share a step with some that are: they are 0. On the device both are looked up by how many there are.
  const isThere = (count: number) => Array.from({ length: T }, (_, t) => Number(t < count));
  const stepOf = (count: number) => Array.from({ length: steps + 1 }, (_, t) => Number(t === Math.ceil(count / k)));
  const table = (row: (count: number) => number[], counts: readonly number[]) => {
    const rows = counts.map(row);
    return engine.tensor(Float32Array.from(rows.flat()), [rows.length, rows[0]?.length ?? T]);
  };
  const mask = (marks: Tensor) => where(reshape(marks, [N, T, 1]), x, 0);
  if (frames instanceof Tensor) {
    const counts = Array.from({ length: T + 1 }, (_, count) => count);
    const lengths = argmax(embedding(frames, table(stepOf, counts)), { axis: 1 });
    return [stack(mask(embedding(frames, table(isThere, counts)))), lengths];
  }
  checkList("MultimodalNet", "batch.frames", frames, "a tensor, a typed array or an array of numbers");
  const counts = Array.from(frames as ArrayLike<number>);
  for (const [n, count] of counts.entries())
    checkNumber("MultimodalNet", `batch.frames[${n}]`, count, {
      holds: (x) => Number.isInteger(x) && x >= 0 && x <= T,
      expected: `a whole number from 0 to ${T}`,
    });
  if (counts.length !== N)
    throw new TypeError(
      `MultimodalNet: batch.frames holds ${counts.length} numbers, expected ${N}, one for each example.`,
    );
  return [stack(mask(table(isThere, counts))), counts.map((count) => Math.ceil(count / k))];
}
