import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { convolutionQuads } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, w, b }, o) => y(hg.conv1d(x!, w!, b, o)),
  reference: ({ x, w, b }, o) => y(reference.conv1d(x!, w!, b, o)),
  variants: [convolutionQuads],
  property: {
    draw: fc
      .tuple(size(2), size(3), size(9), size(3), size(2), fc.nat(2))
      .filter(([, , L, , k, padding]) => L + 2 * padding >= k)
      .map(([N, C, L, stride, k, padding]) => ({
        inputs: { x: numbers([N, C, L], 1), w: numbers([2, C, k], 2), b: numbers([2], 3) },
        options: { stride, padding },
      })),
    runs: 5,
  },
};
export default op;
