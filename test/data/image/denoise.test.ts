import { describe, expect, test } from "vitest";
import {
  channelsFirst,
  createImage,
  gaussianFilter,
  type Image,
  medianFilter,
  rotate,
} from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { expected, picture } from "../pictures.ts";

describe("denoising is SciPy's", () => {
  test.each(expected.median)("median of $size × $size", ({ size, bytes }) => {
    expect([...medianFilter(picture(11, 8, 1), size).data]).toEqual(bytes);
  });

  test.each(expected.gaussian)("Gaussian of $deviation pixels", ({ deviation, floats }) => {
    expect(apart(gaussianFilter(picture(11, 8, 1), deviation).data, floats)).toBeLessThan(1e-3);
  });

  test("each channel by itself", () => {
    const planes = [picture(7, 6, 1), picture(7, 6, 1), rotate(picture(7, 6, 1), 90)] as const;
    const a = planes[0];
    planes[1].data.reverse();
    const all = createImage(7, 6, 3);
    for (let i = 0; i < 42; i++)
      all.data.set(
        planes.map((plane) => plane.data[i]!),
        3 * i,
      );
    for (const filter of [(x: Image) => medianFilter(x, 3), (x: Image) => gaussianFilter(x, 1)]) {
      expect([...channelsFirst(filter(all))]).toEqual(planes.flatMap((plane) => [...filter(plane).data]));
    }
    expect(() => medianFilter(a, 2)).toThrow("must be an odd whole number up to 16384, is 2");
    expect(() => gaussianFilter(a, 0)).toThrow("gaussianFilter: deviation is 0, expected a finite number above 0.");
  });
});
