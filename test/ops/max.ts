import * as hg from "../../src/index.ts";
import { distinct, reduction } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default reduction(hg.max, reference.max, { of: distinct });
