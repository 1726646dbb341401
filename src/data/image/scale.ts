import {
  checkArray,
  checkIterable,
  checkList,
  checkNumber,
  checkObject,
  checkOptions,
  type NumberRule,
  number,
} from "../../check.ts";
import { DataError } from "../errors.ts";
import { checkImage, createImage, describe, type Image } from "./image.ts";

const BYTE: NumberRule = {
  holds: (x) => Number.isInteger(x) && x >= 0 && x <= 255,
  expected: "a whole number from 0 to 255",
};

/**
 * Bytes 0 … 255 as numbers 0 … 1.
 *
 * @param bytes [N]
 * @returns [N]
 * @throws RangeError or TypeError naming the first that is no byte.
 * @example const image = imageFromBytes(bytes);
 */
export function imageFromBytes(bytes: Uint8Array): Float32Array {
  checkList("imageFromBytes", "bytes", bytes, "a Uint8Array");
  return Float32Array.from(bytes, (byte, i) => {
    if (!Number.isInteger(byte) || byte < 0 || byte > 255) checkNumber("imageFromBytes", `byte ${i}`, byte, BYTE);
    return byte / 255;
  });
}

/**
 * Standardizes numbers: (x - mean) / deviation.
 *
 * @param image [N], any layout.
 * @param mean to subtract.
 * @param deviation above 0, to divide by.
 * @returns [N], a new array.
 * @throws RangeError where one of them is none.
 * @example const x = normalizeImage(image, 0.1307, 0.3081);
 */
export function normalizeImage(image: Float32Array, mean: number, deviation: number): Float32Array {
  checkArray("normalizeImage", "image", image, "Float32Array");
  checkNumber("normalizeImage", "mean", mean, number.finite);
  checkNumber("normalizeImage", "deviation", deviation, number.positive);
  return image.map((x) => (x - mean) / deviation);
}

/**
 * Multiplies all numbers by a factor: 0 … 255 → 0 … 1 by default.
 *
 * @param image [H, W, C]
 * @param factor Default 1/255.
 * @returns [H, W, C]
 * @throws RangeError where the factor is no finite number.
 * @example const image = rescale(await decodeImage(bytes));
 */
export function rescale(image: Image, factor = 1 / 255): Image {
  checkImage("rescale", image);
  checkNumber("rescale", "factor", factor, number.finite);
  return { ...image, data: image.data.map((x) => x * factor) };
}

/** Mean and standard deviation of each channel. */
export interface ChannelStatistics {
  /** [C] */
  readonly mean: readonly number[];
  /** [C], each above 0. */
  readonly deviation: readonly number[];
}

/**
 * Standardizes each channel: (x - mean[c]) / deviation[c].
 *
 * @param image [H, W, C]
 * @param statistics in the units of the image: rescale first if they are of 0 … 1.
 * @returns [H, W, C]
 * @throws DataError where there is not one of each for every channel; RangeError where one cannot be.
 * @example const x = normalizeChannels(rescale(image), { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] });
 */
export function normalizeChannels(image: Image, statistics: ChannelStatistics): Image {
  checkImage("normalizeChannels", image);
  checkObject("normalizeChannels", "statistics", statistics, "{ mean, deviation }, as channelStatistics gives");
  checkOptions<ChannelStatistics>("normalizeChannels", statistics, { mean: true, deviation: true });
  const { mean, deviation } = statistics;
  checkList("normalizeChannels", "mean", mean, "a number for each channel");
  checkList("normalizeChannels", "deviation", deviation, "a number for each channel");
  const { width, height, channels, data } = image;
  if (mean.length !== channels || deviation.length !== channels) {
    throw new DataError(
      `normalizeChannels: found ${mean.length} means and ${deviation.length} deviations, expected one for each channel of ${describe(image)}`,
    );
  }
  for (let c = 0; c < channels; c++) {
    checkNumber("normalizeChannels", `mean of channel ${c}`, mean[c], number.finite);
    checkNumber("normalizeChannels", `deviation of channel ${c}`, deviation[c], number.positive);
  }
  const result = createImage(width, height, channels);
  for (let i = 0; i < data.length; i++) result.data[i] = (data[i]! - mean[i % channels]!) / deviation[i % channels]!;
  return result;
}

/**
 * Mean and population standard deviation of each channel over all pixels of some images, in one pass (Welford 1962).
 *
 * @param images at least one, of equal channels.
 * @returns [C] of both.
 * @throws DataError where there are no images, or they differ in channels.
 * @example const statistics = channelStatistics(trainImages);
 */
export function channelStatistics(images: Iterable<Image>): ChannelStatistics {
  checkIterable("channelStatistics", "images", images);
  let channels = 0;
  let [n, mean, squares] = [0, new Float64Array(), new Float64Array()];
  for (const image of images) {
    checkImage("channelStatistics", image);
    if (channels === 0) {
      channels = image.channels;
      [mean, squares] = [new Float64Array(channels), new Float64Array(channels)];
    }
    if (image.channels !== channels) {
      throw new DataError(
        `channelStatistics: an image is ${describe(image)}, those before it have ${channels} channels`,
      );
    }
    for (let i = 0; i < image.data.length; i += channels) {
      n++;
      for (let c = 0; c < channels; c++) {
        const off = image.data[i + c]! - mean[c]!;
        mean[c]! += off / n;
        squares[c]! += off * (image.data[i + c]! - mean[c]!);
      }
    }
  }
  if (n === 0) throw new DataError("channelStatistics: there are no images, expected at least one");
  return { mean: [...mean], deviation: [...squares].map((s) => Math.sqrt(s / n)) };
}
