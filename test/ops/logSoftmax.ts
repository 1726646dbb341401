import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { rows } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.logSoftmax(x!, o)),
  reference: ({ x }) => y(reference.logSoftmax(x!)),
  variants: [rows],
  property: { draw: fc.tuple(size(9), size(13)).map((shape) => ({ inputs: { x: numbers(shape, 1) } })), runs: 8 },
};
export default op;
