import { tensorOf } from "../batch.ts";
import type { FullConfig } from "../config.ts";
import { type ParameterStore, recurrentLayer } from "../layers.ts";
import type { Encoder } from "./encoder.ts";

/** GRU or LSTM of several layers over frames, [N, T, D] → the last layer's last state [N, size]; both ways side by side. */
export function audioEncoder(store: ParameterStore, config: FullConfig, audio: number): Encoder {
  const { recurrence: cell, hidden, layers, bidirectional } = config;
  const recurrence = recurrentLayer(store, `audio.${cell}`, { cell, inputs: audio, hidden, layers, bidirectional });
  return {
    size: recurrence.size,
    encode: (batch, N) => recurrence.last(tensorOf(store.engine, batch, "audio", [N, -1, audio]), batch.frames),
  };
}
