import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, callWith, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.permute(x!, o.axes)),
  reference: ({ x }, o) => y(reference.permute(x!, o)),
  misuse: ({ x }, o, wrong) => callWith(hg.permute, x, o.axes, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.infiniteStream(fc.nat(99))).map(([shape, stream]) => {
      const keys = [...stream.take(shape.length)];
      const axes = [...shape.keys()].sort((a, b) => keys[a]! - keys[b]!);
      return { inputs: { x: numbers(shape, 1) }, options: { axes } };
    }),
    runs: 12,
  },
};
export default op;
