import { checkNumber, number } from "../../check.ts";
import { Random } from "../random.ts";
import type { ImageStep } from "./augment.ts";
import type { Image } from "./image.ts";

/**
 * Steps one after another, as one function:
 *
 *     const prepare = imagePipeline(1, [(x) => resize(x, 28, 28), (x) => rescale(x), randomShift(2), randomNoise(0.1)]);
 *     const image = prepare(decoded, epoch, id);
 *
 * Steps that use no chance are plain functions of an image. Each step draws from a stream of its own, named by the
 * seed, the step's place and the key: the same seed and key give the same image, in whatever order and by whatever
 * worker it is made, and another step that is put in at the end changes nothing before it.
 */
export function imagePipeline(
  seed: number,
  steps: readonly ImageStep[],
): (image: Image, ...key: readonly (string | number)[]) => Image {
  checkNumber("imagePipeline", "seed", seed, number.finite);
  const wrong = steps.findIndex((step) => typeof step !== "function");
  if (wrong >= 0) throw new TypeError(`imagePipeline: step ${wrong} is ${typeof steps[wrong]}, expected a function.`);
  return (image, ...key) => steps.reduce((x, step, i) => step(x, new Random("image-pipeline", seed, i, ...key)), image);
}
