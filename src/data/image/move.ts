import { checkName, checkNumber, number } from "../../check.ts";
import { checkAlpha, hasAlpha } from "./alpha.ts";
import { checkImage, createImage, type Image } from "./image.ts";

/*
 * Moving the content of an image. Sizes stay; what comes from outside of the image is `fill`, in the image's units, in all
 * channels: 0 is black, and transparent where there is an alpha. Colors are weighted by alpha where there is one.
 */

/**
 * Shifts the content of an image; parts of a pixel by bilinear interpolation.
 *
 * @param image [H, W, C]
 * @param right pixels to the right; negative: to the left.
 * @param down pixels down; negative: up.
 * @param fill the value of pixels from outside. Default 0.
 * @returns [H, W, C]
 * @throws RangeError where a number is not finite; DataError where an alpha is below 0.
 * @example const moved = shift(image, 2, -1);
 */
export function shift(image: Image, right: number, down: number, fill = 0): Image {
  checkImage("shift", image);
  checkNumber("shift", "right", right, number.finite);
  checkNumber("shift", "down", down, number.finite);
  return affine(image, [1, 0, -right, 0, 1, -down], fill);
}

/**
 * Rotates about the middle, counterclockwise, bilinear: Pillow's `rotate(degrees, BILINEAR)`.
 *
 * @param image [H, W, C]
 * @param degrees counterclockwise.
 * @param fill the value of pixels from outside. Default 0.
 * @returns [H, W, C]
 * @throws RangeError where a number is not finite; DataError where an alpha is below 0.
 * @example const turned = rotate(image, 90);
 */
export function rotate(image: Image, degrees: number, fill = 0): Image {
  checkImage("rotate", image);
  checkNumber("rotate", "degrees", degrees, number.finite);
  const angle = (degrees * Math.PI) / 180;
  // Rounded, so that a quarter turn is one: cos 90° would be 6e-17, which puts pixels on the wrong side of an edge.
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((x) => Math.round(x * 1e15) / 1e15) as [number, number];
  const [cx, cy] = [image.width / 2, image.height / 2];
  return affine(image, [cos, -sin, cx - cos * cx + sin * cy, sin, cos, cy - sin * cx - cos * cy], fill);
}

/**
 * Mirrors an image: left and right change places, or top and bottom.
 *
 * @param image [H, W, C]
 * @param direction "horizontal" or "vertical".
 * @returns [H, W, C]
 * @throws RangeError where the direction is none.
 * @example const mirrored = flip(image, "horizontal");
 */
export function flip(image: Image, direction: "horizontal" | "vertical"): Image {
  checkImage("flip", image);
  checkName("flip", "direction", direction, ["horizontal", "vertical"]);
  const { width, height, channels, data } = image;
  const result = createImage(width, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = direction === "horizontal" ? y * width + (width - 1 - x) : (height - 1 - y) * width + x;
      for (let c = 0; c < channels; c++) result.data[(y * width + x) * channels + c] = data[from * channels + c]!;
    }
  }
  return result;
}

/**
 * Affine transform, bilinear: y(u, v) = x(a·u + b·v + c, d·u + e·v + f), with u and v the centers of output pixels (½, 1½ …).
 * Within half a pixel of the edge the edge is repeated; further out is `fill`.
 *
 * @param image [H, W, C]
 * @param matrix [a, b, c, d, e, f], from output to input coordinates, as in Pillow.
 * @param fill the value of pixels from outside. Default 0.
 * @returns [H, W, C]
 * @throws TypeError or RangeError where the matrix is none; DataError where an alpha is below 0.
 * @example const half = affine(image, [2, 0, 0, 0, 2, 0]);
 */
export function affine(
  image: Image,
  matrix: readonly [number, number, number, number, number, number],
  fill = 0,
): Image {
  checkImage("affine", image);
  if (matrix?.length !== 6) throw new TypeError(`affine: the matrix has ${matrix?.length} numbers, expected 6.`);
  for (const [i, x] of matrix.entries()) checkNumber("affine", `number ${i} of the matrix`, x, number.finite);
  checkNumber("affine", "fill", fill, number.finite);
  if (hasAlpha(image)) checkAlpha("affine", image);
  const [a, b, c, d, e, f] = matrix;
  const { width, height, channels, data } = image;
  const result = createImage(width, height, channels);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const x = a * (u + 0.5) + b * (v + 0.5) + c;
      const y = d * (u + 0.5) + e * (v + 0.5) + f;
      const at = (v * width + u) * channels;
      if (!(x >= 0 && x < width && y >= 0 && y < height)) {
        result.data.fill(fill, at, at + channels);
        continue;
      }
      const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
      const [p, q] = [x - 0.5 - left, y - 0.5 - top];
      const [x0, x1] = [Math.max(left, 0), Math.min(left + 1, width - 1)];
      const [y0, y1] = [Math.max(top, 0) * width, Math.min(top + 1, height - 1) * width];
      const places = [y0 + x0, y0 + x1, y1 + x0, y1 + x1].map((i) => i * channels) as Four;
      const weights: Four = [(1 - q) * (1 - p), (1 - q) * p, q * (1 - p), q * p];
      if (hasAlpha(image)) {
        const seen = weights.map((w, i) => w * data[places[i]! + channels - 1]!) as Four;
        const alpha = seen[0] + seen[1] + seen[2] + seen[3];
        for (let k = 0; k < channels - 1; k++) {
          result.data[at + k] = alpha > 0 ? weighted(data, places, k, seen) / alpha : 0;
        }
        result.data[at + channels - 1] = alpha;
      } else {
        for (let k = 0; k < channels; k++) result.data[at + k] = weighted(data, places, k, weights);
      }
    }
  }
  return result;
}

type Four = [number, number, number, number];

function weighted(data: Float32Array, [a, b, c, d]: Four, k: number, weights: Four): number {
  return weights[0] * data[a + k]! + weights[1] * data[b + k]! + weights[2] * data[c + k]! + weights[3] * data[d + k]!;
}
