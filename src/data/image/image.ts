import { checkArray, checkList, describe as kindOf } from "../../check.ts";
import { DataError } from "../errors.ts";

/**
 * A picture on the host: pixel by pixel, row by row from the top, the channels of a pixel side by side (HWC).
 * `data[(y · width + x) · channels + c]`.
 *
 * Channels are gray (1), gray and alpha (2), RGB (3) or RGBA (4), though any number is worked with. Decoders give
 * 0 … 255; `rescale` makes 0 … 1 of it. Every function here gives a new image and leaves the one it was given alone.
 */
export interface Image {
  /** Columns, W. */
  readonly width: number;
  /** Rows, H. */
  readonly height: number;
  /** Numbers a pixel, C. */
  readonly channels: number;
  /** [H, W, C], row-major. */
  readonly data: Float32Array;
}

/**
 * An image of given sizes.
 *
 * @param width in pixels.
 * @param height in pixels.
 * @param channels numbers a pixel.
 * @param data [H, W, C]; it is not copied. Default: zeros.
 * @returns the image.
 * @throws DataError if the sizes are no whole numbers above 0, or are not those of the data.
 * @example const black = createImage(28, 28, 1);
 */
export function createImage(
  width: number,
  height: number,
  channels: number,
  data: Float32Array = new Float32Array(sizeOf(width, height, channels)),
): Image {
  const size = sizeOf(width, height, channels);
  checkArray("createImage", "data", data, "Float32Array");
  if (data.length !== size) {
    throw new DataError(
      `createImage: ${width} × ${height} pixels of ${channels} channels are ${size} numbers, found ${data.length}`,
    );
  }
  return { width, height, channels, data };
}

/**
 * [H, W, C] → [C, H, W], as networks read it.
 *
 * @param image to transpose.
 * @returns [C, H, W], a new array.
 * @example const x = channelsFirst(image);
 */
export function channelsFirst(image: Image): Float32Array {
  checkImage("channelsFirst", image);
  const { width, height, channels, data } = image;
  const result = new Float32Array(data.length);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) result[c * width * height + i] = data[i * channels + c]!;
  }
  return result;
}

/**
 * [C, H, W] → an image [H, W, C].
 *
 * @param data [C, H, W]
 * @param shape the three sizes C, H, W.
 * @returns the image, with numbers of its own.
 * @throws DataError where the data are not as many numbers.
 * @example const image = fromChannelsFirst(numbers, [3, 32, 32]);
 */
export function fromChannelsFirst(data: Float32Array, shape: readonly [number, number, number]): Image {
  checkArray("fromChannelsFirst", "data", data, "Float32Array");
  checkList("fromChannelsFirst", "the shape", shape, "[channels, height, width]");
  const [channels, height, width] = shape;
  const image = createImage(width, height, channels);
  if (data.length !== image.data.length) {
    throw new DataError(
      `fromChannelsFirst: [${channels}, ${height}, ${width}] is ${image.data.length} numbers, found ${data.length}`,
    );
  }
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) image.data[i * channels + c] = data[c * width * height + i]!;
  }
  return image;
}

/** Images as one batch. */
export interface StackedImages {
  /** [N, C, H, W], row-major. */
  readonly data: Float32Array;
  /** N, C, H and W. */
  readonly shape: [number, number, number, number];
}

/**
 * Stacks images of equal sizes into a batch [N, C, H, W].
 *
 * @param images N of them, at least one.
 * @returns `data` and `shape` of the batch.
 * @throws DataError naming the first image of another size.
 * @example const { data, shape } = stackImages(images);
 */
export function stackImages(images: readonly Image[]): StackedImages {
  checkList("stackImages", "images", images, "a list of images");
  const first = images[0];
  if (!first) throw new DataError("stackImages: there are no images to stack, expected at least one");
  checkImage("stackImages, image 0", first);
  const data = new Float32Array(images.length * first.data.length);
  for (const [i, image] of images.entries()) {
    checkImage(`stackImages, image ${i}`, image);
    if (image.width !== first.width || image.height !== first.height || image.channels !== first.channels) {
      throw new DataError(
        `stackImages: image ${i} is ${describe(image)}, image 0 is ${describe(first)}. Resize or crop them to one size.`,
      );
    }
    data.set(channelsFirst(image), i * first.data.length);
  }
  return { data, shape: [images.length, first.channels, first.height, first.width] };
}

/**
 * RGBA bytes, such as a canvas gives, as an image of fewer channels: gray 1, gray and alpha 2, RGB 3, RGBA 4.
 *
 * @param rgba [H, W, 4]
 * @param width in pixels.
 * @param height in pixels.
 * @param channels 1 to 4; gray is the red channel.
 * @returns [H, W, channels]
 * @throws DataError where sizes and bytes do not fit.
 * @example const image = imageFromRgba(context.getImageData(0, 0, 28, 28).data, 28, 28, 1);
 */
export function imageFromRgba(rgba: ArrayLike<number>, width: number, height: number, channels: number): Image {
  checkList("imageFromRgba", "rgba", rgba, "the bytes of a canvas");
  const image = createImage(width, height, channels);
  const parts = [[0], [0, 3], [0, 1, 2], [0, 1, 2, 3]][channels - 1];
  if (!parts || rgba.length !== 4 * width * height) {
    throw new DataError(
      `imageFromRgba: expected ${4 * width * height} bytes and 1 to 4 channels, found ${rgba.length} and ${channels}`,
    );
  }
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) image.data[i * channels + c] = rgba[4 * i + parts[c]!]!;
  }
  return image;
}

/** Refuses what is no image, such as a canvas's ImageData, or one whose data are of another size. */
export function checkImage(operation: string, image: Image): void {
  if (typeof image !== "object" || image === null)
    throw new TypeError(`${operation}: the image is ${kindOf(image)}, expected { width, height, channels, data }.`);
  const { width, height, channels, data } = image;
  if (![width, height, channels].every((n) => Number.isInteger(n) && n > 0))
    throw new TypeError(
      `${operation}: the image is ${describe(image)}, expected whole numbers above 0 as width, height and channels. Make one of a canvas's by imageFromRgba.`,
    );
  checkArray(operation, "the image's data", data, "Float32Array");
  if (data.length !== width * height * channels)
    throw new DataError(
      `${operation}: an image of ${describe(image)} holds ${width * height * channels} numbers, found ${data.length}.`,
    );
}

/** For messages: "28 × 28 × 1". */
export function describe({ width, height, channels }: Pick<Image, "width" | "height" | "channels">): string {
  return `${width} × ${height} × ${channels}`;
}

function sizeOf(...sizes: readonly [number, number, number]): number {
  const isFit = sizes.every((n) => Number.isInteger(n) && n > 0);
  const size = isFit ? sizes[0] * sizes[1] * sizes[2] : Number.NaN;
  if (!(size <= 2 ** 31)) {
    throw new DataError(
      `createImage: width × height × channels is ${sizes.map(kindOf).join(" × ")}, expected whole numbers above 0 and at most 2^31 in all`,
    );
  }
  return size;
}
