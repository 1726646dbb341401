import * as hg from "../../src/index.ts";
import { reduction } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default reduction(hg.variance, reference.variance, { options: { correction: 0 } });
