import { argmax, flatten, maskedMean, pad, type Tensor, where } from "../../autograd/index.ts";
import { tensorOf } from "../batch.ts";
import type { FullConfig } from "../config.ts";
import { embeddingLayer, type ParameterStore, recurrentLayer } from "../layers.ts";
import type { Encoder } from "./encoder.ts";

/**
 * Word vectors, [N, L] ids → [N, L, D], and one of
 *   mean      their mean over the words that are there: [N, D]
 *   flatten   all of them side by side: [N, tokens · D]; padding is word 0, whose vector is 0 and not learned
 *   gru       the last state of a GRU over the words up to the last that is there: [N, sentence]
 */
export function textEncoder(store: ParameterStore, config: FullConfig, vocabulary: number): Encoder {
  const { words: D, text, tokens = -1, sentence } = config;
  const vectors = embeddingLayer(store, "text.embedding", vocabulary, D);
  const idsOf = (batch: Parameters<Encoder["encode"]>[0], N: number, L = -1) =>
    tensorOf(store.engine, batch, "words", [N, L], "i32");
  if (text === "mean") {
    return {
      size: D,
      encode(batch, N) {
        const ids = idsOf(batch, N);
        return maskedMean(vectors(ids), ids);
      },
    };
  }
  if (text === "flatten")
    return { size: tokens * D, encode: (batch, N) => flatten(vectors(idsOf(batch, N, tokens)), { start: 1 }) };
  const recurrence = recurrentLayer(store, "text.gru", { cell: "gru", inputs: D, hidden: sentence });
  return {
    size: recurrence.size,
    encode(batch, N) {
      const ids = idsOf(batch, N);
      const places = store.engine.tensor(Float32Array.from({ length: ids.shape[1]! }, (_, i) => i + 1));
      return recurrence.last(vectors(ids), lengthsOf(ids, places));
    },
  };
}

/**
 * [N] i32: how many words there are up to the last that is not padding. Found on the device, since ids may be there: of
 * 0 and each word's place, counted from 1, the place of the largest.
 */
const lengthsOf = (ids: Tensor, places: Tensor): Tensor => argmax(pad(where(ids, places, 0), [1, 0]), { axis: 1 });
