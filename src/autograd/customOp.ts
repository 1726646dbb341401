import { checkList, describe } from "../check.ts";
import type { Op } from "../kernels/op.ts";
import { apply } from "./apply.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Makes an op of your own, with your own WGSL and gradient, a function of tensors: the way all ops of this package are
 * made. `op` checks the inputs' shapes, records its kernels and returns its outputs and how to record their gradient.
 * A whole program is `examples/07-custom-op.ts`.
 *
 * @param name what errors call the op.
 * @param op records its kernels and, in `backward`, those of its gradient.
 * @returns a function of inputs and options, for use within `engine.step`, which gives the outputs. Differentiable in each
 * input that `backward` gives a gradient for.
 * @throws TypeError where `name` is no text, or `op` no function.
 * @example
 * const scaled = (r: Recording, x: Value, by: number): Value => {
 *   const y = allocate(r, x.shape);
 *   r.dispatch({ kernel: scale({ by }), reads: [x.slot], writes: [y.slot], grid: grid(count(x.shape), 64) });
 *   return y;
 * };
 * const twice = customOp("twice", (r, [x]) => ({
 *   outputs: [scaled(r, x!, 2)],
 *   backward: ([dy]) => [scaled(r, dy!, 2)],
 * }));
 * const [y] = twice([x], {}); // scale: a kernel of two bindings, as in the example of kernel
 */
export function customOp<Options = object>(name: string, op: Op<Options>) {
  if (typeof name !== "string" || name === "")
    throw new TypeError(`customOp: name is ${describe(name)}, expected what errors are to call the op.`);
  if (typeof op !== "function") throw new TypeError(`customOp: ${name} is ${describe(op)}, expected a function.`);
  return (inputs: readonly (Tensor | undefined)[], options: Options): Tensor[] => {
    checkList(name, "inputs", inputs, "an array of tensors");
    return apply(name, op, inputs, options, 0);
  };
}
