import * as hg from "../../src/index.ts";
import { unary } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default unary(hg.softplus, reference.softplus);
