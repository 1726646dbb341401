import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, tensorOf, whole, y } from "../descriptor/index.ts";
import { embeddings } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

/* Two ops one after the other, as a bag of words is encoded. */

const op: Op = {
  call: ({ words, w }, o) => y(hg.maskedMean(hg.embedding(words!, w!, o), words!, o)),
  reference: ({ words, w }, o) => y(reference.meanEmbedding(words!, w!, o)),
  gradient: (_, d, { paddingIdx }) => reference.withoutRow(d, paddingIdx),
  variants: [embeddings],
  property: {
    draw: fc.tuple(size(5), size(6), size(9), size(7)).map(([N, L, V, D]) => ({
      inputs: { w: numbers([V, D], 1) },
      given: {
        words: tensorOf(
          [N, L],
          whole(N * L, (i) => (i * 5) % V),
        ),
      },
      options: { paddingIdx: 0 },
      // The row of padding is read, and gets no gradient.
      gradients: false,
    })),
    runs: 4,
  },
};
export default op;
