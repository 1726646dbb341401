import * as hg from "../../src/index.ts";
import type { Op } from "../descriptor/index.ts";
import { callOf, drawLayers, layered, longRecurrence } from "../descriptor/recurrence.ts";
import { recurrences, recurrencesInWorkgroups } from "../descriptor/variants.ts";

const op: Op = {
  call: callOf(hg.rnn),
  reference: (x, o) => layered(o.nonlinearity === "relu" ? "relu" : "rnn", x, o),
  variants: [recurrences, recurrencesInWorkgroups],
  property: { draw: drawLayers(1), runs: 5 },
  long: [
    longRecurrence(hg.rnn, "rnn", [17, 3, 8], { gates: 1 }),
    longRecurrence(hg.rnn, "rnn", [3, 2, 260], { gates: 1 }),
    longRecurrence(hg.rnn, "relu", [17, 3, 8], { gates: 1, options: { nonlinearity: "relu" } }),
  ],
};
export default op;
