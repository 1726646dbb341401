import { checkArray, checkNumber, checkOptions, number } from "../../check.ts";
import { Fft } from "./fft.ts";
import { frameCount, hann } from "./framing.ts";
import { checkOutput } from "./limits.ts";

/** Spectra, threshold and depth of `spectralGate`. */
export interface SpectralGateOptions {
  /** Samples of one spectrum. Default 512 (32 ms at 16,000 Hz). */
  readonly fft?: number;
  /** Samples from one spectrum to the next, at most half of `fft`. Default a quarter of it. */
  readonly hop?: number;
  /** A stretch of the noise alone. Default: the tenth of the frames that has the least energy. */
  readonly noise?: Float32Array;
  /** The gate opens so many deviations above the noise's mean level. Default 2, which 0.07 % of white noise exceeds. */
  readonly deviations?: number;
  /** How much softer what is behind a shut gate becomes, in decibels. Default 20. */
  readonly reduction?: number;
}

/**
 * Reduces steady noise by spectral gating. For each frequency the noise has a mean level and a standard deviation (in
 * decibels). Where a spectrum is louder than mean + `deviations`·deviation the gate is open; elsewhere the sound is reduced by
 * `reduction` decibels. Gains are smoothed over 3 frames × 5 frequencies, against musical noise; the sound is resynthesized by
 * overlap-add: x = Σ w·frame / Σ w².
 *
 * All spectra are held at once, some 64 bytes a sample: for clips, not for hours.
 *
 * @param samples [N]
 * @param options spectra, threshold and depth; `noise` is a sample of the noise alone.
 * @returns [N], a new array.
 * @throws RangeError where an option is out of its range, the noise is shorter than `fft`, or too much would be held.
 * @example const clean = spectralGate(samples, { reduction: 12 });
 */
export function spectralGate(samples: Float32Array, options: SpectralGateOptions = {}): Float32Array {
  checkArray("spectralGate", "samples", samples, "Float32Array");
  checkOptions<SpectralGateOptions>("spectralGate", options, {
    fft: true,
    hop: true,
    noise: true,
    deviations: true,
    reduction: true,
  });
  const { fft = 512, hop = Math.max(1, Math.floor(fft / 4)), noise, deviations = 2, reduction = 20 } = options;
  checkNumber("spectralGate", "fft", fft, number.wholeAtLeast1);
  if (!Number.isInteger(hop) || hop < 1 || hop > fft / 2) {
    throw new RangeError(`spectralGate: hop must be a whole number from 1 to ${fft / 2} (half of fft), is ${hop}`);
  }
  checkNumber("spectralGate", "deviations", deviations, number.finite);
  checkNumber("spectralGate", "reduction", reduction, number.atLeast0);
  if (noise && noise.length < fft) {
    throw new RangeError(`spectralGate: the noise has ${noise.length} samples, expected at least ${fft} (fft)`);
  }
  if (samples.length === 0) return samples.slice();
  const spectra = spectraOf(samples, fft, hop, fft);
  const threshold = noise
    ? thresholds(spectraOf(noise, fft, hop, 0), undefined, deviations)
    : thresholds(spectra, quietest(spectra, samples.length), deviations);
  applyGains(spectra, gainsOf(openGates(spectra, threshold), spectra, 10 ** (-reduction / 20)));
  return synthesise(spectra, samples.length);
}

/** The first half of each frame's transform, `bins` numbers a frame. */
interface Spectra {
  readonly fft: number;
  readonly hop: number;
  readonly margin: number;
  readonly bins: number;
  readonly frames: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

function spectraOf(samples: Float32Array, fft: number, hop: number, margin: number): Spectra {
  const [transform, window, bins] = [new Fft(fft), hann(fft), Math.floor(fft / 2) + 1];
  const frames = frameCount(samples.length + 2 * margin, fft, hop);
  checkOutput("spectralGate", frames * bins, 0);
  const [re, im] = [new Float64Array(frames * bins), new Float64Array(frames * bins)];
  const [x, y] = [new Float64Array(fft), new Float64Array(fft)];
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < fft; i++) x[i] = window[i]! * (samples[t * hop + i - margin] ?? 0);
    y.fill(0);
    transform.transform(x, y);
    re.set(x.subarray(0, bins), t * bins);
    im.set(y.subarray(0, bins), t * bins);
  }
  return { fft, hop, margin, bins, frames, re, im };
}

/** Of the frames that lie in the sound, the tenth (at least one) with the least energy. */
function quietest({ re, im, bins, frames, margin, fft, hop }: Spectra, length: number): number[] {
  const energy = (t: number) => {
    let sum = 0;
    for (let j = t * bins; j < (t + 1) * bins; j++) sum += re[j]! ** 2 + im[j]! ** 2;
    return sum;
  };
  const all = Array.from({ length: frames }, (_, t) => t);
  const whole = all.filter((t) => t * hop >= margin && t * hop + fft <= margin + length);
  const ranked = (whole.length > 0 ? whole : all).map((t) => ({ t, e: energy(t) })).sort((a, b) => a.e - b.e);
  return ranked.slice(0, Math.ceil(ranked.length / 10)).map(({ t }) => t);
}

function thresholds(spectra: Spectra, chosen: readonly number[] | undefined, deviations: number): Float64Array {
  const { bins, frames } = spectra;
  const of = chosen ?? Array.from({ length: frames }, (_, t) => t);
  return Float64Array.from({ length: bins }, (_, j) => {
    const levels = of.map((t) => level(spectra, t * bins + j));
    const mean = levels.reduce((a, b) => a + b, 0) / levels.length;
    const variance = levels.reduce((sum, x) => sum + (x - mean) ** 2, 0) / levels.length;
    return mean + deviations * Math.sqrt(variance);
  });
}

function level({ re, im }: Spectra, i: number): number {
  return 10 * Math.log10(Math.max(1e-20, re[i]! ** 2 + im[i]! ** 2));
}

/** 1 where a gate is open, 0 elsewhere. */
function openGates(spectra: Spectra, threshold: Float64Array): Float64Array {
  return spectra.re.map((_, i) => (level(spectra, i) > threshold[i % spectra.bins]! ? 1 : 0));
}

/** From `shut` to 1: fully open where ENOUGH of the gates around are. */
function gainsOf(open: Float64Array, { frames, bins }: Spectra, shut: number): Float64Array {
  return open.map((_, i) => {
    const [t, j] = [Math.floor(i / bins), i % bins];
    let n = 0;
    for (let s = Math.max(0, t - 1); s <= Math.min(frames - 1, t + 1); s++) {
      for (let k = Math.max(0, j - 2); k <= Math.min(bins - 1, j + 2); k++) n += open[s * bins + k]!;
    }
    return shut + (1 - shut) * Math.min(1, n / ENOUGH);
  });
}

/** Of the 3 × 5 gates around. A tone opens three frequencies of a frame; noise opens one now and then. */
const ENOUGH = 6;

function applyGains({ re, im }: Spectra, gains: Float64Array): void {
  for (let i = 0; i < gains.length; i++) {
    re[i]! *= gains[i]!;
    im[i]! *= gains[i]!;
  }
}

/** The sound whose spectra these are. The inverse transform is the forward one with the imaginary parts turned round. */
function synthesise({ re, im, fft, hop, bins, frames, margin }: Spectra, length: number): Float32Array {
  const [transform, window] = [new Fft(fft), hann(fft)];
  const [sum, weight] = [new Float64Array(length), new Float64Array(length)];
  const [x, y] = [new Float64Array(fft), new Float64Array(fft)];
  for (let t = 0; t < frames; t++) {
    for (let j = 0; j < fft; j++) {
      const mirrored = j >= bins;
      const at = t * bins + (mirrored ? fft - j : j);
      x[j] = re[at]!;
      y[j] = mirrored ? im[at]! : -im[at]!;
    }
    transform.transform(x, y);
    for (let i = 0; i < fft; i++) {
      const n = t * hop + i - margin;
      if (n < 0 || n >= length) continue;
      sum[n]! += (window[i]! * x[i]!) / fft;
      weight[n]! += window[i]! ** 2;
    }
  }
  return Float32Array.from(sum, (s, n) => (weight[n]! > 1e-12 ? s / weight[n]! : 0));
}
