import { describe, expect, test } from "vitest";
import { createImage, flip, rotate, shift } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { expected, picture } from "../pictures.ts";

describe("moving", () => {
  test.each(expected.rotated)("by $degrees degrees is Pillow's rotation", ({ degrees, floats }) => {
    expect(apart(rotate(picture(11, 8, 1), degrees, 9).data, floats)).toBeLessThan(1e-3);
  });

  test("a shift of whole pixels moves them and nothing else; half a pixel is the mean of two", () => {
    const x = createImage(4, 1, 1, Float32Array.of(1, 2, 3, 4));
    expect(shift(x, 1, 0, 9).data).toEqual(Float32Array.of(9, 1, 2, 3));
    expect(shift(x, -2, 0).data).toEqual(Float32Array.of(3, 4, 0, 0));
    expect(shift(x, 0, 1, 9).data).toEqual(Float32Array.of(9, 9, 9, 9));
    expect(shift(x, -0.5, 0).data).toEqual(Float32Array.of(1.5, 2.5, 3.5, 0));
  });

  test("a flip twice is no flip", () => {
    const x = picture(5, 4, 3);
    for (const direction of ["horizontal", "vertical"] as const) {
      expect(flip(flip(x, direction), direction)).toEqual(x);
      expect(flip(x, direction)).not.toEqual(x);
    }
    expect(flip(createImage(2, 1, 2, Float32Array.of(1, 2, 3, 4)), "horizontal").data).toEqual(
      Float32Array.of(3, 4, 1, 2),
    );
  });
});
