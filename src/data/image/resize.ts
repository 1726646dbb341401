import { checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { weightedByAlpha } from "./alpha.ts";
import { checkImage, createImage, type Image } from "./image.ts";

/** The filter of `resize`. */
export interface ResizeOptions {
  /**
   * `bilinear`: weights fall in a straight line, max(0, 1 - |d|). `box`: all pixels under an output pixel weigh alike,
   * which is the mean over an area where the sizes divide. As Pillow's filters of these names. Default bilinear.
   */
  readonly filter?: keyof typeof filters;
  /** Where the image is made smaller, look at all pixels that one output pixel covers, as Pillow does. Default true. */
  readonly antialias?: boolean;
}

/** A weight for each distance from the middle of an output pixel, and the distance from which on it is 0. */
const filters = {
  bilinear: { reach: 1, weight: (d: number) => Math.max(0, 1 - Math.abs(d)) },
  box: { reach: 0.5, weight: (d: number) => (d > -0.5 && d <= 0.5 ? 1 : 0) },
} as const;

/**
 * Resizes an image, Pillow's `resize` without its rounding. Output pixel i is centered at c = (i + ½)·s of the input, with
 * s = input / output size:
 *
 * y[i] = Σⱼ w((j + ½ - c) / f)·x[j] / Σⱼ w(…),   f = max(s, 1), or 1 without antialiasing
 *
 * first along rows, then along columns. Colors are weighted by alpha where there is one.
 *
 * @param image [H, W, C]
 * @param width of the result, in pixels.
 * @param height of the result, in pixels.
 * @param options.filter "bilinear" or "box". Default "bilinear".
 * @param options.antialias Default true.
 * @returns [height, width, C]
 * @throws RangeError where a size is no whole number of at least 1, or the filter none; DataError where an alpha is below 0.
 * @example const small = resize(image, 28, 28);
 */
export function resize(image: Image, width: number, height: number, options: ResizeOptions = {}): Image {
  checkImage("resize", image);
  checkOptions<ResizeOptions>("resize", options, { filter: true, antialias: true });
  const { filter = "bilinear", antialias = true } = options;
  checkName("resize", "filter", filter, Object.keys(filters) as (keyof typeof filters)[]);
  if (typeof antialias !== "boolean") throw new TypeError(`resize: antialias is ${antialias}, expected true or false.`);
  checkNumber("resize", "width", width, number.wholeAtLeast1);
  checkNumber("resize", "height", height, number.wholeAtLeast1);
  const { channels } = image;
  const result = createImage(width, height, channels);
  if (width === image.width && height === image.height) {
    result.data.set(image.data);
    return result;
  }
  const [across, down] = [taps(image.width, width, filter, antialias), taps(image.height, height, filter, antialias)];
  return weightedByAlpha("resize", image, (weighted) => {
    const wide = createImage(width, image.height, channels);
    alongAxis(weighted.data, wide.data, image.height, channels, across);
    alongAxis(wide.data, result.data, 1, width * channels, down);
    return result;
  });
}

/** Where an output pixel begins to look, and how much each pixel from there on counts. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

function taps(from: number, to: number, filter: keyof typeof filters, antialias: boolean) {
  const { reach, weight } = filters[filter];
  const scale = from / to;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const lines = Array.from({ length: to }, (_, i): Taps => {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - reach * stretch + 0.5));
    const last = Math.min(from, Math.trunc(center + reach * stretch + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, j) => weight((first + j + 0.5 - center) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / sum) };
  });
  return { from, lines };
}

/** `outer` times: a run of `from` groups of `inner` numbers becomes one of as many groups as there are lines. */
function alongAxis(
  x: Float32Array,
  y: Float32Array,
  outer: number,
  inner: number,
  { from, lines }: { from: number; lines: readonly Taps[] },
): void {
  const row = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, { first, weights }] of lines.entries()) {
      row.fill(0);
      for (let j = 0; j < weights.length; j++) {
        const at = (o * from + first + j) * inner;
        for (let k = 0; k < inner; k++) row[k]! += weights[j]! * x[at + k]!;
      }
      y.set(row, (o * lines.length + i) * inner);
    }
  }
}
