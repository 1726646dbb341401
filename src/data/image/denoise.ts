import { checkNumber, number } from "../../check.ts";
import { checkAlpha, hasAlpha, weightedByAlpha } from "./alpha.ts";
import { checkImage, createImage, type Image } from "./image.ts";

/*
 * Filters against noise, each channel by itself, colors weighted by alpha where there is one. Beyond the edge the nearest
 * pixel goes on (SciPy's mode "nearest").
 */

/** Pixels that a filter may look at on each side: more than any picture has. */
const WIDEST = 2 ** 14;

/**
 * Median filter: the median of the `size` × `size` pixels around each one. Removes single wrong pixels and keeps edges sharp.
 *
 * @param image [H, W, C]; beyond the edge the nearest pixel is repeated.
 * @param size odd. Default 3.
 * @returns [H, W, C]
 * @throws RangeError where the size is none; DataError where an alpha is below 0.
 * @example const clean = medianFilter(image, 5);
 */
export function medianFilter(image: Image, size = 3): Image {
  checkImage("medianFilter", image);
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0 || size > WIDEST) {
    throw new RangeError(`medianFilter: the size must be an odd whole number up to ${WIDEST}, is ${size}`);
  }
  const { width, height, channels, data } = image;
  if (hasAlpha(image)) checkAlpha("medianFilter", image);
  const alpha = hasAlpha(image) ? channels - 1 : channels;
  const result = createImage(width, height, channels);
  const places = new Uint32Array(size * size);
  const around = new Float32Array(size * size);
  const reach = (size - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let n = 0;
      for (let dy = -reach; dy <= reach; dy++) {
        const row = clamp(y + dy, height) * width;
        for (let dx = -reach; dx <= reach; dx++) places[n++] = (row + clamp(x + dx, width)) * channels;
      }
      for (let c = 0; c < channels; c++) {
        for (let i = 0; i < n; i++) around[i] = data[places[i]! + c]!;
        const middle =
          c < alpha && alpha < channels
            ? weightedMedian(around, (i) => data[places[i]! + alpha]!)
            : around.some(Number.isNaN)
              ? Number.NaN
              : around.sort()[(n - 1) / 2]!;
        result.data[(y * width + x) * channels + c] = middle;
      }
    }
  }
  return result;
}

/** The least value that has half of all weight at or below it; 0 where nothing weighs anything. */
function weightedMedian(values: Float32Array, weight: (i: number) => number): number {
  // What nobody sees does not count; what is NaN and is seen is NaN, as without alpha.
  if (values.some((x, i) => Number.isNaN(x) && weight(i) > 0)) return Number.NaN;
  const ranked = Array.from(values, (x, i) => ({ x, w: weight(i) })).sort((a, b) => a.x - b.x);
  const half = ranked.reduce((sum, { w }) => sum + w, 0) / 2;
  if (half === 0) return 0;
  let sum = 0;
  return ranked.find(({ w }) => {
    sum += w;
    return sum >= half;
  })!.x;
}

/**
 * Gaussian blur, SciPy's `gaussian_filter`: a mean weighted by e^(-d²/2σ²) along rows and columns; weights beyond
 * `truncate`·σ are left out, and the others sum to 1.
 *
 * @param image [H, W, C]; beyond the edge the nearest pixel is repeated.
 * @param deviation σ, in pixels.
 * @param truncate in deviations. Default 4.
 * @returns [H, W, C]
 * @throws RangeError where one of them is none; DataError where an alpha is below 0.
 * @example const smooth = gaussianFilter(image, 1.5);
 */
export function gaussianFilter(image: Image, deviation: number, truncate = 4): Image {
  checkImage("gaussianFilter", image);
  checkNumber("gaussianFilter", "deviation", deviation, number.positive);
  checkNumber("gaussianFilter", "truncate", truncate, number.positive);
  const reach = Math.trunc(truncate * deviation + 0.5);
  if (reach > WIDEST) {
    throw new RangeError(
      `gaussianFilter: ${truncate} deviations of ${deviation} pixels are ${reach} pixels, expected at most ${WIDEST}.`,
    );
  }
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / deviation) ** 2),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  const { width, height, channels } = image;
  const along = (from: Image, dx: number, dy: number): Image => {
    const to = createImage(width, height, channels);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          let total = 0;
          for (let i = -reach; i <= reach; i++) {
            const at = clamp(y + i * dy, height) * width + clamp(x + i * dx, width);
            total += weights[i + reach]! * from.data[at * channels + c]!;
          }
          to.data[(y * width + x) * channels + c] = total / sum;
        }
      }
    }
    return to;
  };
  return weightedByAlpha("gaussianFilter", image, (weighted) => along(along(weighted, 0, 1), 1, 0));
}

function clamp(i: number, size: number): number {
  return i < 0 ? 0 : i < size ? i : size - 1;
}
