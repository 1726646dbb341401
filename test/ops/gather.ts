import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, type Op, size, tensorOf, whole, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, index }, o) => y(hg.gather(x!, index!, o)),
  reference: ({ x, index }, o) => y(reference.gather(x!, index!, o)),
  property: {
    draw: fc.tuple(anyShape, fc.nat(3), size(6)).map(([shape, where, picked]) => {
      const axis = where % shape.length;
      const all = shape.with(axis, picked);
      const n = reference.count(all);
      return {
        inputs: { x: numbers(shape, 1) },
        given: {
          index: tensorOf(
            all,
            whole(n, (i) => (i * 7 + n) % shape[axis]!),
          ),
        },
        options: { axis },
      };
    }),
    runs: 12,
  },
};
export default op;
