import * as hg from "../../src/index.ts";
import { lossOfNumbers, type Op } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  fixture: "bceWithLogits",
  ...lossOfNumbers(hg.binaryCrossEntropyWithLogits, reference.bceWithLogits),
};
export default op;
