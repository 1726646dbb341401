import {
  checkFunction,
  checkList,
  checkName,
  checkNumber,
  checkObject,
  checkOptions,
  checkText,
  describe,
  number,
} from "../check.ts";
import { Recording, refusePromise, Slot } from "../gpu/index.ts";
import { show } from "../kernels/checks.ts";
import {
  allocate as allocateUnchecked,
  count as countUnchecked,
  DTYPES,
  type DType,
  grid as gridUnchecked,
  type Op,
  type Recorded,
  type Value,
} from "../kernels/op.ts";
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
 * @throws TypeError where `name` is no text, or `op` no function. The function that it returns throws where `op` gives something
 * else than outputs that a dispatch has written, and `backward` where its gradients are not of the inputs' shapes.
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
  checkText("customOp", "name", name);
  checkFunction("customOp", name, op);
  const checked: Op<Options> = (r, inputs, options) => checkRecorded(name, r, inputs, op(r, inputs, options));
  return (inputs: readonly (Tensor | undefined)[], options: Options): Tensor[] => {
    checkList(name, "inputs", inputs, "an array of tensors");
    return apply(name, checked, inputs, options, 0);
  };
}

/**
 * How many numbers a shape holds: the product of its sizes, 1 for [].
 *
 * @param shape its sizes.
 * @returns the product.
 * @throws TypeError where it is no list, RangeError where a size is no whole number of at least 0.
 * @example count([2, 3]); // 6
 */
export function count(shape: readonly number[]): number {
  checkShape("count", shape);
  return countUnchecked(shape);
}

/**
 * A value that this step will compute: the output of an op of your own (`customOp`), to be written by a dispatch.
 *
 * @param r what the step records into.
 * @param shape its sizes.
 * @param dtype Default "f32".
 * @returns the value; its numbers are not set.
 * @throws TypeError where `r`, `shape` or `dtype` is none, RangeError where the device binds no tensor of this size.
 * @example
 * const twice = customOp("twice", (r, [x]) => {
 *   const y = allocate(r, x!.shape);
 *   r.dispatch({ kernel: scale({ by: 2 }), reads: [x!.slot], writes: [y.slot], grid: grid(count(y.shape), 64) });
 *   return { outputs: [y] };
 * });
 */
export function allocate(r: Recording, shape: readonly number[], dtype: DType = "f32"): Value {
  if (!(r instanceof Recording))
    throw new TypeError(`allocate: r is ${describe(r)}, expected the recording that an op is given.`);
  checkShape("allocate", shape);
  checkName("allocate", "dtype", dtype, DTYPES);
  return allocateUnchecked(r, shape, dtype);
}

/**
 * Workgroups for `n` threads in groups of `size`, folded into two dimensions where one holds too few (65,535). In WGSL
 * `groupIndex(group)` is the workgroup's number.
 *
 * @param n threads; those beyond it in the last workgroup must do nothing.
 * @param size threads of a workgroup, as `@workgroup_size` says.
 * @returns [x, y, 1]
 * @throws RangeError (TypeError where it is no number at all) where `n` or `size` is no whole number, or `size` is 0.
 * @example grid(1000, 64); // [16, 1, 1]
 */
export function grid(n: number, size: number): [number, number, number] {
  checkNumber("grid", "n", n, number.wholeAtLeast0);
  checkNumber("grid", "size", size, number.wholeAtLeast1);
  return gridUnchecked(n, size);
}

function checkShape(operation: string, shape: readonly number[]): void {
  checkList(operation, "the shape", shape, "an array of sizes such as [2, 3]");
  for (const size of shape) checkNumber(operation, "a size of the shape", size, number.wholeAtLeast0);
}

/** What an op of one's own gives, which may be anything, and what its gradient will. */
function checkRecorded(
  name: string,
  r: Recording,
  inputs: readonly (Value | undefined)[],
  recorded: Recorded,
): Recorded {
  refusePromise(name, recorded);
  if (!Array.isArray(recorded?.outputs))
    throw new TypeError(`${name}: the op gives ${describe(recorded)}, expected { outputs: […], backward }.`);
  checkOptions(name, recorded, { outputs: true, backward: true, constants: true });
  const { outputs, backward, constants = {} } = recorded;
  for (const [i, y] of outputs.entries()) checkValue(name, `output ${i}`, r, y);
  checkObject(name, "constants", constants, 'an object of names by input, such as { 1: "target" }');
  for (const place of Object.keys(constants))
    if (!Object.hasOwn(inputs, place))
      throw new TypeError(`${name}: constants name input ${place}, but there are ${inputs.length} inputs.`);
  if (backward === undefined) return recorded;
  checkFunction(name, "backward", backward);
  return {
    ...recorded,
    backward: (dy, needs) => {
      const dx = backward(dy, needs);
      checkGradients(name, r, inputs, dx);
      return dx;
    },
  };
}

function checkGradients(
  name: string,
  r: Recording,
  inputs: readonly (Value | undefined)[],
  dx: readonly (Value | undefined)[],
): void {
  refusePromise(name, dx);
  checkList(name, "what backward gives", dx, "a list, with the gradient of each input or undefined");
  if (dx.length > inputs.length)
    throw new TypeError(`${name}: backward gives ${dx.length} gradients, but there are ${inputs.length} inputs.`);
  dx.forEach((d, i) => {
    const x = inputs[i];
    if (d === undefined || x === undefined) return;
    checkValue(name, `the gradient of input ${i}`, r, d);
    if (d.dtype !== "f32" || d.shape.length !== x.shape.length || d.shape.some((n, axis) => n !== x.shape[axis]))
      throw new TypeError(
        `${name}: its gradient gives ${show(d)} of ${d.dtype} for input ${i}, which is ${show(x)}. They must be equal, and f32.`,
      );
  });
}

/** Refuses what is no value, fills its shape with other numbers than there are, or was written by no dispatch. */
function checkValue(name: string, what: string, r: Recording, v: Value): void {
  if (!(v?.slot instanceof Slot))
    throw new TypeError(`${name}: ${what} is ${describe(v)}, expected a value, such as allocate(r, shape) gives.`);
  checkShape(name, v.shape);
  checkName(name, `the dtype of ${what}`, v.dtype, DTYPES);
  if (v.slot.bytes !== 4 * countUnchecked(v.shape))
    throw new TypeError(`${name}: ${what} is ${show(v)}, but its slot holds ${v.slot.bytes / 4} numbers.`);
  if (v.slot.bytes > 0 && r.computes(v.slot) && !r.dispatches.some(({ writes }) => writes.includes(v.slot)))
    throw new Error(`${name}: ${what} ${show(v)} was written by no dispatch.`);
}
