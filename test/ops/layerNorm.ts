import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { rows, sums } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, w, b }, o) => y(hg.layerNorm(x!, w, b, o)),
  reference: ({ x, w, b }, o) => y(reference.layerNorm(x!, w, b, o)),
  variants: [sums, rows],
  property: {
    draw: fc.tuple(size(3), fc.integer({ min: 2, max: 70 })).map(([N, D]) => ({
      inputs: { x: numbers([N, D], 1), w: numbers([D], 2), b: numbers([D], 3) },
    })),
    runs: 12,
  },
  long: [
    {
      name: "layerNorm: long",
      run: (engine) =>
        agreeAlong(
          engine,
          { x: numbers([2, 333], 1), w: numbers([333], 2), b: numbers([333], 3) },
          ({ x, w, b }) => ({ y: hg.layerNorm(x!, w, b) }),
          ({ x, w, b }) => ({ y: reference.layerNorm(x!, w, b, {}) }),
        ),
    },
  ],
};
export default op;
