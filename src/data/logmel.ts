import { powerSpectrum } from "./fft.ts";

export interface LogMelOptions {
  /** Samples a second. */
  rate: number;
  /** Samples in a frame, a power of two, and from one frame's beginning to the next one's. */
  frame: number;
  hop: number;
  bands: number;
  /** Lowest and highest frequency of the bands, in hertz. */
  from: number;
  to: number;
  /** Added to a band's power before the logarithm. */
  floor: number;
  /** Frames beyond this are left out. */
  maxFrames: number;
}

/** Frequency in hertz to mel, HTK's: 2595 · log₁₀(1 + f / 700); and back. */
export const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
export const hertz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/**
 * Log-mel features of a sound, [frames, bands]: frames under a periodic Hann window, their power spectra, triangular
 * bands whose corners are evenly spaced in mel, ln(power + floor); then mean 0 and deviation 1 over the whole sound.
 * A sound shorter than a frame is one frame, with zeros at its end.
 */
export function logMel(samples: Float32Array, options: LogMelOptions): { features: Float32Array; frames: number } {
  const { frame, hop, bands, floor, maxFrames } = options;
  const frames = Math.min(maxFrames, Math.max(1, 1 + Math.floor((samples.length - frame) / hop)));
  const { window, filters } = filterBank(options);
  const features = new Float32Array(frames * bands);
  const windowed = new Float64Array(frame);
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < frame; i++) windowed[i] = (samples[t * hop + i] ?? 0) * window[i]!;
    const power = powerSpectrum(windowed);
    filters.forEach(({ first, weights }, band) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * power[first + k]!;
      features[t * bands + band] = Math.log(sum + floor);
    });
  }
  standardise(features);
  return { features, frames };
}

/** To mean 0 and deviation 1; a constant becomes 0. */
export function standardise(x: Float32Array): void {
  let sum = 0;
  for (const v of x) sum += v;
  const mean = sum / x.length;
  let squares = 0;
  for (const v of x) squares += (v - mean) ** 2;
  const deviation = Math.sqrt(squares / x.length);
  for (let i = 0; i < x.length; i++) x[i] = deviation > 0 ? (x[i]! - mean) / deviation : 0;
}

interface Filter {
  first: number;
  weights: Float64Array;
}
const known = new Map<string, { window: Float64Array; filters: Filter[] }>();

function filterBank({ rate, frame, bands, from, to }: LogMelOptions) {
  const key = `${rate},${frame},${bands},${from},${to}`;
  let found = known.get(key);
  if (!found) {
    const window = Float64Array.from({ length: frame }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frame));
    const step = (mel(to) - mel(from)) / (bands + 1);
    const corner = (i: number) => hertz(mel(from) + i * step);
    const filters = Array.from({ length: bands }, (_, band): Filter => {
      const [left, middle, right] = [corner(band), corner(band + 1), corner(band + 2)];
      const first = Math.ceil((left * frame) / rate);
      const last = Math.min(frame / 2, Math.floor((right * frame) / rate));
      const weight = (k: number) => {
        const f = (k * rate) / frame;
        return Math.max(0, Math.min((f - left) / (middle - left), (right - f) / (right - middle)));
      };
      return {
        first,
        weights: Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => weight(first + i)),
      };
    });
    found = { window, filters };
    known.set(key, found);
  }
  return found;
}
