import * as hg from "../../src/index.ts";
import { joining } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default joining(hg.stack, reference.stack);
