import { checkName, checkNumber, checkOptions, number } from "../../check.ts";
import { MEL_OPTIONS, type MelOptions, MelSpectrogram } from "./melSpectrogram.ts";

/** As of `MelSpectrogram`, with the options of the cepstrum. */
export interface MfccOptions extends MelOptions {
  /** How many coefficients are kept, from the lowest on; at most `bands`. Default 13. */
  readonly coefficients?: number;
  /** `decibel`: 10·log₁₀(max(M, 1e-10)) (torchaudio's default); `natural`: ln(M + 1e-6) (its `log_mels`). Default decibel. */
  readonly logarithm?: "decibel" | "natural";
  /** Decibels below the loudest band of the clip that still count; what is softer is raised to it. Default 80. */
  readonly topDb?: number;
}

/** Mel-frequency cepstral coefficients of one sound. */
export interface MfccFeatures {
  /** [frames, coefficients], row-major. */
  readonly data: Float32Array;
  /** How many frames there are. */
  readonly frames: number;
  /** How many coefficients a frame has. */
  readonly coefficients: number;
}

/**
 * Mel-frequency cepstral coefficients: the orthonormal DCT-II of the logarithm L of the mel bands,
 * C[t, k] = s[k]·Σₘ L[t, m]·cos(πk(m + ½)/bands), s[0] = √(1/bands), s[k] = √(2/bands). As torchaudio's `MFCC`.
 *
 * @example const { data, frames, coefficients } = new Mfcc({ sampleRate: 16000 }).of(samples);
 */
export class Mfcc {
  /** All options, defaults among them. */
  readonly options: Required<MfccOptions>;
  readonly #mel: MelSpectrogram;
  readonly #dct: Float64Array;

  /**
   * @param options of bands and cepstrum.
   * @throws RangeError if an option is out of its range.
   */
  constructor(options: MfccOptions = {}) {
    checkOptions<MfccOptions>("Mfcc", options, { ...MEL_OPTIONS, coefficients: true, logarithm: true, topDb: true });
    const { coefficients = 13, logarithm = "decibel", topDb = 80, ...mel } = options;
    this.#mel = new MelSpectrogram(mel, "Mfcc");
    const { bands } = this.#mel.options;
    if (!Number.isInteger(coefficients) || coefficients < 1 || coefficients > bands) {
      throw new RangeError(`Mfcc: coefficients must be a whole number from 1 to ${bands} (bands), is ${coefficients}`);
    }
    checkName("Mfcc", "logarithm", logarithm, ["decibel", "natural"]);
    if (topDb !== Number.POSITIVE_INFINITY) checkNumber("Mfcc", "topDb", topDb, number.positive);
    this.options = { ...this.#mel.options, coefficients, logarithm, topDb };
    this.#dct = cosines(coefficients, bands);
  }

  /**
   * The coefficients of a sound.
   *
   * @param samples [N] at `sampleRate`.
   * @returns [frames, coefficients]
   * @throws RangeError where too much would come out.
   */
  of(samples: Float32Array): MfccFeatures {
    const { bands, coefficients, logarithm, topDb } = this.options;
    const natural = logarithm === "natural";
    const logs = this.#mel.of(
      samples,
      natural ? (x) => Math.log(x + 1e-6) : (x) => 10 * Math.log10(Math.max(x, 1e-10)),
    );
    if (!natural) {
      const floor = logs.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY) - topDb;
      for (let i = 0; i < logs.length; i++) logs[i] = Math.max(logs[i]!, floor);
    }
    const frames = logs.length / bands;
    const data = new Float32Array(frames * coefficients);
    for (let t = 0; t < frames; t++) {
      for (let k = 0; k < coefficients; k++) {
        let sum = 0;
        for (let m = 0; m < bands; m++) sum += this.#dct[k * bands + m]! * logs[t * bands + m]!;
        data[t * coefficients + k] = sum;
      }
    }
    return { data, frames, coefficients };
  }
}

/** The first rows of the orthonormal DCT-II, [coefficients, bands]. */
export function cosines(coefficients: number, bands: number): Float64Array {
  return Float64Array.from({ length: coefficients * bands }, (_, i) => {
    const [k, m] = [Math.floor(i / bands), i % bands];
    return Math.sqrt((k === 0 ? 1 : 2) / bands) * Math.cos((Math.PI * k * (m + 0.5)) / bands);
  });
}
