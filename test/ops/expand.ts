import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, callWith, type Op, repeated, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.expand(x!, o.shape)),
  reference: ({ x }, o) => y(reference.expand(x!, o)),
  misuse: ({ x }, o, wrong) => callWith(hg.expand, x, o.shape, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.nat(15)).map(([shape, bits]) => ({
      inputs: { x: numbers(repeated(shape, bits), 1) },
      options: { shape },
    })),
    runs: 12,
  },
};
export default op;
