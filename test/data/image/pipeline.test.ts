import { describe, expect, test } from "vitest";
import {
  createImage,
  type Image,
  imagePipeline,
  Random,
  randomFlip,
  randomNoise,
  randomRotation,
  randomShift,
  rescale,
} from "../../../src/data/index.ts";
import { picture } from "../pictures.ts";

describe("pipelines", () => {
  const steps = [randomShift(2), randomRotation(15), randomFlip(), randomNoise(0.1)];
  const x = rescale(picture(12, 12, 1));

  test("the same seed and key give the same image, whatever was made before; others differ", () => {
    const make = imagePipeline(7, steps);
    const first = make(x, 0, "a");
    make(x, 0, "b");
    expect(make(x, 0, "a")).toEqual(first);
    expect(imagePipeline(7, steps)(x, 0, "a")).toEqual(first);
    for (const other of [make(x, 1, "a"), make(x, 0, "b"), imagePipeline(8, steps)(x, 0, "a")]) {
      expect(other.data).not.toEqual(first.data);
    }
    expect(x.data).toEqual(rescale(picture(12, 12, 1)).data);
  });

  test("a step put in at the end changes nothing before it", () => {
    let seen: Image | undefined;
    imagePipeline(7, [...steps, (y) => (seen = y), randomNoise(1)])(x, 3);
    expect(seen).toEqual(imagePipeline(7, steps)(x, 3));
  });

  test("shifts and flips happen as often as they should, and settings that cannot be are named", () => {
    const dot = createImage(9, 9, 1);
    dot.data[4 * 9 + 4] = 1;
    const places = new Set<number>();
    let flips = 0;
    for (let i = 0; i < 400; i++) {
      places.add(randomShift(1)(dot, new Random("shift", i)).data.indexOf(1));
      if (randomFlip("horizontal", 0.3)(x, new Random("flip", i)) !== x) flips++;
    }
    expect(places.size).toBe(9);
    expect(Math.abs(flips / 400 - 0.3)).toBeLessThan(0.08);
    expect(() => randomFlip("vertical", 2)).toThrow("odds is 2, expected a number from 0 to 1.");
    expect(() => randomShift(-1)).toThrow("randomShift: pixels is -1, expected a whole number of at least 0.");
  });
});
