import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, callWith, type Op, repeated, tensorOf, whole, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ condition, a, b }) => y(hg.where(condition!, a!, b!)),
  reference: ({ condition, a, b }) => y(reference.where(condition!, a!, b!)),
  misuse: ({ condition, a, b }, _, wrong) => callWith(hg.where, condition, a, b, wrong),
  property: {
    draw: fc.tuple(anyShape, fc.nat(15), fc.nat(15)).map(([shape, p, q]) => ({
      inputs: { a: numbers(repeated(shape, p), 1), b: numbers(repeated(shape, q), 2) },
      given: {
        condition: tensorOf(
          shape,
          whole(reference.count(shape), (i) => (i * 5) % 3),
        ),
      },
    })),
    runs: 12,
  },
};
export default op;
