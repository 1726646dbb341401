import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { products } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, w, b }, o) => y(hg.linear(x!, w!, b, o)),
  reference: ({ x, w, b }, o) => y(reference.linear(x!, w!, b, o)),
  variants: [products],
  property: {
    draw: fc.tuple(size(19), size(23), size(17)).map(([N, I, O]) => ({
      inputs: { x: numbers([N, I], 1), w: numbers([O, I], 2), b: numbers([O], 3) },
      options: { activation: "tanh" },
      gradients: N * I * O < 2000,
    })),
    runs: 12,
  },
};
export default op;
