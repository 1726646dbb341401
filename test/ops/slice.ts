import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, type Op, size, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.slice(x!, o)),
  reference: ({ x }, o) => y(reference.slice(x!, o)),
  property: {
    draw: fc.tuple(anyShape, fc.nat(3), fc.integer(), fc.integer(), size(3)).map(([shape, where, p, q, step]) => {
      const axis = where % shape.length;
      const n = shape[axis]!;
      return { inputs: { x: numbers(shape, 1) }, options: { axis, start: p % (n + 1), end: q % (n + 2), step } };
    }),
    runs: 20,
  },
};
export default op;
