import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { anyShape, distinct, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.argmax(x!, o)),
  reference: ({ x }, o) => y(reference.argmax(x!, o)),
  property: {
    draw: fc.tuple(anyShape, fc.nat(15), fc.boolean()).map(([shape, k, keepDims]) => ({
      inputs: { x: distinct(shape) },
      options: { axis: k % shape.length, keepDims },
    })),
    runs: 8,
  },
};
export default op;
