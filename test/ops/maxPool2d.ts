import * as hg from "../../src/index.ts";
import { type Op, y } from "../descriptor/index.ts";
import { drawPool } from "../descriptor/pool.ts";
import { pools } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.maxPool2d(x!, o)),
  reference: ({ x }, o) => y(reference.maxPool2d(x!, o)),
  variants: [pools],
  property: { draw: drawPool(), runs: 10 },
};
export default op;
