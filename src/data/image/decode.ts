import { checkArray, checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { imageHeader } from "./header.ts";
import type { Image } from "./image.ts";
import { decodeJpeg } from "./jpeg/decode.ts";
import { upright } from "./orientation.ts";
import { decodePng, type Inflate } from "./png.ts";

/** Limits and orientation of decoding. */
export interface DecodeImageOptions {
  /** Pixels that a file may claim. Default 2^26 (8192 × 8192). */
  readonly maxPixels?: number;
  /**
   * `upright`: a photo is turned as its EXIF orientation says, as people see it; `stored`: it is as it lies in the file.
   * Default upright.
   */
  readonly orientation?: "upright" | "stored";
}

/** Decodes a picture, the same numbers everywhere; only what unpacks PNG's data differs. */
export async function decodeBy(
  operation: string,
  bytes: Uint8Array,
  name: string,
  options: DecodeImageOptions,
  inflate: Inflate,
): Promise<Image> {
  checkArray(operation, "bytes", bytes, "Uint8Array");
  checkOptions<DecodeImageOptions>(operation, options, { maxPixels: true, orientation: true });
  const { maxPixels = 2 ** 26, orientation = "upright" } = options;
  checkNumber(operation, "maxPixels", maxPixels, number.wholeAtLeast1);
  checkName(operation, "orientation", orientation, ["upright", "stored"]);
  const header = imageHeader(bytes, name, maxPixels);
  let stored: Image;
  try {
    stored = header.format === "png" ? await decodePng(bytes, header.channels, inflate) : decodeJpeg(bytes);
  } catch (cause) {
    throw new DataError(`${name}: damaged ${header.format.toUpperCase()}: ${(cause as Error).message}`, { cause });
  }
  return orientation === "stored" ? stored : upright(stored, header.orientation);
}
