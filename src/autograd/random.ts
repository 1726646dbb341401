import { count, expect, show } from "../kernels/op.ts";
import { type Distribution, sample } from "../kernels/sample.ts";
import type { Engine } from "./engine.ts";
import { Tensor } from "./tensor.ts";

/* Tensors of random numbers, drawn on the device in the open step. They follow from the engine's seed and the step. */

function draw(engine: Engine, from: Distribution, shape: readonly number[], a: number, b: number): Tensor {
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

/** Evenly from [low, high). */
export const uniform = (
  engine: Engine,
  shape: readonly number[],
  { low = 0, high = 1 }: { low?: number; high?: number } = {},
): Tensor => draw(engine, "uniform", shape, low, high);

/** From the normal distribution. */
export const normal = (
  engine: Engine,
  shape: readonly number[],
  { mean = 0, std = 1 }: { mean?: number; std?: number } = {},
): Tensor => draw(engine, "normal", shape, mean, std);
