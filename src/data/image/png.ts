import { createImage, type Image } from "./image.ts";

/*
 * PNG (ISO 15948), read by one decoder everywhere: a canvas keeps colors multiplied by alpha in 8 bits, and so loses what is
 * half transparent. Chunks and their checksums were looked at by `imageHeader`.
 */

/** Unpacks zlib data; stops with an error beyond `most` bytes. */
export type Inflate = (data: Uint8Array, most: number) => Uint8Array | Promise<Uint8Array>;

const IDAT = 0x49444154;
const IEND = 0x49454e44;
const PLTE = 0x504c5445;
const TRNS = 0x74524e53;
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
/** Samples a pixel, and the depths allowed, of each color type. */
const TYPES: Readonly<Record<number, { samples: number; depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const PALETTE = 3;

/** The picture as it is stored, 0 … 255; 16 bits are rounded to 8. @throws Error that says what is damaged. */
export async function decodePng(bytes: Uint8Array, channels: number, inflate: Inflate): Promise<Image> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height, depth, color] = [view.getUint32(16), view.getUint32(20), bytes[24]!, bytes[25]!];
  const [compression, filter, interlace] = [bytes[26]!, bytes[27]!, bytes[28]!];
  const type = TYPES[color];
  if (!type?.depths.includes(depth)) throw new Error(`its color type is ${color} with ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new Error(`its methods are ${compression}, ${filter} and ${interlace}, expected 0, 0 and 0 or 1`);
  }
  const { packed, palette, transparency } = readChunks(bytes, view);
  if (color === PALETTE && !palette) throw new Error("it has no palette (PLTE)");
  if (transparency && color !== PALETTE && transparency.length < 2 * type.samples) {
    throw new Error(`its transparent color (tRNS) has ${transparency.length} bytes`);
  }
  const passes = interlace ? ADAM7 : [[0, 0, 1, 1] as const];
  const bits = depth * type.samples;
  const sizes = passes.map(([x, y, dx, dy]) => {
    const [w, h] = [Math.max(0, Math.ceil((width - x) / dx)), Math.max(0, Math.ceil((height - y) / dy))];
    // Each line has a byte more for its filter.
    return { w, h, line: w > 0 ? 1 + Math.ceil((w * bits) / 8) : 0 };
  });
  const expected = sizes.reduce((sum, { h, line }) => sum + h * line, 0);
  const lines = await inflate(packed, expected + 1);
  if (lines.length !== expected) throw new Error(`its pixels are ${lines.length} bytes, expected ${expected}`);
  const image = createImage(width, height, channels);
  const write = writer(image, { depth, color, samples: type.samples, palette, transparency });
  let at = 0;
  for (const [p, { w, h, line }] of sizes.entries()) {
    const [x0, y0, dx, dy] = passes[p]!;
    const part = lines.subarray(at, at + h * line);
    if (line > 0) unfilter(part, line, Math.max(1, bits >> 3));
    for (let y = 0; y < h && w > 0; y++) {
      const row = part.subarray(y * line + 1, (y + 1) * line);
      for (let x = 0; x < w; x++) write(row, x, (y0 + y * dy) * width + x0 + x * dx);
    }
    at += h * line;
  }
  return image;
}

function readChunks(bytes: Uint8Array, view: DataView) {
  const parts: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const name = view.getUint32(at + 4);
    const data = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    if (name === IDAT) parts.push(data);
    if (name === PLTE) palette = data;
    if (name === TRNS) transparency = data;
    if (name === IEND) break;
  }
  const packed = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.length;
  }
  return { packed, palette, transparency };
}

/** Takes off, in place, what each line's filter put on: the byte before, above, their mean, or Paeth's choice. */
function unfilter(lines: Uint8Array, line: number, unit: number): void {
  for (let start = 0; start < lines.length; start += line) {
    const kind = lines[start]!;
    if (kind > 4) throw new Error(`the filter of a line is ${kind}, expected 0 to 4`);
    if (kind === 0) continue;
    for (let i = start + 1; i < start + line; i++) {
      const left = i - unit > start ? lines[i - unit]! : 0;
      const up = start > 0 ? lines[i - line]! : 0;
      const corner = start > 0 && i - unit > start ? lines[i - line - unit]! : 0;
      const guess = kind === 1 ? left : kind === 2 ? up : kind === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      lines[i] = lines[i]! + guess;
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

interface Pixels {
  readonly depth: number;
  readonly color: number;
  readonly samples: number;
  readonly palette: Uint8Array | undefined;
  readonly transparency: Uint8Array | undefined;
}

/** Writes pixel x of a line to a place of the image. */
function writer(image: Image, { depth, color, samples, palette, transparency }: Pixels) {
  const { data, channels } = image;
  const sample = (row: Uint8Array, i: number): number => {
    if (depth === 8) return row[i]!;
    if (depth === 16) return (row[2 * i]! << 8) | row[2 * i + 1]!;
    const bit = i * depth;
    return (row[bit >> 3]! >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
  };
  if (color === PALETTE) {
    return (row: Uint8Array, x: number, place: number) => {
      const index = sample(row, x);
      if (3 * index + 3 > palette!.length)
        throw new Error(`a pixel has color ${index}, its palette ${palette!.length / 3}`);
      for (let c = 0; c < 3; c++) data[place * channels + c] = palette![3 * index + c]!;
      if (channels === 4) data[place * channels + 3] = transparency?.[index] ?? 255;
    };
  }
  const most = 2 ** depth - 1;
  const key =
    transparency && Array.from({ length: samples }, (_, c) => (transparency[2 * c]! << 8) | transparency[2 * c + 1]!);
  return (row: Uint8Array, x: number, place: number) => {
    let hidden = key !== undefined;
    for (let c = 0; c < samples; c++) {
      const value = sample(row, x * samples + c);
      if (key && value !== (key[c]! & most)) hidden = false;
      data[place * channels + c] = Math.round((value * 255) / most);
    }
    if (channels > samples) data[place * channels + samples] = hidden ? 0 : 255;
  };
}
