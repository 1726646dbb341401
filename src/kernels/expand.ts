import { checkNumber, number } from "../check.ts";
import { broadcast, stridesIn } from "./broadcast.ts";
import { expect, show } from "./checks.ts";
import { stridedCopy } from "./layout.ts";
import type { Op } from "./op.ts";
import { sumTo } from "./reduce.ts";

/** y is x repeated along its axes of size 1 (and new ones in front) until it has `shape`; dx is dy summed over them. */
export const expand: Op<{ shape: readonly number[] }> = (r, [x], { shape }) => {
  for (const size of shape) checkNumber("expand", "a size", size, number.wholeAtLeast0);
  expect(
    shape.length <= 6 && show(broadcast(x!.shape, shape) ?? []) === show(shape),
    "expand",
    () => `x ${show(x!)} does not repeat to ${show(shape)}: sizes must be equal or 1 in x, counted from the end.`,
  );
  return {
    outputs: [stridedCopy(r, x!, shape, stridesIn(x!.shape, shape))],
    backward: ([dy]) => [sumTo(r, dy!, x!.shape)],
  };
};
