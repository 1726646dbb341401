import { expect, test } from "vitest";
import { createImage, grayscale, rgb } from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { expected, picture } from "../pictures.ts";

test("grayscale is Pillow's luma, and gray stays", () => {
  expect(apart(grayscale(picture(9, 6, 3)).data, expected.gray)).toBeLessThanOrEqual(0.5 + 1e-3);
  expect(rgb(createImage(1, 1, 1, Float32Array.of(7))).data).toEqual(Float32Array.of(7, 7, 7));
});
