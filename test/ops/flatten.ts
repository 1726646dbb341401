import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { anyShape, type Op, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x }, o) => y(hg.flatten(x!, o)),
  reference: ({ x }, o) => y(reference.flatten(x!, o)),
  property: { draw: anyShape.map((shape) => ({ inputs: { x: numbers(shape, 3) } })), runs: 12 },
};
export default op;
