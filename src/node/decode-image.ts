import { inflateSync } from "node:zlib";
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
  return (bytes: Uint8Array) => {
    checkPngData(bytes);
    return PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  };
}

/** That there are as many bytes of pixels as the header says, of which the decoder takes too few in silence. */
function checkPngData(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = view.getUint32(at + 4);
    if (name === IDAT) chunks.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
    if (name === IEND) break;
  }
  const [width, height, depth, colour] = [view.getUint32(16), view.getUint32(20), bytes[24]!, bytes[25]!];
  const bits = depth * [1, 0, 3, 1, 2, 0, 4][colour]!;
  // Each line has a byte more for its filter; interlaced, a picture is seven smaller ones (Adam7).
  const passes = bytes[28] === 1 ? ADAM7 : [[0, 0, 1, 1] as const];
  const expected = passes.reduce((sum, [x, y, dx, dy]) => {
    const [w, h] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
    return sum + (w > 0 && h > 0 ? h * (1 + Math.ceil((w * bits) / 8)) : 0);
  }, 0);
  const found = inflateSync(Buffer.concat(chunks), { maxOutputLength: expected + 1 }).length;
  if (found !== expected) throw new Error(`its pixels are ${found} bytes, expected ${expected}`);
}

const IDAT = 0x49444154;
const IEND = 0x49454e44;
/** First column and row, and steps to the next ones, of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

async function jpegDecoder() {
  const jpeg = (await optionalPackage("decodeImage", "JPEG", "jpeg-js", () => import("jpeg-js"))).default;
  return (bytes: Uint8Array, { width, height }: ImageHeader) => {
    // The decoder's own accounts: coefficients, planes and pixels come to some 30 bytes a pixel.
    const maxMemoryUsageInMB = 64 + Math.ceil((64 * width * height) / 2 ** 20);
    return jpeg.decode(bytes, { useTArray: true, tolerantDecoding: false, maxResolutionInMP: 1e6, maxMemoryUsageInMB });
  };
}
