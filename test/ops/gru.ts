import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, type Drawn, type Op, size } from "../descriptor/index.ts";
import { callOf, drawLayers, layered, longRecurrence } from "../descriptor/recurrence.ts";
import { recurrences, recurrencesInWorkgroups } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

/** Any sizes and lengths, both directions. */
const draw: fc.Arbitrary<Drawn> = fc
  .tuple(size(11), size(6), size(5), size(9), fc.boolean(), fc.infiniteStream(fc.nat(6)))
  .map(([N, T, I, H, reverse, stream]) => ({
    inputs: {
      x: numbers([N, T, I], 1),
      weightIh: numbers([3 * H, I], 2),
      weightHh: numbers([3 * H, H], 3),
      biasIh: numbers([3 * H], 4),
      biasHh: numbers([3 * H], 5),
    },
    given: {
      lengths: arrayOf(
        [N],
        Int32Array.from([...stream.take(N)], (n) => Math.min(n, T)),
      ),
    },
    options: { reverse },
    gradients: N * T * H * H < 600,
  }));
const options = fc.boolean().map((resetAfter) => ({ resetAfter }));
const before = (...[x, w, o]: Parameters<typeof hg.gru>) => hg.gru(x, w, { ...o, resetAfter: false });

const op: Op = {
  call: callOf(hg.gru),
  reference: (x, o) =>
    x.weightIh
      ? { ...reference.gru(x as unknown as reference.GruInputs, o) }
      : layered(o.resetAfter ? "gru" : "gruBefore", x, o),
  variants: [recurrences, recurrencesInWorkgroups],
  property: { draw: fc.oneof(draw, drawLayers(3, { options })), runs: 18 },
  long: [
    longRecurrence(hg.gru, "gru", [17, 3, 8], { gates: 3 }),
    longRecurrence(hg.gru, "gru", [3, 2, 260], { gates: 3 }),
    longRecurrence(before, "gruBefore", [17, 3, 8], { gates: 3 }),
  ],
};
export default op;
