import { checkNumber, checkOptions, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { createImage, describe, type Image } from "./image.ts";

/** A stretch of an image, in pixels from the upper left. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** @throws DataError if the rectangle is not whole pixels inside the image. */
export function crop(image: Image, rectangle: Rectangle): Image {
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

/** The middle of an image; where the rest is odd, the larger part is cut off right and below. */
export function cropCenter(image: Image, width: number, height: number): Image {
  checkNumber("cropCenter", "width", width, number.wholeAtLeast1);
  checkNumber("cropCenter", "height", height, number.wholeAtLeast1);
  const [x, y] = [Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2)];
  return crop(image, { x, y, width, height });
}
