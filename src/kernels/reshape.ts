import { expect, show } from "./checks.ts";
import { count, type Op, reshaped } from "./op.ts";

/** y = the same numbers under another shape; one size may be -1 and is then found. Nothing is copied. */
export const reshape: Op<{ shape: readonly number[] }> = (_, [x], { shape: asked }) => {
  const known = count(asked.filter((size) => size !== -1));
  const open = asked.filter((size) => size === -1).length;
  const shape = asked.map((size) => (size === -1 ? count(x!.shape) / known : size));
  expect(
    open <= 1 && shape.every((size) => Number.isInteger(size) && size >= 0) && count(shape) === count(x!.shape),
    "reshape",
    () => `x ${show(x!)} holds ${count(x!.shape)} numbers, which do not fill ${show(asked)}.`,
  );
  return { outputs: [reshaped(x!, shape)], backward: ([dy]) => [reshaped(dy!, x!.shape)] };
};
