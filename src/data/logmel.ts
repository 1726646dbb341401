import { PowerSpectrum } from "./fft.ts";

export interface LogMelOptions {
  /** Samples a second. Default 8000. */
  readonly sampleRate?: number;
  /** Samples under one window, a power of two. Default 256. */
  readonly window?: number;
  /** Samples from one window to the next. Default 160. */
  readonly hop?: number;
  /** Mel bands. Default 32. */
  readonly bands?: number;
  /** Where the first band begins and the last one ends, in Hz. Default 60 and 3800. */
  readonly low?: number;
  readonly high?: number;
  /** What is added to the power before the logarithm. Default 1e-4. */
  readonly floor?: number;
  /** What comes later is left out. Default 50. */
  readonly maxFrames?: number;
  /** Give the features of each clip mean 0 and deviation 1. Default true. */
  readonly standardise?: boolean;
}

export interface LogMelFeatures {
  /** [frames, bands], row-major; only the frames there are. */
  readonly data: Float32Array;
  readonly frames: number;
  readonly bands: number;
}

/**
 * Log-mel features of a sound: F[t, m] = ln(Σⱼ W[m, j]·P[t, j] + floor), with P[t] the power spectrum of the samples
 * from t·hop on under a periodic Hann window, and W[m] a triangle of height 1 over the frequencies, its corners evenly
 * spaced in HTK mel. Frames are whole windows, 1 + ⌊(samples - window) / hop⌋; a shorter sound is filled up with
 * silence to one window, and a sound of no samples has no frames.
 *
 * Standardised over all kept frames and bands together: (F - mean) / deviation, the population's; 0 where all are alike.
 */
export class LogMel {
  readonly options: Required<LogMelOptions>;
  readonly #hann: Float64Array;
  readonly #bands: readonly Band[];
  readonly #spectrum: PowerSpectrum;
  readonly #samples: Float64Array;
  readonly #power: Float64Array;

  /** @throws RangeError if an option is out of its range, or a band so narrow that it holds no frequency of the spectrum. */
  constructor(options: LogMelOptions = {}) {
    this.options = { ...DEFAULTS, ...options };
    const { sampleRate, window, hop, bands, low, high, floor, maxFrames } = this.options;
    for (const [name, value] of Object.entries({ window, hop, bands, maxFrames })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`LogMel: ${name} must be a whole number above 0, is ${value}`);
      }
    }
    if (!(low >= 0 && low < high && high <= sampleRate / 2)) {
      throw new RangeError(`LogMel: needs 0 ≤ low < high ≤ sampleRate / 2, found ${low}, ${high}, ${sampleRate / 2}`);
    }
    if (!(floor > 0)) throw new RangeError(`LogMel: floor must be above 0, is ${floor}`);
    this.#spectrum = new PowerSpectrum(window);
    this.#hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
    this.#bands = melBands(this.options);
    this.#samples = new Float64Array(window);
    this.#power = new Float64Array(window / 2 + 1);
  }

  /** How many frames a sound of so many samples has. */
  frames(samples: number): number {
    const { window, hop, maxFrames } = this.options;
    if (samples === 0) return 0;
    return Math.min(1 + Math.floor(Math.max(0, samples - window) / hop), maxFrames);
  }

  /** The features of `samples`, written into `data` where that is given (what is left of it stays as it was). */
  of(samples: Float32Array, data?: Float32Array): LogMelFeatures {
    const { window, hop, bands, floor, standardise: standardised } = this.options;
    const frames = this.frames(samples.length);
    const features = data?.subarray(0, frames * bands) ?? new Float32Array(frames * bands);
    if (features.length < frames * bands) {
      throw new RangeError(`LogMel: ${frames} frames of ${bands} bands do not fit into ${features.length} numbers`);
    }
    for (let t = 0; t < frames; t++) {
      for (let i = 0; i < window; i++) this.#samples[i] = (samples[t * hop + i] ?? 0) * this.#hann[i]!;
      const power = this.#spectrum.of(this.#samples, this.#power);
      for (let m = 0; m < bands; m++) {
        const { first, weights } = this.#bands[m]!;
        let sum = floor;
        for (let j = 0; j < weights.length; j++) sum += weights[j]! * power[first + j]!;
        features[t * bands + m] = Math.log(sum);
      }
    }
    if (standardised) standardise(features);
    return { data: features, frames, bands };
  }
}

const DEFAULTS: Required<LogMelOptions> = {
  sampleRate: 8000,
  window: 256,
  hop: 160,
  bands: 32,
  low: 60,
  high: 3800,
  floor: 1e-4,
  maxFrames: 50,
  standardise: true,
};

/** A triangle over the spectrum; the weights before `first` and after the last one are 0. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** HTK: mel(f) = 2595·log₁₀(1 + f/700). */
function melBands({ sampleRate, window, bands, low, high }: Required<LogMelOptions>): Band[] {
  const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700);
  const hz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);
  const corner = (i: number) => hz(mel(low) + ((mel(high) - mel(low)) * i) / (bands + 1));
  return Array.from({ length: bands }, (_, m) => {
    const [left, centre, right] = [corner(m), corner(m + 1), corner(m + 2)];
    const weight = (bin: number) => {
      const f = (bin * sampleRate) / window;
      return Math.max(0, Math.min((f - left) / (centre - left), (right - f) / (right - centre)));
    };
    const bins = Array.from({ length: window / 2 + 1 }, (_, bin) => bin).filter((bin) => weight(bin) > 0);
    if (bins.length === 0) {
      throw new RangeError(
        `LogMel: band ${m}, ${left.toFixed(1)} to ${right.toFixed(1)} Hz, lies between two frequencies of a window of ` +
          `${window} samples (${sampleRate / window} Hz apart). Take a longer window or fewer bands.`,
      );
    }
    return { first: bins[0]!, weights: Float64Array.from(bins, weight) };
  });
}

function standardise(features: Float32Array): void {
  const mean = features.reduce((sum, x) => sum + x, 0) / features.length;
  const deviation = Math.sqrt(features.reduce((sum, x) => sum + (x - mean) ** 2, 0) / features.length);
  // Below this the features differ by rounding only: dividing would turn silence into noise.
  const scale = deviation > 1e-6 ? 1 / deviation : 0;
  for (let i = 0; i < features.length; i++) features[i] = (features[i]! - mean) * scale;
}
