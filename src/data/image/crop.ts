import { checkNumber, checkObject, checkOptions, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { checkImage, createImage, describe, type Image } from "./image.ts";

/** A part of an image, in whole pixels. */
export interface Rectangle {
  /** Columns to its left. */
  readonly x: number;
  /** Rows above it. */
  readonly y: number;
  /** Its columns. */
  readonly width: number;
  /** Its rows. */
  readonly height: number;
}

/**
 * Cuts a rectangle out of an image.
 *
 * @param image [H, W, C]
 * @param rectangle in whole pixels, inside the image.
 * @returns [rectangle.height, rectangle.width, C]
 * @throws DataError if the rectangle is not whole pixels inside the image.
 * @example const face = crop(image, { x: 10, y: 20, width: 64, height: 64 });
 */
export function crop(image: Image, rectangle: Rectangle): Image {
  checkImage("crop", image);
  checkObject("crop", "the rectangle", rectangle, "{ x, y, width, height }");
  checkOptions<Rectangle>("crop", rectangle, { x: true, y: true, width: true, height: true });
  const { x, y, width, height } = rectangle;
  const inside = (at: number, size: number, all: number) =>
    Number.isInteger(at) && Number.isInteger(size) && at >= 0 && size > 0 && at + size <= all;
  if (!inside(x, width, image.width) || !inside(y, height, image.height)) {
    throw new DataError(
      `crop: ${width} × ${height} pixels from (${x}, ${y}) on do not lie inside an image of ${describe(image)}`,
    );
  }
  const { channels } = image;
  const result = createImage(width, height, channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * channels;
    result.data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return result;
}

/**
 * Cuts out the middle of an image; where the rest is odd, the larger part is cut off right and below.
 *
 * @param image [H, W, C]
 * @param width in pixels.
 * @param height in pixels.
 * @returns [height, width, C]
 * @throws DataError where the image is smaller; RangeError where a size is no whole number of at least 1.
 * @example const square = cropCenter(image, 224, 224);
 */
export function cropCenter(image: Image, width: number, height: number): Image {
  checkImage("cropCenter", image);
  checkNumber("cropCenter", "width", width, number.wholeAtLeast1);
  checkNumber("cropCenter", "height", height, number.wholeAtLeast1);
  const [x, y] = [Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2)];
  return crop(image, { x, y, width, height });
}
