import { type DecodeImageOptions, decodeBy } from "./decode.ts";
import type { Image } from "./image.ts";

/**
 * Decodes PNG and JPEG in a browser, to the same numbers as `decodeImage` of `handgrad/node`: 0 … 255, channels as in the
 * file, photos upright. The browser's own decoder is not used: a canvas premultiplies alpha, and browsers differ in color
 * conversion.
 *
 * @param bytes of the file.
 * @param name of the file, for errors. Default "image".
 * @param options limits and orientation.
 * @returns [H, W, C]
 * @throws DataError naming the file and the fault.
 * @example const image = await decodeImageInBrowser(new Uint8Array(await file.arrayBuffer()), file.name);
 */
export function decodeImageInBrowser(
  bytes: Uint8Array,
  name = "image",
  options: DecodeImageOptions = {},
): Promise<Image> {
  return decodeBy("decodeImageInBrowser", bytes, name, options, inflate);
}

/** Unpacks zlib data as it comes, and stops beyond `most` bytes. */
async function inflate(data: Uint8Array, most: number): Promise<Uint8Array> {
  const result = new Uint8Array(most);
  const stream = new Blob([new Uint8Array(data)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  for (let at = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return result.subarray(0, at);
    if (at + value.length > most) {
      await reader.cancel();
      throw new Error(`more than ${most - 1} bytes of pixels come out`);
    }
    result.set(value, at);
    at += value.length;
  }
}
