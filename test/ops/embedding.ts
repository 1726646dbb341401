import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, type Drawn, type Op, size, whole, y } from "../descriptor/index.ts";
import { embeddings } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

/** Repeated ids, any vocabulary. */
const draw: fc.Arbitrary<Drawn> = fc.tuple(size(300), size(40), size(5)).map(([n, V, D]) => ({
  inputs: { w: numbers([V, D], 1) },
  given: {
    ids: arrayOf(
      [n],
      whole(n, (i) => Math.floor(Math.abs(Math.sin(i * 3.3 + V)) * V) % V),
    ),
  },
  gradients: n * V * D < 20000,
}));

const op: Op = {
  call: ({ ids, w }, o) => y(hg.embedding(ids!, w!, o)),
  reference: ({ ids, w }) => y(reference.embedding(ids!, w!)),
  // The row of padding is read, and gets no gradient.
  gradient: (_, d, { paddingIdx }) => reference.withoutRow(d, paddingIdx),
  variants: [embeddings],
  property: { draw, runs: 15 },
};
export default op;
