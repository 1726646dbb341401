import * as hg from "../../src/index.ts";
import { distinct, reduction } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default reduction(hg.min, reference.min, { of: distinct });
