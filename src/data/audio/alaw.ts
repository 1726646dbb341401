import { checkArray, checkList, checkNumber, number } from "../../check.ts";

/** G.711 A-law: 8 bits a sample, about 12 bits of range. Even bits are inverted, as the standard has them on the line. */

const LOUDEST = 32767;

/** Sample of each byte, 16 bits of range: -32256 … 32256. */
const SAMPLE = Int16Array.from({ length: 256 }, (_, byte) => {
  const bits = byte ^ 0x55;
  const [exponent, mantissa] = [(bits >> 4) & 7, bits & 15];
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
});

/**
 * Decodes G.711 A-law bytes to samples in -1 … 1 (the 16-bit sample over 32768).
 *
 * @param bytes [N], one sample each.
 * @returns [N]
 * @example const samples = decodeALaw(bytes);
 */
export function decodeALaw(bytes: Uint8Array): Float32Array {
  checkArray("decodeALaw", "bytes", bytes, "Uint8Array");
  const samples = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) samples[i] = SAMPLE[bytes[i]!]! / 32768;
  return samples;
}

/**
 * Encodes samples as G.711 A-law bytes. Louder ones are clipped, ±∞ too.
 *
 * @param samples [N] in -1 … 1.
 * @returns [N]
 * @throws RangeError where a sample is NaN, TypeError where it is no number.
 * @example const bytes = encodeALaw(samples);
 */
export function encodeALaw(samples: ArrayLike<number>): Uint8Array {
  checkList("encodeALaw", "samples", samples, "a typed array or a list of numbers");
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i]!;
    if (typeof x !== "number" || Number.isNaN(x)) checkNumber("encodeALaw", `sample ${i}`, x, number.bound);
    const magnitude = Math.min(Math.floor(Math.abs(x) * 32768), LOUDEST);
    const exponent = Math.max(0, 24 - Math.clz32(magnitude)); // 256 … 511 → 1, each doubling one more
    const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 15;
    bytes[i] = ((x < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55;
  }
  return bytes;
}
