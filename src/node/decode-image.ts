import { DataError } from "../data/errors.ts";
import { type ImageHeader, imageHeader } from "../data/image/header.ts";
import { type Image, imageFromRgba } from "../data/image/image.ts";
import { optionalPackage } from "./packages.ts";

/**
 * Decodes PNG (npm's `pngjs`) and JPEG (`jpeg-js`). Numbers are 0 … 255, of 16-bit PNG the upper 8 bits; channels as
 * in the file. The checksums of a PNG are checked.
 *
 * @param name of the file, for errors.
 * @throws DataError naming the file and the fault; Error that says what to install where the package is missing.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name = "image",
  options: { maxPixels?: number } = {},
): Promise<Image> {
  const header = imageHeader(bytes, name, options.maxPixels);
  const decode = header.format === "png" ? await pngDecoder() : await jpegDecoder();
  let found: { width: number; height: number; data: Uint8Array };
  try {
    found = decode(bytes, header);
  } catch (cause) {
    throw new DataError(`${name}: damaged ${header.format.toUpperCase()}: ${(cause as Error).message}`, { cause });
  }
  const { width, height } = header;
  if (found.width !== width || found.height !== height || found.data.length !== 4 * width * height) {
    throw new DataError(
      `${name}: ${found.width} × ${found.height} pixels and ${found.data.length} bytes came out, its header has ${width} × ${height}.`,
    );
  }
  return imageFromRgba(found.data, width, height, header.channels);
}

async function pngDecoder() {
  const { PNG } = (await optionalPackage("decodeImage", "PNG", "pngjs", () => import("pngjs"))).default;
  return (bytes: Uint8Array) => PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

async function jpegDecoder() {
  const jpeg = (await optionalPackage("decodeImage", "JPEG", "jpeg-js", () => import("jpeg-js"))).default;
  return (bytes: Uint8Array, { width, height }: ImageHeader) => {
    // The decoder's own accounts: coefficients, planes and pixels come to some 30 bytes a pixel.
    const maxMemoryUsageInMB = 64 + Math.ceil((64 * width * height) / 2 ** 20);
    return jpeg.decode(bytes, { useTArray: true, tolerantDecoding: false, maxResolutionInMP: 1e6, maxMemoryUsageInMB });
  };
}
