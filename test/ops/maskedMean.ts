import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, tensorOf, whole, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, words }, o) => y(hg.maskedMean(x!, words!, o)),
  reference: ({ x, words }, o) => y(reference.maskedMean(x!, words!, o)),
  property: {
    draw: fc.tuple(size(5), size(6), size(7)).map(([N, L, D]) => ({
      inputs: { x: numbers([N, L, D], 1) },
      given: {
        words: tensorOf(
          [N, L],
          whole(N * L, (i) => (i * 5) % 3),
        ),
      },
      options: { paddingIdx: 0 },
    })),
    runs: 12,
  },
};
export default op;
