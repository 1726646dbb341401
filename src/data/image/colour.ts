import { DataError } from "../errors.ts";
import { createImage, describe, type Image } from "./image.ts";

/** One channel, the luma of ITU-R 601 as Pillow's "L": 0.299·R + 0.587·G + 0.114·B. Alpha is left out; grey stays. */
export function greyscale(image: Image): Image {
  const { width, height, channels, data } = image;
  if (channels > 4) throw new DataError(`greyscale: expected 1 to 4 channels, found an image of ${describe(image)}`);
  const result = createImage(width, height, 1);
  for (let i = 0; i < width * height; i++) {
    const at = i * channels;
    result.data[i] = channels < 3 ? data[at]! : 0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!;
  }
  return result;
}

/** Three channels: grey is written three times, alpha is left out. */
export function rgb(image: Image): Image {
  const { width, height, channels, data } = image;
  if (channels > 4) throw new DataError(`rgb: expected 1 to 4 channels, found an image of ${describe(image)}`);
  const result = createImage(width, height, 3);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) result.data[3 * i + c] = data[i * channels + (channels < 3 ? 0 : c)]!;
  }
  return result;
}
