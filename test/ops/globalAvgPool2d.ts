import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { callWith, type Op, size, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }) => y(hg.globalAvgPool2d(x!)),
  reference: ({ x }) => y(reference.globalAvgPool2d(x!)),
  misuse: ({ x }, _, wrong) => callWith(hg.globalAvgPool2d, x, wrong),
  property: {
    draw: fc.tuple(size(2), size(3), size(9), size(2)).map((shape) => ({ inputs: { x: numbers(shape, 4) } })),
    runs: 5,
  },
};
export default op;
