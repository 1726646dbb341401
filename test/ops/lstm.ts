import * as hg from "../../src/index.ts";
import type { Op } from "../descriptor/index.ts";
import { callOf, drawLayers, layered, longRecurrence } from "../descriptor/recurrence.ts";
import { recurrences, recurrencesInWorkgroups } from "../descriptor/variants.ts";

const op: Op = {
  call: callOf(hg.lstm),
  reference: (x, o) => layered("lstm", x, o),
  variants: [recurrences, recurrencesInWorkgroups],
  property: { draw: drawLayers(4, { states: 2 }), runs: 5 },
  long: [
    longRecurrence(hg.lstm, "lstm", [17, 3, 8], { gates: 4, states: 2 }),
    longRecurrence(hg.lstm, "lstm", [9, 2, 133], { gates: 4, states: 2 }),
  ],
};
export default op;
