import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, callWith, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.transpose(x!, o.a, o.b)),
  reference: ({ x }, o) => y(reference.transpose(x!, o)),
  misuse: ({ x }, o, wrong) => callWith(hg.transpose, x, o.a, o.b, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.nat(3)).map(([shape, k]) => ({
      inputs: { x: numbers(shape, 1) },
      options: { a: k % shape.length, b: -1 },
    })),
    runs: 12,
  },
};
export default op;
