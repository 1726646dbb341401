import { checkList, describe } from "../check.ts";
import type { Op } from "../kernels/op.ts";
import { apply } from "./apply.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Makes an op of your own, with your own WGSL and gradient, a function of tensors: the way all ops of this package are
 * made. `op` checks the inputs' shapes, records its kernels and returns its outputs and how to record their gradient.
 *
 * @example
 * const square = kernel("square", () => wgsl`
 * @group(0) @binding(_) var<storage, read> x: array<f32>;
 * @group(0) @binding(_) var<storage, read_write> y: array<f32>;
 * @compute @workgroup_size(64)
 * fn main(@builtin(global_invocation_id) id: vec3u) {
 *   if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x]; }
 * }`);
 * const squared = customOp("squared", (r, [x]) => {
 *   const y = fresh(r, x!.shape);
 *   r.dispatch({ kernel: square({}), reads: [x!.slot], writes: [y.slot], grid: grid(count(x!.shape), 64) });
 *   return { outputs: [y], backward: ([dy]) => [ … a value of x's shape, recorded alike … ] };
 * });
 * const [y] = squared([x], {});      // within engine.step
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
