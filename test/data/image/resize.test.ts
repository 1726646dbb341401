import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createImage, resize } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { expected, picture } from "../pictures.ts";

describe("resize is Pillow's", () => {
  test.each(expected.resized)("$filter, $from to $to", ({ from, to, filter, bytes, floats }) => {
    const { width, height, data } = resize(picture(...from), ...to, { filter });
    expect([width, height]).toEqual(to);
    expect(apart(data, floats)).toBeLessThan(1e-3); // Pillow without rounding, of 255
    // Pillow rounds after each of its two passes; colors with alpha also before and after them.
    expect(apart(data, bytes)).toBeLessThanOrEqual(from[2] === 4 ? 10 : 1);
  });

  test("without antialiasing bilinear looks at the four nearest pixels", () => {
    const x = picture(8, 8, 1);
    const small = resize(x, 2, 2, { antialias: false });
    expect(small.data[0]).toBe((x.data[9]! + x.data[10]! + x.data[17]! + x.data[18]!) / 4);
  });

  test("an even image stays even, and the same size changes nothing", () => {
    const sizes = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(sizes, sizes, sizes, sizes, fc.boolean(), fc.boolean(), (w, h, tw, th, box, antialias) => {
        const filter = box ? "box" : "bilinear";
        const even = resize(createImage(w, h, 2, new Float32Array(w * h * 2).fill(0.7)), tw, th, { filter, antialias });
        expect(apart(even.data, new Float32Array(tw * th * 2).fill(0.7))).toBeLessThan(1e-6);
        expect(resize(picture(w, h, 3), w, h, { filter, antialias }).data).toEqual(picture(w, h, 3).data);
      }),
    );
  });

  test("what cannot be is named", () => {
    expect(() => resize(picture(2, 2, 1), 0, 2)).toThrow("resize: width is 0, expected a whole number of at least 1.");
    expect(() => resize(picture(2, 2, 1), 2, 2, { filter: "cubic" as "box" })).toThrow('filter is "cubic"');
    expect(() => resize(picture(2, 2, 1), 2, 2, { filter: "toString" as "box" })).toThrow(
      "expected one of bilinear, box",
    );
    expect(() => resize(picture(2, 2, 1), 2, 2, { antiAlias: true } as object)).toThrow("Did you mean antialias?");
  });
});
