import { checkNumber, checkOptions, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { checkImage, createImage, describe, type Image } from "./image.ts";

/*
 * Alpha, the last of 2 or 4 channels: how much of a pixel is seen. A color that nobody sees must not show in its
 * neighbors, so whatever blends pixels weighs their colors by alpha.
 */

export const hasAlpha = ({ channels }: Pick<Image, "channels">): boolean => channels === 2 || channels === 4;

/**
 * What `blend` makes of the image, with colors weighted by alpha: they are multiplied by it before and divided by it after.
 * Where nothing is seen the color is 0, as Pillow has it.
 *
 * @throws DataError where an alpha is below 0 or no number: it can weigh nothing.
 */
export function weightedByAlpha(operation: string, image: Image, blend: (image: Image) => Image): Image {
  if (!hasAlpha(image)) return blend(image);
  checkAlpha(operation, image);
  const { channels } = image;
  const multiplied = createImage(image.width, image.height, channels);
  for (let at = 0; at < image.data.length; at += channels) {
    const alpha = image.data[at + channels - 1]!;
    for (let c = 0; c < channels - 1; c++) multiplied.data[at + c] = image.data[at + c]! * alpha;
    multiplied.data[at + channels - 1] = alpha;
  }
  const result = blend(multiplied);
  for (let at = 0; at < result.data.length; at += channels) {
    const alpha = result.data[at + channels - 1]!;
    for (let c = 0; c < channels - 1; c++) result.data[at + c] = alpha > 0 ? result.data[at + c]! / alpha : 0;
  }
  return result;
}

/** @throws DataError naming the first pixel whose alpha is below 0 or no finite number. */
export function checkAlpha(operation: string, { data, channels, width }: Image): void {
  for (let at = channels - 1; at < data.length; at += channels) {
    if (data[at]! >= 0 && data[at]! < Number.POSITIVE_INFINITY) continue;
    const pixel = (at - channels + 1) / channels;
    throw new DataError(
      `${operation}: the alpha of pixel (${pixel % width}, ${Math.floor(pixel / width)}) is ${data[at]}, expected at least 0. ` +
        `The last of ${channels} channels is alpha: normalize after this, or take it off by flatten.`,
    );
  }
}

/** What an image with alpha is composited onto. */
export interface FlattenOptions {
  /** What lies behind the picture, in its units: one number, or one a color. Default white. */
  readonly ground?: number | readonly number[];
  /** What white is, and an alpha that hides the ground: 255 as decoders give it, 1 after `rescale`. Default 255. */
  readonly white?: number;
}

/**
 * Composites an image onto a background, without its alpha: color · α + ground · (1 − α), with α the alpha over `white`. Gray
 * and alpha become gray, RGBA becomes RGB; an image without alpha is copied.
 *
 * @param image of any channels; the last of 2 or 4 is alpha.
 * @param options.ground the background, one number or one a color. Default: white.
 * @param options.white the value of white and of an opaque alpha. Default 255.
 * @param operation is named in errors. Default "flatten".
 * @returns an image of 1 or 3 channels.
 * @throws DataError where an alpha is below 0 or above `white`, or all of them look like those of another `white`.
 * @example const onBlack = flatten(await decodeImage(bytes), { ground: 0 });
 */
export function flatten(image: Image, options: FlattenOptions = {}, operation = "flatten"): Image {
  checkImage(operation, image);
  checkOptions<FlattenOptions>(operation, options, { ground: true, white: true });
  const { white = 255, ground = white } = options;
  checkNumber(operation, "white", white, number.positive);
  const { width, height, channels, data } = image;
  const colors = hasAlpha(image) ? channels - 1 : channels;
  const behind = typeof ground === "number" ? new Array<number>(colors).fill(ground) : [...ground];
  behind.forEach((x, c) => {
    checkNumber(operation, `ground of color ${c}`, x, number.finite);
  });
  if (behind.length !== colors) {
    throw new DataError(
      `${operation}: the ground has ${behind.length} numbers, expected one for each color of ${describe(image)}`,
    );
  }
  if (!hasAlpha(image)) return createImage(width, height, channels, data.slice());
  checkAlpha(operation, image);
  let most = 0;
  for (let at = colors; at < data.length; at += channels) most = Math.max(most, data[at]!);
  if (most > white * (1 + 1e-6) || (most > 0 && most <= 1 && white === 255)) {
    throw new DataError(
      `${operation}: the largest alpha is ${most}, where ${white} (white) hides the ground. Images of 0 … 1 need { white: 1 }, those of decoders 255.`,
    );
  }
  const result = createImage(width, height, colors);
  for (let i = 0; i < width * height; i++) {
    const alpha = data[i * channels + colors]! / white;
    for (let c = 0; c < colors; c++) {
      result.data[i * colors + c] = data[i * channels + c]! * alpha + behind[c]! * (1 - alpha);
    }
  }
  return result;
}
