import * as hg from "../../src/index.ts";
import { lossOfNumbers } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default lossOfNumbers(hg.klDivergence, reference.klDivergence);
