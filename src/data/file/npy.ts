import { checkArray, checkList, checkObject } from "../../check.ts";
import { textOfCodes } from "../../numbers.ts";
import { DataError } from "../errors.ts";
import { halfToFloat } from "./half.ts";

/*
 * The .npy format of numpy: "\x93NUMPY", a version, the length of a header, the header (a Python dict with the type,
 * the order and the shape), then the numbers. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

/** The numbers or strings of an array. */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** An array as numpy has it, in C order (the last index runs fastest). Empty shape: one number. */
export interface NpyArray {
  /** Its sizes; [] for a single number. */
  readonly shape: readonly number[];
  /** As many numbers or strings as the shape says. */
  readonly data: NpyData;
}

type NumericData = Exclude<NpyData, string[]>;
interface NumberType {
  new (buffer: ArrayBuffer): NumericData;
  new (length: number): NumericData;
  readonly BYTES_PER_ELEMENT: number;
}

/** numpy's names of types, without the byte order. Booleans are bytes 0 and 1; half floats are read as float32. */
const types: Readonly<Record<string, NumberType>> = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
  f2: Uint16Array,
};

const MAGIC = "\x93NUMPY";
/** A real header has some hundred bytes; numpy itself refuses more than 10,000. */
const LONGEST_HEADER = 1 << 16;
/** As many as numpy allows. */
const MOST_DIMENSIONS = 64;
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Decodes numpy's .npy format: numbers and strings (its U and S), in C or Fortran order, of either byte order. Pickled objects
 * are refused.
 *
 * @param bytes of the file.
 * @param name of the file, for errors. Default "array".
 * @returns the array in C order; float16 as float32, booleans as bytes.
 * @throws DataError naming the file and the fault, before anything is allocated.
 * @example const { shape, data } = decodeNpy(await readFile("images.npy"), "images.npy");
 */
export function decodeNpy(bytes: Uint8Array, name = "array"): NpyArray {
  checkArray("decodeNpy", "bytes", bytes, "Uint8Array");
  const fail = (fault: string) => new DataError(`${name}: ${fault}.`);
  if (textOfCodes(bytes.subarray(0, 6)) !== MAGIC) {
    throw fail(`not an .npy file: ${bytes.length} bytes that do not begin with \\x93NUMPY`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) throw fail(`.npy of version ${version}, expected 1, 2 or 3`);
  const start = version === 1 ? 10 : 12;
  const length = bytes.length < start ? 0 : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER || start + length > bytes.length || length === 0) {
    throw fail(`damaged .npy: its header claims ${length} bytes, the file has ${bytes.length}`);
  }
  const header = readHeader(new TextDecoder().decode(bytes.subarray(start, start + length)), fail);
  const { shape, kind, size, big } = header;
  const count = shape.reduce((a, b) => a * b, 1);
  const left = bytes.length - start - length;
  if (count * size !== left) {
    throw fail(
      `damaged .npy: the shape [${shape.join(", ")}] of ${size} bytes each is ${count * size} bytes, the file has ${left}`,
    );
  }
  // A copy of its own, since a view must begin at a multiple of the size; and on a machine of the other order, turned.
  const data = new Uint8Array(bytes.subarray(start + length));
  const ordered = header.fortran ? reorder(data, shape, size) : data;
  const unit = kind === "U" ? 4 : kind === "S" ? 1 : size;
  if (big === littleEndian && unit > 1) swap(ordered, unit);
  if (kind === "U" || kind === "S") return { shape, data: readStrings(ordered, count, kind, size, fail) };
  const numbers = new types[kind]!(ordered.buffer);
  if (kind === "b1") {
    const at = ordered.findIndex((byte) => byte > 1);
    if (at >= 0) throw fail(`damaged .npy: boolean ${at} is the byte ${ordered[at]}, expected 0 or 1`);
  }
  return { shape, data: kind === "f2" ? Float32Array.from(numbers as Uint16Array, halfToFloat) : numbers };
}

interface Header {
  readonly kind: string;
  readonly size: number;
  readonly big: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** { 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order, and nothing else. */
function readHeader(text: string, fail: (fault: string) => DataError): Header {
  const found = new Map<string, string>();
  const entry = /'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([\d\s,L]*\))\s*,?/g;
  const rest = text.replace(entry, (_, key: string, value: string) => {
    if (found.has(key)) throw fail(`damaged .npy: its header says ${key} twice`);
    found.set(key, value);
    return "";
  });
  const [descr = "", order = "", sizes = ""] = ["descr", "fortran_order", "shape"].map((key) => found.get(key));
  if (!/^\s*\{\s*\}\s*$/.test(rest) || !/^(True|False)$/.test(order) || !/^\(.*\)$/s.test(sizes)) {
    throw fail(
      `damaged .npy, or of a kind that is not read (records, objects): its header is ${text.trim().slice(0, 120)}`,
    );
  }
  const shape = sizes
    .slice(1, -1)
    .split(",")
    .map((size) => size.trim().replace(/L$/, ""))
    .filter(Boolean)
    .map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  if (shape.length > MOST_DIMENSIONS || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(count)) {
    throw fail(`damaged .npy: its shape is (${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""})`);
  }
  const type = /^'([<>|=])(?:(f[248]|[iu][1248]|b1)|([US])(\d{1,9}))'$/.exec(descr);
  if (!type) {
    throw fail(
      `.npy of type ${descr}, expected whole numbers, floats, booleans or strings. Save it with .astype("float32")`,
    );
  }
  const [, byteOrder, number, string, letters] = type;
  return {
    kind: number ?? string!,
    size: number ? Number(number[1]) : Number(letters) * (string === "U" ? 4 : 1),
    big: byteOrder === ">" || (byteOrder === "=" && !littleEndian),
    fortran: order === "True",
    shape,
  };
}

/** Elements in Fortran order (the first index runs fastest) → in C order. */
function reorder(data: Uint8Array, shape: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(data.length);
  const index = new Array<number>(shape.length).fill(0);
  const steps = shape.map((_, d) => shape.slice(0, d).reduce((a, b) => a * b, size));
  for (let to = 0; to < data.length && size > 0; to += size) {
    const from = index.reduce((at, i, d) => at + i * steps[d]!, 0);
    for (let b = 0; b < size; b++) result[to + b] = data[from + b]!;
    for (let d = shape.length - 1; d >= 0 && ++index[d]! === shape[d]; d--) index[d] = 0;
  }
  return result;
}

function swap(bytes: Uint8Array, unit: number): void {
  for (let at = 0; at < bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}

function readStrings(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  kind: string,
  size: number,
  fail: (fault: string) => DataError,
): string[] {
  // Where strings have no letters, the count is not bounded by the length of the file.
  if (size === 0 && count > 1e6) throw fail(`damaged .npy: ${count} strings of no letters`);
  const letters = kind === "U" ? new Uint32Array(bytes.buffer) : bytes;
  const length = kind === "U" ? size / 4 : size;
  const bad = letters.findIndex((letter) => letter > 0x10ffff);
  if (bad >= 0) throw fail(`damaged .npy: letter ${bad} has the code ${letters[bad]}, which Unicode lacks`);
  return Array.from({ length: count }, (_, i) =>
    Array.from(letters.subarray(i * length, (i + 1) * length), (letter) => String.fromCodePoint(letter))
      .join("")
      .replace(/\0+$/, ""),
  );
}

/**
 * Encodes an array as numpy's .npy format, for `numpy.load`. Strings are written as its type U.
 *
 * @param array shape, and data in C order.
 * @returns the bytes of the file.
 * @throws DataError where shape and data do not fit, or a string ends with a zero character.
 * @example await writeFile("labels.npy", encodeNpy({ shape: [3], data: Int32Array.of(7, 0, 9) }));
 */
export function encodeNpy(array: NpyArray): Uint8Array<ArrayBuffer> {
  const { shape, data } = checkNpy("encodeNpy", array);
  const count = shape.reduce((a, b) => a * b, 1);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new DataError(`encodeNpy: the shape is [${shape.join(", ")}], expected whole numbers of at least 0`);
  }
  if (count !== data.length) {
    throw new DataError(`encodeNpy: the shape [${shape.join(", ")}] holds ${count} numbers, found ${data.length}`);
  }
  const [type, body] = Array.isArray(data) ? encodeStrings(data) : encodeNumbers(data);
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // Spaces and a newline at the end, so that the numbers begin at a multiple of 64 bytes.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const file = new Uint8Array(start + body.length).fill(0x20, 10, start);
  for (let i = 0; i < 6; i++) file[i] = MAGIC.charCodeAt(i);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, start - 10, true);
  file.set(new TextEncoder().encode(text), 10);
  file[start - 1] = 0x0a;
  file.set(body, start);
  return file;
}

function checkNpy(operation: string, array: NpyArray): NpyArray {
  checkObject(operation, "the array", array, "{ shape, data }");
  checkList(operation, "the array's shape", array.shape, "a list of sizes");
  checkList(operation, "the array's data", array.data, "a typed array or a list of strings");
  return array;
}

function encodeNumbers(data: NumericData): [string, Uint8Array] {
  const found = Object.entries(types).find(([kind, type]) => data instanceof type && kind !== "b1" && kind !== "f2");
  if (!found)
    throw new DataError(`encodeNpy: cannot write ${data.constructor.name}, expected a typed array or strings`);
  const unit = data.BYTES_PER_ELEMENT;
  const order = unit === 1 ? "|" : littleEndian ? "<" : ">";
  return [`${order}${found[0]}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
}

function encodeStrings(strings: readonly string[]): [string, Uint8Array] {
  const letters = strings.map((text, i) => {
    if (typeof text !== "string") throw new DataError(`encodeNpy: element ${i} is ${typeof text}, expected a string`);
    if (text.endsWith("\0")) throw new DataError(`encodeNpy: string ${i} ends with a zero, which numpy's strings lose`);
    return Array.from(text, (letter) => letter.codePointAt(0)!);
  });
  const longest = letters.reduce((most, { length }) => Math.max(most, length), 1);
  const all = new Uint32Array(strings.length * longest);
  for (const [i, text] of letters.entries()) all.set(text, i * longest);
  return [`${littleEndian ? "<" : ">"}U${longest}`, new Uint8Array(all.buffer)];
}

/**
 * The numbers of an array as float32, such as images.
 *
 * @param array such as `decodeNpy` gives.
 * @param name of the file, for errors. Default "array".
 * @returns the data itself where it is a Float32Array, else a copy, rounded to float32.
 * @throws DataError for strings, and for whole numbers that float32 would change, as most beyond 16,777,216, and for
 * floats beyond its range.
 * @example const images = npyFloats(decodeNpy(bytes));
 */
export function npyFloats(array: NpyArray, name = "array"): Float32Array {
  const { data } = checkNpy("npyFloats", array);
  if (Array.isArray(data)) throw new DataError(`${name}: holds strings, expected numbers`);
  if (data instanceof Float32Array) return data;
  const floats = Float32Array.from(data as ArrayLike<number>, Number);
  const rounds = data instanceof Float64Array;
  for (let i = 0; i < floats.length; i++) {
    const [x, float] = [data[i], floats[i]!];
    const isKept =
      typeof x === "bigint"
        ? BigInt(float) === x
        : rounds
          ? Number.isFinite(float) || !Number.isFinite(x)
          : float === x;
    if (!isKept)
      throw new DataError(
        `${name}: number ${i} is ${x}, which float32 does not hold. Take its data as it is${rounds ? "" : ", or npyIntegers"}.`,
      );
  }
  return floats;
}

/**
 * The numbers of an array as int32, such as labels.
 *
 * @param array such as `decodeNpy` gives.
 * @param name of the file, for errors. Default "array".
 * @returns a copy.
 * @throws DataError for strings, and for what is no whole number of 32 bits.
 * @example const labels = npyIntegers(decodeNpy(bytes));
 */
export function npyIntegers(array: NpyArray, name = "array"): Int32Array {
  const { data } = checkNpy("npyIntegers", array);
  if (Array.isArray(data)) throw new DataError(`${name}: holds strings, expected whole numbers`);
  return Int32Array.from(data as ArrayLike<number>, (x, i) => {
    const value = Number(x);
    if ((value | 0) !== value) throw new DataError(`${name}: number ${i} is ${x}, expected a whole number of 32 bits`);
    return value;
  });
}
