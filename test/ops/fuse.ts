import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, type Drawn, numbered, type Op, size, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

/** Three modalities, some of which are missing. */
const draw = (more: object = {}): fc.Arbitrary<Drawn> =>
  fc.tuple(size(5), size(7), fc.nat(255)).map(([N, D, bits]) => ({
    inputs: { x0: numbers([N, D], 1), x1: numbers([N, D], 2), x2: numbers([N, D], 3), ...more },
    given: {
      present: arrayOf(
        [N, 3],
        Float32Array.from({ length: 3 * N }, (_, i) => (bits >> (i % 8)) & 1),
      ),
    },
  }));

const forms: Op[] = [
  {
    fixture: "concatFusion",
    call: (x) => y(hg.fuse(numbered(x), "concat", { present: x.present })),
    reference: (x) => y(reference.concatFusion(numbered(x), x.present)),
    misuse: (x, _, wrong) => hg.fuse(numbered(x), "concat", { present: x.present!, ...wrong }),
    property: { draw: draw(), runs: 6 },
  },
  {
    fixture: "averageFusion",
    call: (x) => y(hg.fuse(numbered(x), "average", { present: x.present })),
    reference: (x) => y(reference.averageFusion(numbered(x), x.present)),
    property: { draw: draw(), runs: 6 },
  },
  {
    fixture: "weightedFusion",
    call: (x) => y(hg.fuse(numbered(x), "weighted", { present: x.present, weights: x.weights })),
    reference: (x) => y(reference.weightedFusion(numbered(x), x.weights!, x.present)),
    property: { draw: draw({ weights: numbers([3], 4) }), runs: 6 },
  },
];
export default forms;
