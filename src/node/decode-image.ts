import { inflateSync } from "node:zlib";
import { type DecodeImageOptions, decodeBy } from "../data/image/decode.ts";
import type { Image } from "../data/image/image.ts";

/**
 * Decodes PNG and JPEG (baseline and progressive; gray, RGB, YCbCr, CMYK and YCCK). Numbers are 0 … 255, 16-bit PNG rounded
 * to them; channels as in the file, palettes and inks as RGB. Photos stand upright, as their EXIF orientation says.
 * `decodeImageInBrowser` gives the same numbers.
 *
 * @param bytes of the file.
 * @param name of the file, for errors. Default "image".
 * @returns the picture, [height, width, channels].
 * @throws DataError naming the file and the fault.
 * @example const image = await decodeImage(await readFile("cat.jpg"), "cat.jpg");
 */
export function decodeImage(bytes: Uint8Array, name = "image", options: DecodeImageOptions = {}): Promise<Image> {
  return decodeBy("decodeImage", bytes, name, options, (data, most) => inflateSync(data, { maxOutputLength: most }));
}
