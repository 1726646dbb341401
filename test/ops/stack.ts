import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, numbered, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: (x, o) => y(hg.stack(numbered(x), o)),
  reference: (x, o) => y(reference.stack(numbered(x), o)),
  property: {
    draw: fc.tuple(anyShape, fc.nat(3)).map(([shape, where]) => ({
      inputs: { x0: numbers(shape, 1), x1: numbers(shape, 2), x2: numbers(shape, 3) },
      options: { axis: where % shape.length },
    })),
    runs: 12,
  },
};
export default op;
