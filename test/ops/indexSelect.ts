import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, arrayOf, type Op, size, whole, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, index }, o) => y(hg.indexSelect(x!, index!, o)),
  reference: ({ x, index }, o) => y(reference.indexSelect(x!, index!, o)),
  torch: "torch.index_select(x, axis, index)",
  property: {
    draw: fc.tuple(anyShape, fc.nat(3), size(6)).map(([shape, where, picked]) => {
      const axis = where % shape.length;
      return {
        inputs: { x: numbers(shape, 1) },
        given: {
          index: arrayOf(
            [picked],
            whole(picked, (i) => (i * 7 + picked) % shape[axis]!),
          ),
        },
        options: { axis },
      };
    }),
    runs: 12,
  },
};
export default op;
