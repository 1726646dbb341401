import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, type Op, size } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => Object.fromEntries(hg.split(x!, o.size, { axis: o.axis }).map((part, i) => [`y${i}`, part])),
  reference: ({ x }, o) => Object.fromEntries(reference.split(x!, o).map((part, i) => [`y${i}`, part])),
  misuse: ({ x }, o, wrong) => hg.split(x!, o.size, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.nat(3), size(3)).map(([shape, where, step]) => ({
      inputs: { x: numbers(shape, 1) },
      options: { size: step, axis: where % shape.length },
    })),
    runs: 20,
  },
};
export default op;
