import { checkArray, checkList, checkNumber, checkObject, number } from "../../check.ts";
import { DataError } from "../errors.ts";

/** A sound on the host: samples in -1 … 1, one array a channel, all of one length. */
export interface Sound {
  /** Samples a second (Hz). */
  readonly sampleRate: number;
  /** [C][N], samples in -1 … 1. */
  readonly channels: readonly Float32Array[];
}

/**
 * One channel of a sound: the mean over its channels.
 *
 * @param sound C channels of N samples.
 * @returns [N]
 * @throws DataError where there is no channel, or one has another length.
 * @example const samples = mono(decodeWav(bytes));
 */
export function mono(sound: Sound): Float32Array {
  checkObject("mono", "the sound", sound, "{ sampleRate, channels }");
  const { channels } = sound;
  checkList("mono", "channels", channels, "a list of Float32Array");
  for (const [i, channel] of channels.entries()) checkArray("mono", `channel ${i}`, channel, "Float32Array");
  const first = channels[0];
  if (!first) throw new DataError("mono: the sound has no channels, expected at least one");
  const other = channels.findIndex((channel) => channel.length !== first.length);
  if (other > 0) {
    throw new DataError(
      `mono: channel ${other} has ${channels[other]!.length} samples, channel 0 has ${first.length}: expected as many.`,
    );
  }
  if (channels.length === 1) return first.slice();
  return first.map((_, i) => channels.reduce((sum, channel) => sum + channel[i]!, 0) / channels.length);
}

/**
 * Scales a sound so that its largest sample is ±`peak`. Silence stays silence.
 *
 * @param samples [N]
 * @param peak at least 0. Default 1.
 * @returns [N], a new array.
 * @throws RangeError where the peak is none.
 * @example const loud = normalizePeak(samples, 0.9);
 */
export function normalizePeak(samples: Float32Array, peak = 1): Float32Array {
  checkArray("normalizePeak", "samples", samples, "Float32Array");
  checkNumber("normalizePeak", "peak", peak, number.atLeast0);
  const found = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return found === 0 ? samples.slice() : samples.map((x) => (x * peak) / found);
}

/**
 * Scales a sound so that its root mean square is `level` decibels (0 dB: 1). Nothing is clipped: samples may exceed ±1.
 * Silence stays silence.
 *
 * @param samples [N]
 * @param level in decibels. Default -20.
 * @returns [N], a new array.
 * @throws RangeError where the level is no finite number.
 * @example const even = normalizeLevel(samples, -23);
 */
export function normalizeLevel(samples: Float32Array, level = -20): Float32Array {
  checkArray("normalizeLevel", "samples", samples, "Float32Array");
  checkNumber("normalizeLevel", "level", level, number.finite);
  const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  // Silence stays silence, and so do no samples at all; NaN goes to every sample, as it does to their level.
  if (rms === 0 || samples.length === 0) return samples.slice();
  return samples.map((x) => (x * 10 ** (level / 20)) / rms);
}

/**
 * Lifts high frequencies, in which speech is weak: y[n] = x[n] - coefficient·x[n-1], y[0] = x[0].
 *
 * @param samples x [N]
 * @param coefficient Default 0.97.
 * @returns y [N], a new array.
 * @throws RangeError where the coefficient is no finite number.
 * @example const y = preEmphasis(samples);
 */
export function preEmphasis(samples: Float32Array, coefficient = 0.97): Float32Array {
  checkArray("preEmphasis", "samples", samples, "Float32Array");
  checkNumber("preEmphasis", "coefficient", coefficient, number.finite);
  return samples.map((x, i) => (i === 0 ? x : x - coefficient * samples[i - 1]!));
}
