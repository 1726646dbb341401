import * as hg from "../../src/index.ts";
import { binary } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default binary(hg.mul, reference.mul, { both: true, runs: 8 });
