import { checkArray, checkNumber, number } from "../../check.ts";
import { textOfCodes } from "../../numbers.ts";
import { DataError } from "../errors.ts";
import { crc32 } from "../file/crc32.ts";
import { exchangesSides, exifOrientation } from "./orientation.ts";

/*
 * What a PNG or JPEG file says about itself, read before a decoder allocates anything. A file of some bytes can claim
 * to be a picture of gigabytes: what it claims must be possible for its length, and within what the caller allows.
 */

/** What a PNG or JPEG file says about itself. */
export interface ImageHeader {
  /** By the file's first bytes. */
  readonly format: "png" | "jpeg";
  /** In pixels, with the orientation applied. */
  readonly width: number;
  /** In pixels, with the orientation applied. */
  readonly height: number;
  /** How the stored picture is to be held (EXIF): 1 as it is, from 5 on with width and height exchanged. */
  readonly orientation: number;
  /** As the file has them: gray 1, gray and alpha 2, RGB 3, RGBA 4. A palette is RGB, or RGBA with transparent colors. */
  readonly channels: number;
}

/** Deflate turns a byte into 1032 at most (258 by each quarter of one). */
export const MOST_INFLATION = 1032;
/** A block of 8 × 8 pixels needs a bit or two, and up to 4 × 4 of them may share one of color. */
const MOST_PIXELS_A_BYTE = 2048;
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Reads the header of a picture without decoding it; for PNG it walks over all chunks and verifies their checksums.
 *
 * @param bytes of the file.
 * @param name of the file, for errors. Default "image".
 * @param maxPixels that are allowed. Default 2^26 (8192 × 8192).
 * @returns format, sizes, orientation and channels.
 * @throws DataError naming the file and the fault.
 * @example const { width, height } = imageHeader(bytes, "photo.jpg");
 */
export function imageHeader(bytes: Uint8Array, name = "image", maxPixels = 2 ** 26): ImageHeader {
  checkArray("imageHeader", "bytes", bytes, "Uint8Array");
  checkNumber("imageHeader", "maxPixels", maxPixels, number.atLeast0);
  const png = PNG_SIGNATURE.every((byte, i) => bytes[i] === byte);
  if (!png && !(bytes[0] === 0xff && bytes[1] === 0xd8)) {
    throw new DataError(`${name}: neither PNG nor JPEG: it begins with ${hex(bytes.subarray(0, 8)) || "nothing"}.`);
  }
  const stored = png ? pngHeader(bytes, name) : jpegHeader(bytes, name);
  const [width, height] = exchangesSides(stored.orientation)
    ? [stored.height, stored.width]
    : [stored.width, stored.height];
  if (width * height > maxPixels) {
    throw new DataError(`${name}: claims ${width} × ${height} pixels, more than the ${maxPixels} allowed (maxPixels).`);
  }
  return { ...stored, width, height };
}

/** PNG (ISO 15948): a signature, then chunks of length, type, data and CRC of type and data. */
function pngHeader(bytes: Uint8Array, name: string): ImageHeader {
  const fail = (fault: string) => new DataError(`${name}: damaged PNG: ${fault}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [compressed, transparent, ended, orientation] = [0, false, false, 1];
  for (let at = 8; !ended; ) {
    if (at + 12 > bytes.length) throw fail(`it is cut off: ${bytes.length} bytes, without the chunk IEND`);
    const length = view.getUint32(at);
    const type = textOfCodes(bytes.subarray(at + 4, at + 8)).replace(/[^A-Za-z]/g, "?");
    if (at + 12 + length > bytes.length) {
      throw fail(
        `chunk ${type} at byte ${at} claims ${length} bytes, ${bytes.length - at - 12} are left: it is cut off`,
      );
    }
    if (at === 8 && (type !== "IHDR" || length !== 13)) throw fail(`it begins with a chunk ${type} of ${length} bytes`);
    const [found, expected] = [view.getUint32(at + 8 + length), crc32(bytes.subarray(at + 4, at + 8 + length))];
    if (found !== expected) {
      throw fail(
        `chunk ${type} at byte ${at} has the CRC ${found.toString(16)}, its data have ${expected.toString(16)}`,
      );
    }
    // A capital first letter: whoever does not know it cannot show the picture (ISO 15948, 5.4), and browsers do not.
    if (/^[A-Z]/.test(type) && !["IHDR", "PLTE", "IDAT", "IEND"].includes(type))
      throw fail(`it needs the chunk ${type}, which is not known here`);
    if (type === "IDAT") compressed += length;
    if (type === "tRNS") transparent = true;
    if (type === "eXIf") orientation = exifOrientation(bytes.subarray(at + 8, at + 8 + length));
    if (type === "IEND") ended = true;
    at += 12 + length;
  }
  const [width, height, depth, color] = [view.getUint32(16), view.getUint32(20), bytes[24]!, bytes[25]!];
  const colors = [1, 0, 3, 3, 2, 0, 4][color];
  if (!colors) throw fail(`its color type is ${color}, expected 0, 2, 3, 4 or 6`);
  if (width === 0 || height === 0) throw fail(`it is ${width} × ${height} pixels`);
  const size = Math.ceil((width * (color === 3 ? 1 : colors) * depth) / 8) * height;
  if (size > MOST_INFLATION * compressed) {
    throw fail(
      `${width} × ${height} pixels are ${size} bytes, which ${compressed} bytes of compressed data cannot hold`,
    );
  }
  return { format: "png", width, height, orientation, channels: colors + (transparent && color < 4 ? 1 : 0) };
}

/** JPEG (ITU-T T.81): segments of a marker 0xff.., a length and data; a start of frame (SOF) has the sizes. */
function jpegHeader(bytes: Uint8Array, name: string): ImageHeader {
  const fail = (fault: string) => new DataError(`${name}: damaged JPEG: ${fault}.`);
  let orientation = 1;
  let exif = false;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw fail(`expected a marker at byte ${at}, found ${hex(bytes.subarray(at, at + 2))}`);
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++; // filling
      continue;
    }
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length < 2 || at + 2 + length > bytes.length) {
      throw fail(`segment ff ${hex([marker])} at byte ${at} claims ${length} bytes of ${bytes.length - at - 2} left`);
    }
    if (marker === 0xe1 && !exif && textOfCodes(bytes.subarray(at + 4, at + 10)) === "Exif\0\0") {
      exif = true;
      orientation = exifOrientation(bytes.subarray(at + 10, at + 2 + length));
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) {
      if (marker > 0xc2)
        throw fail(`its kind (SOF${marker - 0xc0}) is not supported; save it as baseline or progressive`);
      if (length < 8) throw fail(`its frame header has ${length} bytes`);
      const [height, width] = [(bytes[at + 5]! << 8) | bytes[at + 6]!, (bytes[at + 7]! << 8) | bytes[at + 8]!];
      if (width === 0 || height === 0) throw fail(`it is ${width} × ${height} pixels`);
      if (width * height > MOST_PIXELS_A_BYTE * bytes.length) {
        throw fail(`it claims ${width} × ${height} pixels, which its ${bytes.length} bytes cannot hold`);
      }
      return { format: "jpeg", width, height, orientation, channels: bytes[at + 9] === 1 ? 1 : 3 };
    }
    if (marker === 0xda) throw fail("its pixels begin before its frame header");
    at += 2 + length;
  }
  throw fail(`it is cut off: ${bytes.length} bytes, without a frame header`);
}

function hex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
