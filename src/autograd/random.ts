import { checkList, checkOptions, describe } from "../check.ts";
import { expect, show } from "../kernels/checks.ts";
import { count } from "../kernels/op.ts";
import { type Distribution, sample } from "../kernels/sample.ts";
import { Engine } from "./engine.ts";
import { Tensor } from "./tensor.ts";

/* Tensors of random numbers, drawn on the device in the open step. They follow from the engine's seed and the step. */

function draw(engine: Engine, from: Distribution, shape: readonly number[], a: number, b: number): Tensor {
  checkList(from, "the shape", shape, "an array of sizes");
  if (!(engine instanceof Engine))
    throw new TypeError(`${from}: argument 1 is ${describe(engine)}, expected the engine.`);
  const { gpu } = engine;
  if (!gpu.recording)
    throw new Error(`${from}: no step is open. Write \`await engine.step(() => ${from}(engine, …))\`.`);
  expect(
    shape.every((size) => Number.isInteger(size) && size >= 0) && Number.isFinite(count(shape)),
    from,
    () => `the shape ${show(shape)} has a size that is not a whole number of at least 0.`,
  );
  return new Tensor(gpu, sample(gpu.recording, from, shape, a, b).slot, shape, "f32");
}

const uniformOptions = { low: true, high: true } as const;
const normalOptions = { mean: true, std: true } as const;

/** Evenly from [low, high). */
export function uniform(
  engine: Engine,
  shape: readonly number[],
  options: { low?: number; high?: number } = {},
): Tensor {
  checkOptions("uniform", options, uniformOptions);
  const { low = 0, high = 1 } = options;
  return draw(engine, "uniform", shape, low, high);
}

/** From the normal distribution. */
export function normal(
  engine: Engine,
  shape: readonly number[],
  options: { mean?: number; std?: number } = {},
): Tensor {
  checkOptions("normal", options, normalOptions);
  const { mean = 0, std = 1 } = options;
  return draw(engine, "normal", shape, mean, std);
}
