import { checkName, checkNumber, number } from "../../check.ts";
import type { Random } from "../random.ts";
import { hasAlpha } from "./alpha.ts";
import type { Image } from "./image.ts";
import { flip, rotate, shift } from "./move.ts";

/** One step of a pipeline. What is random in it comes from the stream given and from nowhere else. */
export type ImageStep = (image: Image, random: Random) => Image;

/** By up to so many whole pixels each way, all places as likely. */
export function randomShift(pixels: number, fill = 0): ImageStep {
  checkNumber("randomShift", "pixels", pixels, number.wholeAtLeast0);
  checkNumber("randomShift", "fill", fill, number.finite);
  const draw = (random: Random) => random.integer(2 * pixels + 1) - pixels;
  return (image, random) => {
    const right = draw(random);
    return shift(image, right, draw(random), fill);
  };
}

/** By an angle uniform in -degrees … degrees. */
export function randomRotation(degrees: number, fill = 0): ImageStep {
  checkNumber("randomRotation", "degrees", degrees, number.atLeast0);
  checkNumber("randomRotation", "fill", fill, number.finite);
  return (image, random) => rotate(image, (2 * random.uniform() - 1) * degrees, fill);
}

/** With these odds (0 to 1). */
export function randomFlip(direction: "horizontal" | "vertical" = "horizontal", odds = 0.5): ImageStep {
  checkName("randomFlip", "direction", direction, ["horizontal", "vertical"]);
  checkNumber("randomFlip", "odds", odds, number.share);
  return (image, random) => (random.uniform() < odds ? flip(image, direction) : image);
}

/** Adds Gaussian noise of this deviation, in the image's units, and clips to the range from `least` to `most`. Alpha stays. */
export function randomNoise(deviation: number, least = 0, most = 1): ImageStep {
  checkNumber("randomNoise", "deviation", deviation, number.atLeast0);
  checkNumber("randomNoise", "least", least, number.finite);
  checkNumber("randomNoise", "most", most, number.finite);
  if (least > most) throw new RangeError(`randomNoise: least is ${least}, above most, which is ${most}.`);
  return (image, random) => {
    const alpha = hasAlpha(image) ? image.channels - 1 : image.channels;
    const data = image.data.map((x, i) =>
      i % image.channels === alpha ? x : Math.min(most, Math.max(least, x + deviation * random.normal())),
    );
    return { ...image, data };
  };
}
