import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, callWith, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.reshape(x!, o.shape)),
  reference: ({ x }, o) => y(reference.reshape(x!, o)),
  misuse: ({ x }, o, wrong) => callWith(hg.reshape, x, o.shape, wrong),
  property: {
    draw: anyShape.map((shape) => ({ inputs: { x: numbers(shape, 2) }, options: { shape: [reference.count(shape)] } })),
    runs: 12,
  },
};
export default op;
