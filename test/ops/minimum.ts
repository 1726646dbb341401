import * as hg from "../../src/index.ts";
import { binary, positive } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

export default binary(hg.minimum, reference.minimum, { of: positive });
