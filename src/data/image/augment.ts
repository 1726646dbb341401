import type { Random } from "../random.ts";
import type { Image } from "./image.ts";
import { flip, rotate, shift } from "./move.ts";

/** One step of a pipeline. What is random in it comes from the stream given and from nowhere else. */
export type ImageStep = (image: Image, random: Random) => Image;

/** By up to so many whole pixels each way, all places as likely. */
export function randomShift(pixels: number, fill = 0): ImageStep {
  atLeastZero("randomShift", "pixels", pixels);
  const draw = (random: Random) => random.integer(2 * Math.floor(pixels) + 1) - Math.floor(pixels);
  return (image, random) => {
    const right = draw(random);
    return shift(image, right, draw(random), fill);
  };
}

/** By an angle uniform in -degrees … degrees. */
export function randomRotation(degrees: number, fill = 0): ImageStep {
  atLeastZero("randomRotation", "degrees", degrees);
  return (image, random) => rotate(image, (2 * random.uniform() - 1) * degrees, fill);
}

/** With these odds (0 to 1). */
export function randomFlip(direction: "horizontal" | "vertical" = "horizontal", odds = 0.5): ImageStep {
  if (!(odds >= 0 && odds <= 1)) throw new RangeError(`randomFlip: the odds must be from 0 to 1, are ${odds}`);
  return (image, random) => (random.uniform() < odds ? flip(image, direction) : image);
}

/** Adds Gaussian noise of this deviation, in the image's units, and clips to the range from `least` to `most`. */
export function randomNoise(deviation: number, least = 0, most = 1): ImageStep {
  atLeastZero("randomNoise", "deviation", deviation);
  return (image, random) => ({
    ...image,
    data: image.data.map((x) => Math.min(most, Math.max(least, x + deviation * random.normal()))),
  });
}

function atLeastZero(who: string, what: string, value: number): void {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${who}: ${what} must be 0 or more, is ${value}`);
  }
}
