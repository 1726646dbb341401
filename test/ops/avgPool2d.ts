import * as hg from "../../src/index.ts";
import { type Op, y } from "../descriptor/index.ts";
import { drawPool } from "../descriptor/pool.ts";
import { pools } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  fixture: "averagePool2d",
  call: ({ x }, o) => y(hg.avgPool2d(x!, o)),
  reference: ({ x }, o) => y(reference.averagePool2d(x!, o)),
  variants: [pools],
  property: { draw: drawPool(), runs: 10 },
};
export default op;
