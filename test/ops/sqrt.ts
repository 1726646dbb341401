import * as hg from "../../src/index.ts";
import { positive, unary } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default unary(hg.sqrt, reference.sqrt, { of: positive });
