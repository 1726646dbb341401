import { largest, textOfCodes } from "../../../numbers.ts";
import { createImage, type Image } from "../image.ts";
import { type Component, type HuffmanTable, readScan, type Scan, ZIGZAG } from "./entropy.ts";
import { clamp, planeOf } from "./samples.ts";

/*
 * JPEG (ITU-T T.81), baseline and progressive, read by one decoder everywhere: browsers' own may enlarge colors and
 * convert them each in its way, and know CMYK or not. Sizes were looked at by `imageHeader`.
 */

/** How the components of a pixel are its color. */
type Coding = "gray" | "rgb" | "ycc" | "cmyk" | "ycck";

interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly most: { h: number; v: number };
  readonly unitsWide: number;
  readonly unitsHigh: number;
  readonly components: readonly Component[];
}

/** The picture as it is stored, 0 … 255: gray or RGB. @throws Error that says what is damaged. */
export function decodeJpeg(bytes: Uint8Array): Image {
  const quantizers = new Map<number, Int32Array>();
  const tables = new Map<number, HuffmanTable>();
  const seen = new Set<Component>();
  const used = new Map<Component, Int32Array>();
  let frame: Frame | undefined;
  let [restart, jfif, adobe, ended] = [0, false, -1, false];
  for (let at = 2; at + 4 <= bytes.length && !ended; ) {
    const marker = bytes[at + 1]!;
    // Between segments nothing is said: filling, or what a writer left behind.
    if (bytes[at] !== 0xff || marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7)) {
      at++;
      continue;
    }
    if (marker === 0xd9) break;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length < 2 || at + 2 + length > bytes.length) throw new Error(`a segment at byte ${at} is cut off`);
    const data = bytes.subarray(at + 4, at + 2 + length);
    at += 2 + length;
    if (marker === 0xe0 && text(data, 5) === "JFIF\0") jfif = true;
    else if (marker === 0xee && text(data, 5) === "Adobe" && data.length >= 12) adobe = data[11]!;
    else if (marker === 0xdb) readQuantizers(data, quantizers);
    else if (marker === 0xc4) readTables(data, tables);
    else if (marker === 0xdd) restart = (data[0]! << 8) | data[1]!;
    else if (marker >= 0xc0 && marker <= 0xc2) {
      if (frame) throw new Error("it has two frames");
      frame = readFrame(data, marker === 0xc2);
    } else if (marker === 0xda) {
      if (!frame) throw new Error("its pixels begin before its frame header");
      const scan = scanOf(data, frame, tables, restart);
      for (const { component } of scan.components) {
        // The tables that are there when a component begins are its own.
        const q = quantizers.get(component.table);
        if (!q) throw new Error(`the quantizers ${component.table} are missing`);
        if (!seen.has(component)) used.set(component, q);
        seen.add(component);
      }
      at = readScan(bytes, at, scan);
      // A progressive picture without its end would be a coarser one.
      ended = at >= bytes.length && !frame.progressive;
    }
  }
  if (!frame) throw new Error("it has no frame header");
  const { width, height, most, components } = frame;
  const missing = components.findIndex((component) => !seen.has(component));
  if (missing >= 0) throw new Error(`component ${missing} has no pixels: it is cut off`);
  const coding = codingOf(components, jfif, adobe);
  const planes = components.map((component) => planeOf(component, used.get(component)!, most, width, height));
  const image = createImage(width, height, coding === "gray" ? 1 : 3);
  colorize(coding, planes, image.data);
  return image;
}

const text = (data: Uint8Array, n: number) => textOfCodes(data.subarray(0, n));

function readQuantizers(data: Uint8Array, quantizers: Map<number, Int32Array>): void {
  for (let at = 0; at < data.length; ) {
    const [wide, id] = [data[at]! >> 4, data[at]! & 15];
    const size = wide ? 128 : 64;
    if (at + 1 + size > data.length) throw new Error("its quantizers are cut off");
    const table = new Int32Array(64);
    for (let k = 0; k < 64; k++) {
      table[ZIGZAG[k]!] = wide ? (data[at + 1 + 2 * k]! << 8) | data[at + 2 + 2 * k]! : data[at + 1 + k]!;
    }
    quantizers.set(id, table);
    at += 1 + size;
  }
}

function readTables(data: Uint8Array, tables: Map<number, HuffmanTable>): void {
  for (let at = 0; at < data.length; ) {
    const counts = data.subarray(at + 1, at + 17);
    const n = counts.reduce((sum, count) => sum + count, 0);
    if (counts.length < 16 || n > 256 || at + 17 + n > data.length) throw new Error("a Huffman table is cut off");
    tables.set(data[at]!, { counts, values: data.subarray(at + 17, at + 17 + n) });
    at += 17 + n;
  }
}

function readFrame(data: Uint8Array, progressive: boolean): Frame {
  const [height, width, count] = [(data[1]! << 8) | data[2]!, (data[3]! << 8) | data[4]!, data[5]!];
  if (data[0] !== 8) throw new Error(`it has ${data[0]} bits a sample, expected 8`);
  if (![1, 3, 4].includes(count) || data.length < 6 + 3 * count) {
    throw new Error(`it has ${count} components, expected 1, 3 or 4`);
  }
  const parts = Array.from({ length: count }, (_, c) => {
    const at = 6 + 3 * c;
    return { id: data[at]!, h: data[at + 1]! >> 4, v: data[at + 1]! & 15, table: data[at + 2]! };
  });
  if (parts.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4)) throw new Error("its components are sampled wrongly");
  const most = { h: largest(parts.map(({ h }) => h)), v: largest(parts.map(({ v }) => v)) };
  const [unitsWide, unitsHigh] = [Math.ceil(width / (8 * most.h)), Math.ceil(height / (8 * most.v))];
  const components = parts.map((part): Component => {
    const [w, h] = [Math.ceil((width * part.h) / most.h), Math.ceil((height * part.v) / most.v)];
    const stride = unitsWide * part.h;
    return {
      ...part,
      width: w,
      height: h,
      blocksWide: Math.ceil(w / 8),
      blocksHigh: Math.ceil(h / 8),
      stride,
      coefficients: new Int16Array(stride * unitsHigh * part.v * 64),
    };
  });
  return { progressive, width, height, most, unitsWide, unitsHigh, components };
}

function scanOf(data: Uint8Array, frame: Frame, tables: ReadonlyMap<number, HuffmanTable>, restart: number): Scan {
  const count = data[0]!;
  if (count < 1 || count > 4 || data.length < 4 + 2 * count) throw new Error(`a scan has ${count} components`);
  const components = Array.from({ length: count }, (_, i) => {
    const [id, choice] = [data[1 + 2 * i]!, data[2 + 2 * i]!];
    const component = frame.components.find((part) => part.id === id);
    if (!component) throw new Error(`a scan is of component ${id}, which the frame lacks`);
    return { component, dc: tables.get(choice >> 4), ac: tables.get(16 | (choice & 15)) };
  });
  const [first, last, bits] = [data[1 + 2 * count]!, data[2 + 2 * count]!, data[3 + 2 * count]!];
  const [high, low] = [bits >> 4, bits & 15];
  const { progressive, unitsWide, unitsHigh } = frame;
  const fine = first === 0 ? last === 0 : first <= last && last < 64 && count === 1;
  if (progressive && !(fine && low <= 13)) throw new Error(`a scan is of coefficients ${first} to ${last}, bit ${low}`);
  return { components, progressive, first, last, high, low, restart, unitsWide, unitsHigh };
}

/** As the IJG's decoder takes it: JFIF is YCbCr; else by Adobe's marker; else components may be called R, G and B. */
function codingOf(components: readonly Component[], jfif: boolean, adobe: number): Coding {
  if (components.length === 1) return "gray";
  if (components.length === 4) return adobe === 2 ? "ycck" : "cmyk";
  if (jfif) return "ycc";
  if (adobe >= 0) return adobe === 0 ? "rgb" : "ycc";
  return text(
    Uint8Array.from(components, ({ id }) => id),
    3,
  ) === "RGB"
    ? "rgb"
    : "ycc";
}

/** Pixels of the planes. Inks are stored inverted, as Adobe does and all readers take it: R = C·K / 255. */
function colorize(coding: Coding, planes: readonly Uint8Array[], data: Float32Array): void {
  const [p0, p1, p2, p3] = planes as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  if (coding === "gray") {
    data.set(p0);
    return;
  }
  for (let i = 0; i < p0.length; i++) {
    let [r, g, b] = [p0[i]!, p1[i]!, p2[i]!];
    if (coding === "ycc" || coding === "ycck") {
      // Rec. 601 times 2^16, each product rounded as there.
      const [y, cb, cr] = [r, g - 128, b - 128];
      r = clamp(y + ((91881 * cr + 32768) >> 16));
      g = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
      b = clamp(y + ((116130 * cb + 32768) >> 16));
    }
    if (coding === "ycck") [r, g, b] = [255 - r, 255 - g, 255 - b];
    if (coding === "cmyk" || coding === "ycck") {
      const k = p3[i]!;
      [r, g, b] = [k - over255((255 - r) * k), k - over255((255 - g) * k), k - over255((255 - b) * k)];
    }
    data[3 * i] = r;
    data[3 * i + 1] = g;
    data[3 * i + 2] = b;
  }
}

/** x / 255, rounded, as Pillow does. */
const over255 = (x: number): number => (x + 128 + ((x + 128) >> 8)) >> 8;
