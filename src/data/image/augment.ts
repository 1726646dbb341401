import { checkName, checkNumber, number } from "../../check.ts";
import type { Random } from "../random.ts";
import { hasAlpha } from "./alpha.ts";
import type { Image } from "./image.ts";
import { flip, rotate, shift } from "./move.ts";

/** One step of a pipeline: a pure function of an image and a random stream. */
export type ImageStep = (image: Image, random: Random) => Image;

/**
 * Augmentation: shifts by whole pixels, uniform in -pixels … pixels in each direction.
 *
 * @param pixels at most.
 * @param fill the value of pixels from outside. Default 0.
 * @returns a step of `imagePipeline`.
 * @throws RangeError where `pixels` is no whole number of at least 0, or `fill` not finite.
 * @example const prepare = imagePipeline(1, [randomShift(2)]);
 */
export function randomShift(pixels: number, fill = 0): ImageStep {
  checkNumber("randomShift", "pixels", pixels, number.wholeAtLeast0);
  checkNumber("randomShift", "fill", fill, number.finite);
  const draw = (random: Random) => random.integer(2 * pixels + 1) - pixels;
  return (image, random) => {
    const right = draw(random);
    return shift(image, right, draw(random), fill);
  };
}

/**
 * Augmentation: rotates by an angle uniform in -degrees … degrees.
 *
 * @param degrees at most.
 * @param fill the value of pixels from outside. Default 0.
 * @returns a step of `imagePipeline`.
 * @throws RangeError where `degrees` is below 0, or `fill` not finite.
 * @example const prepare = imagePipeline(1, [randomRotation(10)]);
 */
export function randomRotation(degrees: number, fill = 0): ImageStep {
  checkNumber("randomRotation", "degrees", degrees, number.atLeast0);
  checkNumber("randomRotation", "fill", fill, number.finite);
  return (image, random) => rotate(image, (2 * random.uniform() - 1) * degrees, fill);
}

/**
 * Augmentation: mirrors an image with a probability.
 *
 * @param direction of the flip. Default "horizontal".
 * @param odds its probability, 0 to 1. Default 0.5.
 * @returns a step of `imagePipeline`.
 * @throws RangeError where one of them is none.
 * @example const prepare = imagePipeline(1, [randomFlip()]);
 */
export function randomFlip(direction: "horizontal" | "vertical" = "horizontal", odds = 0.5): ImageStep {
  checkName("randomFlip", "direction", direction, ["horizontal", "vertical"]);
  checkNumber("randomFlip", "odds", odds, number.share);
  return (image, random) => (random.uniform() < odds ? flip(image, direction) : image);
}

/**
 * Augmentation: adds Gaussian noise and clips to a range. Alpha stays.
 *
 * @param deviation of the noise, in the image's units.
 * @param low the lower end of the range. Default 0.
 * @param high the upper end. Default 1.
 * @returns a step of `imagePipeline`.
 * @throws RangeError where the deviation is below 0, or `low` above `high`.
 * @example const prepare = imagePipeline(1, [(x) => rescale(x), randomNoise(0.1)]);
 */
export function randomNoise(deviation: number, low = 0, high = 1): ImageStep {
  checkNumber("randomNoise", "deviation", deviation, number.atLeast0);
  checkNumber("randomNoise", "low", low, number.finite);
  checkNumber("randomNoise", "high", high, number.finite);
  if (low > high) throw new RangeError(`randomNoise: low is ${low}, above high, which is ${high}.`);
  return (image, random) => {
    const alpha = hasAlpha(image) ? image.channels - 1 : image.channels;
    const data = image.data.map((x, i) =>
      i % image.channels === alpha ? x : Math.min(high, Math.max(low, x + deviation * random.normal())),
    );
    return { ...image, data };
  };
}
