import { checkNumber, checkOptions, type Known, number } from "../../check.ts";
import { MEL_OPTIONS, type MelOptions, MelSpectrogram } from "./melSpectrogram.ts";

/** As of MelSpectrogram, with defaults for short words by telephone: 8000 Hz, window 256, hop 160, 32 bands, 60 to 3800 Hz. */
export interface LogMelOptions extends MelOptions {
  /** What is added to the power before the logarithm. Default 1e-4. */
  readonly floor?: number;
  /** What comes later is left out. Default 50. */
  readonly maxFrames?: number;
  /** Give the features of each clip mean 0 and deviation 1. Default true. */
  readonly standardize?: boolean;
}

/** Log-mel features of one sound. */
export interface LogMelFeatures {
  /** [frames, bands], row-major; only the frames there are. */
  readonly data: Float32Array;
  /** How many frames there are. */
  readonly frames: number;
  /** How many mel bands there are. */
  readonly bands: number;
}

/**
 * Log-mel features of a sound: F[t, m] = ln(Σⱼ W[m, j]·P[t, j] + floor), the logarithm of MelSpectrogram.
 *
 * Standardized over all kept frames and bands together: (F - mean) / deviation, the population's; 0 where all are alike.
 *
 * @example
 * const logMel = new LogMel({ sampleRate: 16000, bands: 40 });
 * const { data, frames, bands } = logMel.of(samples);
 */
export class LogMel {
  /** All options, defaults among them. */
  readonly options: Required<LogMelOptions>;
  readonly #mel: MelSpectrogram;

  /**
   * @param options as of `MelSpectrogram`, with defaults for telephone speech.
   * @throws RangeError if an option is out of its range, or a band so narrow that it holds no frequency of the spectrum.
   */
  constructor(options: LogMelOptions = {}) {
    checkOptions<LogMelOptions>("LogMel", options, LOG_MEL_OPTIONS);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const { standardize = true, ...mel } = { ...DEFAULTS, ...(given as LogMelOptions) };
    if (typeof standardize !== "boolean")
      throw new TypeError(`LogMel: standardize is ${standardize}, expected true or false.`);
    checkNumber("LogMel", "floor", mel.floor, number.positive);
    this.#mel = new MelSpectrogram(mel, "LogMel");
    this.options = { ...this.#mel.options, standardize };
  }

  /**
   * How many frames a sound has.
   *
   * @param samples their number.
   * @returns frames, at most `maxFrames`.
   */
  frames(samples: number): number {
    return this.#mel.frames(samples);
  }

  /**
   * Log-mel features of a sound.
   *
   * @param samples [N] at `sampleRate`.
   * @param data where to write; the rest of it stays as it was. Default: a new array.
   * @returns [frames, bands]
   * @throws RangeError where they do not fit into `data`, or too much would come out.
   */
  of(samples: Float32Array, data?: Float32Array): LogMelFeatures {
    const features = this.#mel.of(samples, Math.log, data);
    if (this.options.standardize) standardize(features);
    return { data: features, frames: this.frames(samples.length), bands: this.options.bands };
  }
}

const LOG_MEL_OPTIONS: Known<LogMelOptions> = { ...MEL_OPTIONS, standardize: true };

const DEFAULTS = {
  sampleRate: 8000,
  window: 256,
  hop: 160,
  bands: 32,
  low: 60,
  high: 3800,
  floor: 1e-4,
  maxFrames: 50,
};

function standardize(features: Float32Array): void {
  if (features.length === 0) return;
  const mean = features.reduce((sum, x) => sum + x, 0) / features.length;
  const deviation = Math.sqrt(features.reduce((sum, x) => sum + (x - mean) ** 2, 0) / features.length);
  // Below this the features differ by rounding only: dividing would turn silence into noise.
  const scale = deviation > 1e-6 ? 1 / deviation : 0;
  for (let i = 0; i < features.length; i++) features[i] = (features[i]! - mean) * scale;
}
