/*
 * Protocol Buffers as far as ONNX files need them: numbers, floats, and stretches of bytes, each behind its field's number
 * (https://protobuf.dev/programming-guides/encoding/). By hand, because a library and the schema of ONNX would be many
 * times larger than this file and a dependency of everyone who uses the package.
 */

type Piece = Uint8Array | readonly Piece[];

/** A number of any size below 2⁵³, seven bits a byte; negative ones as 64 bits in two's complement. */
function varint(n: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

const lengthOf = (piece: Piece): number =>
  piece instanceof Uint8Array ? piece.length : piece.reduce((sum, part) => sum + lengthOf(part), 0);

/** A message's field with a whole number. */
export const whole = (field: number, n: number): Piece => [varint(field << 3), varint(n)];
/** A field with 32 bits of a float. */
export const float = (field: number, x: number): Piece => [
  varint((field << 3) | 5),
  new Uint8Array(Float32Array.of(x).buffer),
];
/** A field with bytes, or with a message of fields. */
export const bytes = (field: number, content: Piece): Piece => [
  varint((field << 3) | 2),
  varint(lengthOf(content)),
  content,
];
export const text = (field: number, content: string): Piece => bytes(field, new TextEncoder().encode(content));
/** A field with many whole numbers, packed. */
export const wholes = (field: number, numbers: readonly number[]): Piece => bytes(field, numbers.map(varint));
/** All pieces in one array. */
export function joined(piece: Piece): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(lengthOf(piece));
  let at = 0;
  const put = (part: Piece): void => {
    if (part instanceof Uint8Array) {
      all.set(part, at);
      at += part.length;
    } else part.forEach(put);
  };
  put(piece);
  return all;
}

/** A field of a message that is read: a number, or bytes, which may be a message again. */
export type Field = readonly [field: number, value: number | Uint8Array];

/** The fields of a message, in order. @throws RangeError where the bytes are none. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const number = (): number => {
    let n = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError("it ends within a number");
      n |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, n));
    }
    throw new RangeError(`a number at byte ${at} does not end`);
  };
  const stretch = (length: number): Uint8Array => {
    if (!(length >= 0 && at + length <= message.length))
      throw new RangeError(`a field of ${length} bytes at byte ${at} of ${message.length}`);
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = number();
    const [field, kind] = [key >>> 3, key & 7];
    if (kind === 0) yield [field, number()];
    else if (kind === 2) yield [field, stretch(number())];
    else if (kind === 5) yield [field, stretch(4)];
    else if (kind === 1) yield [field, stretch(8)];
    else throw new RangeError(`a field of the unknown kind ${kind} at byte ${at}`);
  }
}
