import { checkArray, checkList, checkNumber, number } from "../../check.ts";

/** G.711 µ-law: 8 bits a sample, about 13 bits of range. Bytes are inverted, as the standard has them on the line. */

const BIAS = 132;
const LOUDEST = 32635;

/** Sample of each byte, 16 bits of range: -32124 … 32124. */
const SAMPLE = Int16Array.from({ length: 256 }, (_, byte) => {
  const bits = ~byte & 0xff;
  const [exponent, mantissa] = [(bits >> 4) & 7, bits & 15];
  const magnitude = (((mantissa << 3) + BIAS) << exponent) - BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
});

/**
 * Decodes G.711 µ-law bytes to samples in -1 … 1 (the 16-bit sample over 32768).
 *
 * @param bytes [N], one sample each.
 * @returns [N]
 * @example const samples = decodeMuLaw(bytes);
 */
export function decodeMuLaw(bytes: Uint8Array): Float32Array {
  checkArray("decodeMuLaw", "bytes", bytes, "Uint8Array");
  const samples = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) samples[i] = SAMPLE[bytes[i]!]! / 32768;
  return samples;
}

/**
 * Encodes samples as G.711 µ-law bytes. Louder ones are clipped, ±∞ too.
 *
 * @param samples [N] in -1 … 1.
 * @returns [N]
 * @throws RangeError where a sample is NaN, TypeError where it is no number.
 * @example const bytes = encodeMuLaw(samples);
 */
export function encodeMuLaw(samples: ArrayLike<number>): Uint8Array {
  checkList("encodeMuLaw", "samples", samples, "a typed array or a list of numbers");
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i]!;
    if (typeof x !== "number" || Number.isNaN(x)) checkNumber("encodeMuLaw", `sample ${i}`, x, number.bound);
    const sample = Math.round(x * 32768);
    const magnitude = Math.min(Math.abs(sample), LOUDEST) + BIAS;
    const exponent = 24 - Math.clz32(magnitude); // 132 … 255 → 0, each doubling one more
    const mantissa = (magnitude >> (exponent + 3)) & 15;
    bytes[i] = ~((sample < 0 ? 0x80 : 0) | (exponent << 4) | mantissa);
  }
  return bytes;
}
