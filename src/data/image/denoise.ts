import { createImage, type Image } from "./image.ts";

/*
 * Filters against noise, each channel by itself. Beyond the edge the nearest pixel goes on (SciPy's mode "nearest").
 */

/** The median of the `size` × `size` pixels around each one: takes away single wrong pixels and leaves edges sharp. */
export function medianFilter(image: Image, size = 3): Image {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new RangeError(`medianFilter: the size must be an odd whole number, is ${size}`);
  }
  const { width, height, channels, data } = image;
  const result = createImage(width, height, channels);
  const around = new Float32Array(size * size);
  const reach = (size - 1) / 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        let n = 0;
        for (let dy = -reach; dy <= reach; dy++) {
          const row = clamp(y + dy, height) * width;
          for (let dx = -reach; dx <= reach; dx++) around[n++] = data[(row + clamp(x + dx, width)) * channels + c]!;
        }
        result.data[(y * width + x) * channels + c] = around.sort()[(n - 1) / 2]!;
      }
    }
  }
  return result;
}

/**
 * Each pixel becomes the mean of its surroundings, weighted by e^(-d²/2σ²) along rows and columns, with the deviation σ
 * in pixels; weights beyond `truncate`·σ are left out, and those that stay add up to 1 (SciPy's `gaussian_filter`).
 */
export function gaussianFilter(image: Image, deviation: number, truncate = 4): Image {
  if (!(deviation > 0)) throw new RangeError(`gaussianFilter: the deviation must be above 0 pixels, is ${deviation}`);
  const reach = Math.trunc(truncate * deviation + 0.5);
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
  return along(along(image, 0, 1), 1, 0);
}

function clamp(i: number, size: number): number {
  return i < 0 ? 0 : i < size ? i : size - 1;
}
