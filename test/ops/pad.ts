import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.pad(x!, o.padding, { value: o.value })),
  reference: ({ x }, o) => y(reference.pad(x!, o)),
  misuse: ({ x }, o, wrong) => hg.pad(x!, o.padding, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.array(fc.nat(3), { maxLength: 8 })).map(([shape, around]) => ({
      inputs: { x: numbers(shape, 1) },
      options: { padding: around.slice(0, 2 * Math.min(around.length >> 1, shape.length)), value: 2 },
    })),
    runs: 12,
  },
};
export default op;
