import { checkList, checkName, describe, floats, wholeNumbers } from "../check.ts";
import { show } from "../kernels/checks.ts";
import { DTYPES, type DType, type Op } from "../kernels/op.ts";
import { isPaused, isTracked, type Node, noGradientFor } from "./tape.ts";
import { Tensor, type TensorLike } from "./tensor.ts";
import { traceCall } from "./trace.ts";

/** Refuses what is no tensor; `what` is how errors call it, such as "argument 1". */
export function expectTensor(name: string, what: string, x: unknown): asserts x is Tensor {
  if (x instanceof Tensor) return;
  throw new TypeError(
    `${name}: ${what} is ${describe(x)}, expected a tensor. Make one with engine.tensor(data, shape).`,
  );
}

/**
 * Records an op on tensors in the open step, and what its gradient needs. `name` is the function that users call, `needed`
 * how many of its inputs, the first, cannot be left out.
 */
export function apply<Options>(
  name: string,
  op: Op<Options>,
  inputs: readonly (Tensor | undefined)[],
  options: Options,
  needed = inputs.length,
): Tensor[] {
  inputs.forEach((x, i) => {
    if (x !== undefined || i < needed) expectTensor(name, `argument ${i + 1}`, x);
  });
  const first = inputs.find((x) => x !== undefined);
  expectTensor(name, "its first input", first);
  const { gpu } = first;
  const { recording } = gpu;
  if (!recording) {
    throw new Error(
      `${name}: no step is open. Write \`const y = await engine.step(() => ${name}(…))\`: ops are recorded in a step and run at its end.`,
    );
  }
  for (const x of inputs) {
    if (x && x.gpu !== gpu) throw new Error(`${name}: its tensors belong to two engines.`);
    x?.expectUsable(name, recording);
  }
  const { outputs, backward = withoutGradient(name), constants = {} } = op(recording, inputs, options);
  const tracked = isPaused() ? [] : inputs.map((x) => isTracked(x, recording));
  for (const [i, what] of Object.entries(constants)) {
    if (tracked[Number(i)]) throw new Error(noGradientFor(name, what, inputs[Number(i)]!));
  }
  const tensors = outputs.map((y) => new Tensor(gpu, y.slot, y.shape, y.dtype));
  traceCall(name, inputs, options, tensors);
  if (tracked.some(Boolean)) {
    const node: Node = { recording, order: recording.ops++, op: name, inputs, outputs: tensors, backward };
    for (const y of tensors) if (y.dtype === "f32") y.node = node;
  }
  return tensors;
}

/** An op of one output; `needed` as in `apply`. */
export const applySingle = <Options>(
  name: string,
  op: Op<Options>,
  inputs: readonly (Tensor | undefined)[],
  options: Options,
  needed = inputs.length,
): Tensor => apply(name, op, inputs, options, needed)[0]!;

/** Stands where an op has no gradient: it is an error to ask for one, but none to use the op. */
const withoutGradient = (name: string) => (): never => {
  throw new Error(
    `${name}: it has no gradient, but one was asked for through it. Give it detach(x) where none is meant to flow.`,
  );
};

/**
 * Refuses what is given to a function that takes no more, such as PyTorch's `alpha` of add and `approximate` of gelu. What
 * `map` and `reduce` of arrays hand over, places and then the array, is let pass.
 */
export function noMore(name: string, extra: unknown, array?: unknown): void {
  if (extra !== undefined && !Array.isArray(array))
    throw new TypeError(`${name}: there is one argument too many, ${describe(extra)}. It takes no options.`);
}

/** A tensor, or numbers that become one beside `like`: labels and batches may be given as arrays, which errors call `what`. */
export function asTensor(
  name: string,
  what: string,
  x: TensorLike,
  like: Tensor,
  { dtype, shape }: { dtype: DType; shape?: readonly number[] },
): Tensor {
  if (x instanceof Tensor) return x;
  checkList(name, what, x, "a tensor, a typed array or an array of numbers");
  expectTensor(name, "argument 1", like);
  return hostTensor(name, like.gpu, x, { shape: shape ?? [x.length], dtype, what });
}

interface HostTensor {
  shape: readonly number[];
  dtype: DType;
  isParameter?: boolean;
  /** What errors call the numbers. Default "data". */
  what?: string;
}

/** A tensor of the host's numbers, copied: what happens to `data` later does not matter. */
export function hostTensor(
  name: string,
  gpu: Tensor["gpu"],
  data: TensorLike,
  { shape, dtype, isParameter = false, what = "data" }: HostTensor,
): Tensor {
  if (data instanceof Tensor) throw new TypeError(`${name}: this is a tensor already.`);
  checkList(name, what, data, "a typed array or an array of numbers");
  if (!Array.isArray(shape)) {
    throw new TypeError(`${name}: the shape is ${describe(shape)}, expected an array of sizes such as [2, 3].`);
  }
  checkName(name, "dtype", dtype, DTYPES);
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new TypeError(`${name}: the shape ${show(shape)} has a size that is not a whole number of at least 0.`);
  }
  const n = shape.reduce((a, b) => a * b, 1);
  if (data.length !== n) {
    throw new TypeError(`${name}: ${data.length} numbers do not fill the shape ${show(shape)}, which holds ${n}.`);
  }
  const copy = dtype === "f32" ? floats(name, what, data) : wholeNumbers(name, what, data, dtype);
  const tensor = new Tensor(gpu, gpu.residency.stage(copy), [...shape], dtype, isParameter);
  tensor.keep();
  return tensor;
}
