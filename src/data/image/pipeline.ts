import { checkList, checkNumber, number } from "../../check.ts";
import { Random } from "../random.ts";
import type { ImageStep } from "./augment.ts";
import type { Image } from "./image.ts";

/**
 * Steps one after another, as one function. Each step draws from a random stream of its own, named by the seed, the step's
 * index and the key: the same seed and key give the same image, in whatever order and by whatever worker it is made, and a
 * step appended at the end changes nothing before it. Steps without randomness are plain functions of an image.
 *
 * @param seed of all streams.
 * @param steps applied in this order.
 * @returns a function of an image and a key, such as epoch and id.
 * @throws TypeError where a step is no function; RangeError where the seed is not finite.
 * @example
 * const prepare = imagePipeline(1, [(x) => resize(x, 28, 28), (x) => rescale(x), randomShift(2), randomNoise(0.1)]);
 * const image = prepare(decoded, epoch, id);
 */
export function imagePipeline(
  seed: number,
  steps: readonly ImageStep[],
): (image: Image, ...key: readonly (string | number)[]) => Image {
  checkNumber("imagePipeline", "seed", seed, number.finite);
  checkList("imagePipeline", "its steps", steps, "a list of functions");
  const wrong = steps.findIndex((step) => typeof step !== "function");
  if (wrong >= 0) throw new TypeError(`imagePipeline: step ${wrong} is ${typeof steps[wrong]}, expected a function.`);
  return (image, ...key) => steps.reduce((x, step, i) => step(x, new Random("image-pipeline", seed, i, ...key)), image);
}
