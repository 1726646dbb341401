import { DataError } from "../errors.ts";
import { type FlattenOptions, flatten } from "./alpha.ts";
import { checkImage, createImage, describe, type Image } from "./image.ts";

/**
 * One channel, the luma of ITU-R 601 as Pillow's "L": 0.299·R + 0.587·G + 0.114·B; gray stays. An image with alpha is
 * flattened first.
 *
 * @param image of 1 to 4 channels.
 * @param options background and white, as of `flatten`. Default: on white.
 * @returns [H, W, 1]
 * @throws DataError where there are more channels, or the alpha cannot be.
 * @example const gray = grayscale(await decodeImage(bytes));
 */
export function grayscale(image: Image, options: FlattenOptions = {}): Image {
  const { width, height, channels, data } = opaque("grayscale", image, options);
  const result = createImage(width, height, 1);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    result.data[i] = channels < 3 ? data[at]! : 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  }
  return result;
}

/**
 * Three channels: gray is repeated. An image with alpha is flattened first.
 *
 * @param image of 1 to 4 channels.
 * @param options background and white, as of `flatten`. Default: on white.
 * @returns [H, W, 3]
 * @throws DataError where there are more channels, or the alpha cannot be.
 * @example const color = rgb(await decodeImage(bytes));
 */
export function rgb(image: Image, options: FlattenOptions = {}): Image {
  const { width, height, channels, data } = opaque("rgb", image, options);
  const result = createImage(width, height, 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) result.data[3 * i + c] = data[i * channels + (channels < 3 ? 0 : c)]!;
  }
  return result;
}

/** One or three channels. */
function opaque(operation: string, image: Image, options: FlattenOptions): Image {
  checkImage(operation, image);
  if (image.channels > 4)
    throw new DataError(`${operation}: expected 1 to 4 channels, found an image of ${describe(image)}`);
  return flatten(image, options, operation);
}
