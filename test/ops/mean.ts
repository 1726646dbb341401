import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import { type Op, reduction, size } from "../descriptor/index.ts";
import { sums } from "../descriptor/variants.ts";
import type { Case } from "../harness.ts";
import * as reference from "../reference/index.ts";

const long = (shape: readonly number[], axis: number): Case => ({
  name: `mean: long, ${shape} over axis ${axis}`,
  run: (engine) =>
    agreeAlong(
      engine,
      { x: numbers(shape, 1) },
      ({ x }) => ({ y: hg.mean(x!, { axis }) }),
      ({ x }) => ({ y: reference.mean(x!, { axis }) }),
    ),
});

const shapes = fc.array(size(7), { minLength: 1, maxLength: 5 });
const op: Op = {
  ...reduction(hg.mean, reference.mean, { shapes, runs: 12 }),
  variants: [sums],
  long: [long([2, 9_001, 2], 1)],
};
export default op;
