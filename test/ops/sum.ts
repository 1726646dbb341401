import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import { type Op, reduction, size } from "../descriptor/index.ts";
import { sums } from "../descriptor/variants.ts";
import type { Case } from "../harness.ts";
import * as reference from "../reference/index.ts";

const long = (shape: readonly number[], axis: number): Case => ({
  name: `sum: long, ${shape} over axis ${axis}`,
  run: (engine) =>
    agreeAlong(
      engine,
      { x: numbers(shape, 1) },
      ({ x }) => ({ y: hg.sum(x!, { axis }) }),
      ({ x }) => ({ y: reference.sum(x!, { axis }) }),
    ),
});

const shapes = fc.array(size(7), { minLength: 1, maxLength: 5 });
const op: Op = {
  ...reduction(hg.sum, reference.sum, { shapes, runs: 12 }),
  variants: [sums],
  long: [long([3, 70_001], 1), long([70_001, 3], 0)],
};
export default op;
