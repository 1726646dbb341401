import { createImage, type Image } from "./image.ts";

/*
 * Cameras store a picture as the sensor lay, and write beside it (EXIF, tag 0x0112) how to hold it:
 * 1 as it is, 2 mirrored, 3 upside down, 4 both, 5 … 8 with rows and columns exchanged.
 */

/** The orientation in EXIF data (a TIFF header and directories); 1 where there is none, or none that can be. */
export function exifOrientation(tiff: Uint8Array): number {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const first = view.getUint32(4, little);
  if (view.getUint16(2, little) !== 42 || first + 2 > tiff.length) return 1;
  const entries = view.getUint16(first, little);
  for (let i = 0, at = first + 2; i < entries && at + 12 <= tiff.length; i++, at += 12) {
    if (view.getUint16(at, little) !== 0x0112) continue;
    const orientation = view.getUint16(at + 8, little);
    const isShort = view.getUint16(at + 2, little) === 3;
    return isShort && orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/** Whether upright pictures of this orientation are as wide as the stored ones are high. */
export const exchangesSides = (orientation: number): boolean => orientation >= 5;

/** The stored picture as it is to be held. */
export function upright(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width: W, height: H, channels, data } = image;
  const [width, height] = exchangesSides(orientation) ? [H, W] : [W, H];
  const result = createImage(width, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Of the stored picture: from which side x and y are counted.
      const column = exchangesSides(orientation) ? y : x;
      const row = exchangesSides(orientation) ? x : y;
      const sx = [2, 3, 7, 8].includes(orientation) ? W - 1 - column : column;
      const sy = [3, 4, 6, 7].includes(orientation) ? H - 1 - row : row;
      for (let c = 0; c < channels; c++) {
        result.data[(y * width + x) * channels + c] = data[(sy * W + sx) * channels + c]!;
      }
    }
  }
  return result;
}
