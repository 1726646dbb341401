import * as hg from "../../src/index.ts";
import { unary } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default unary(hg.clamp, reference.clamp, {
  // Tenths, which are away from the bounds.
  of: (x) => reference.map(x, (v) => Math.round(v * 10) / 10),
  options: { min: -0.51, max: 0.52 },
});
