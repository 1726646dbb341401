import { DataError } from "../errors.ts";
import { imageHeader } from "./header.ts";
import { type Image, imageFromRgba } from "./image.ts";

/**
 * Decodes PNG and JPEG by the browser's own decoder (`createImageBitmap`). Numbers are 0 … 255, channels as in the
 * file; colours under a half-transparent alpha are coarser than in the file, since a canvas keeps them multiplied by it.
 * In Node use `decodeImage` of `handgrad/node`.
 *
 * @throws DataError naming the file and the fault.
 */
export async function decodeImageInBrowser(
  bytes: Uint8Array,
  name = "image",
  options: { maxPixels?: number } = {},
): Promise<Image> {
  const { width, height, channels, format } = imageHeader(bytes, name, options.maxPixels);
  if (typeof createImageBitmap === "undefined" || typeof OffscreenCanvas === "undefined") {
    throw new Error(
      "decodeImageInBrowser: this place has no createImageBitmap and OffscreenCanvas. In Node use decodeImage of handgrad/node.",
    );
  }
  // A copy, since a Blob takes no view of shared memory.
  const blob = new Blob([new Uint8Array(bytes)], { type: `image/${format}` });
  let bitmap: ImageBitmap;
  try {
    // The numbers of the file, not those that fit a screen; and the picture as it is stored, as Pillow and Node have it.
    bitmap = await createImageBitmap(blob, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
      imageOrientation: "none" as ImageOrientation,
    });
  } catch (cause) {
    throw new DataError(`${name}: the browser cannot decode it: ${(cause as Error).message}`, { cause });
  }
  try {
    if (bitmap.width !== width || bitmap.height !== height) {
      throw new DataError(`${name}: ${bitmap.width} × ${bitmap.height} pixels, its header has ${width} × ${height}.`);
    }
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    return imageFromRgba(context.getImageData(0, 0, width, height).data, width, height, channels);
  } finally {
    bitmap.close();
  }
}
