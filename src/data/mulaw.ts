/*
 * G.711 µ-law: 8 bits a sample, of which 1 is the sign, 3 the exponent and 4 the mantissa, all inverted. The value is
 * ±(((mantissa << 3) + 132) << exponent) − 132, at most 32,124 of 32,768.
 */

const BIAS = 132;
const LOUDEST = 32635;

/** Samples from -1 to 1. */
export function decodeMulaw(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => TABLE[byte]!);
}

const TABLE = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const size = ((((bits & 15) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
  return (bits & 0x80 ? -size : size) / 32768;
});

/** The inverse; what lies outside of -1 … 1 is cut. */
export function encodeMulaw(samples: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(samples, (x) => {
    const size = Math.min(Math.round(Math.abs(x) * 32768), LOUDEST) + BIAS;
    const exponent = Math.max(0, 24 - Math.clz32(size));
    return ~((x < 0 ? 0x80 : 0) | (exponent << 4) | ((size >> (exponent + 3)) & 15)) & 0xff;
  });
}
