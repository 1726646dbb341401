import { activationBackward } from "./activation.ts";
import { checkActivation, expect, expectFloat, show } from "./checks.ts";
import { matrixProduct } from "./matmul/index.ts";
import { count, type Op } from "./op.ts";
import type { Activation } from "./snippets.ts";

/**
 * y [..., O] = f(x [..., D] · wᵀ + b), w [O, D], b [O]: PyTorch's `linear`, with the activation fused in.
 * With dz = dy · f′: dx = dz · w, dw = dzᵀ · x, db = Σ dz; the last two in one pass.
 */
export const linear: Op<{ activation?: Activation }> = (r, [x, w, b], { activation = "none" }) => {
  checkActivation("linear", activation);
  expectFloat("linear", "x", x!);
  expectFloat("linear", "w", w!);
  const D = x!.shape.at(-1);
  expect(w!.shape.length === 2 && D === w!.shape[1], "linear", () => {
    const hint = w!.shape[0] === D ? " Its weight is [out, in]: is yours transposed?" : "";
    return `x ${show(x!)} ends in ${D}, but w ${show(w!)} takes ${w!.shape[1]}.${hint}`;
  });
  const [O, K] = w!.shape as [number, number];
  expect(
    !b || (b.shape.length === 1 && b.shape[0] === O),
    "linear",
    () => `b is ${show(b!)}, expected [${O}] as w is ${show(w!)}.`,
  );
  const M = count(x!.shape) / K;
  const shape = [...x!.shape.slice(0, -1), O];
  const { c: y } = matrixProduct(r, {
    a: x!,
    b: w!,
    M,
    N: O,
    K,
    transposeB: true,
    bias: b,
    activation,
    shape,
    examples: "M",
  });
  return {
    outputs: [y],
    backward: ([dy], needs) => {
      const dz = activationBackward(r, activation, y, dy!);
      const dx = needs[0]
        ? matrixProduct(r, { a: dz, b: w!, M, N: K, K: O, shape: x!.shape, examples: "M" }).c
        : undefined;
      if (!needs[1] && !needs[2]) return [dx];
      const { c: dw, sums: db } = matrixProduct(r, {
        a: dz,
        b: x!,
        M: O,
        N: K,
        K: M,
        transposeA: true,
        rowSum: needs[2] ?? false,
        examples: "K",
      });
      return [dx, dw, db];
    },
  };
};
