import { checkArray, checkName, checkNumber, checkOptions, type Known, number } from "../../check.ts";
import { PowerSpectrum } from "./fft.ts";
import { frameCount, hann, reflect } from "./framing.ts";
import { checkOutput } from "./limits.ts";

/** Window, spectrum and bands of a mel spectrogram. */
export interface MelOptions {
  /** Samples a second. Default 16000. */
  readonly sampleRate?: number;
  /** Samples under one window. Default 400. */
  readonly window?: number;
  /** Samples of one spectrum; the window lies in its middle. Default the next power of two from the window on. */
  readonly fft?: number;
  /** Samples from one window to the next. Default 160. */
  readonly hop?: number;
  /** Mel bands. Default 40. */
  readonly bands?: number;
  /** Where the first band begins, in Hz. Default 0. */
  readonly low?: number;
  /** Where the last band ends, in Hz. Default: half the sample rate. */
  readonly high?: number;
  /**
   * How pitch grows with frequency f in Hz. `htk`: 2595·log₁₀(1 + f/700). `slaney`: 3f/200 below 1000 Hz, and
   * 15 + 27·ln(f/1000)/ln 6.4 from there on (librosa's default). Default htk.
   */
  readonly scale?: "htk" | "slaney";
  /** `none`: triangles of height 1; `slaney`: of area 1, so that bands of noise are alike (librosa's default). Default none. */
  readonly norm?: "none" | "slaney";
  /** What is added to each band's power. Default 0. */
  readonly floor?: number;
  /** What comes later is left out. Default: all. */
  readonly maxFrames?: number;
  /** Frame t lies around sample t·hop, and the sound is mirrored at its ends (torchaudio's default). Default false. */
  readonly center?: boolean;
}

/** The constants of a mel spectrogram: `MelSpectrogram.matrices` gives them. */
export interface MelMatrices {
  /** W [bands, ⌊fft/2⌋ + 1]. */
  filters: Float64Array;
  /** [fft] */
  window: Float64Array;
}

/** The names of all options, for those who take these and more. */
export const MEL_OPTIONS: Known<MelOptions> = {
  sampleRate: true,
  window: true,
  fft: true,
  hop: true,
  bands: true,
  low: true,
  high: true,
  scale: true,
  norm: true,
  floor: true,
  maxFrames: true,
  center: true,
};

/**
 * Power in mel bands: M[t, m] = Σⱼ W[m, j]·P[t, j] + floor, with P[t] the power spectrum of the samples from t·hop on
 * under a periodic Hann window, and W[m] a triangle over the frequencies, its corners evenly spaced in mel. It is
 * torchaudio's `MelSpectrogram(power=2, norm=None, mel_scale="htk")`; with scale and norm `slaney` it is librosa's.
 *
 * Frames are whole spectra, 1 + ⌊(samples - fft) / hop⌋; a shorter sound is filled up with silence to one, and a sound
 * of no samples has none.
 *
 * @example const power = new MelSpectrogram({ sampleRate: 16000, bands: 64 }).of(samples);
 */
export class MelSpectrogram {
  /** All options, defaults among them. */
  readonly options: Required<MelOptions>;
  readonly #who: string;
  readonly #window: Float64Array;
  readonly #bands: readonly Band[];
  readonly #spectrum: PowerSpectrum;
  readonly #samples: Float64Array;
  readonly #power: Float64Array;

  /**
   * @param options window, spectrum and bands.
   * @param who is named in errors. Default "MelSpectrogram".
   * @throws RangeError if an option is out of its range, or a band so narrow that it holds no frequency of the spectrum.
   */
  constructor(options: MelOptions = {}, who = "MelSpectrogram") {
    this.#who = who;
    checkOptions<MelOptions>(who, options, MEL_OPTIONS);
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const { sampleRate = 16000, window = 400 } = options;
    checkNumber(who, "sampleRate", sampleRate, number.positive);
    checkNumber(who, "window", window, number.wholeAtLeast1);
    const fft = Math.max(2, 2 ** Math.ceil(Math.log2(window)));
    this.options = { ...DEFAULTS, sampleRate, window, fft, high: sampleRate / 2, ...given };
    const { hop, bands, low, high, floor, maxFrames } = this.options;
    checkNumber(who, "fft", this.options.fft, number.wholeAtLeast1);
    checkNumber(who, "hop", hop, number.wholeAtLeast1);
    checkNumber(who, "bands", bands, number.wholeAtLeast1);
    if (maxFrames !== Number.POSITIVE_INFINITY) checkNumber(who, "maxFrames", maxFrames, number.wholeAtLeast1);
    if (!(this.options.fft >= window)) {
      throw new RangeError(
        `${who}: a window of ${window} samples does not fit into a spectrum of ${this.options.fft} (fft)`,
      );
    }
    if (!(low >= 0 && low < high && high <= sampleRate / 2)) {
      throw new RangeError(`${who}: needs 0 ≤ low < high ≤ sampleRate / 2, found ${low}, ${high}, ${sampleRate / 2}`);
    }
    checkName(who, "scale", this.options.scale, ["htk", "slaney"]);
    checkName(who, "norm", this.options.norm, ["none", "slaney"]);
    checkNumber(who, "floor", floor, number.atLeast0);
    if (typeof this.options.center !== "boolean")
      throw new TypeError(`${who}: center is ${this.options.center}, expected true or false.`);
    this.#spectrum = new PowerSpectrum(this.options.fft);
    this.#window = new Float64Array(this.options.fft);
    this.#window.set(hann(window), Math.floor((this.options.fft - window) / 2));
    this.#bands = melBands(this.options, who);
    this.#samples = new Float64Array(this.options.fft);
    this.#power = new Float64Array(this.#spectrum.bins);
  }

  /**
   * The constants of the computation, for an engine that does it in matrix products.
   *
   * @returns `filters` W [bands, ⌊fft/2⌋ + 1], and `window` [fft].
   */
  matrices(): MelMatrices {
    const { bins } = this.#spectrum;
    const filters = new Float64Array(this.options.bands * bins);
    for (const [m, { first, weights }] of this.#bands.entries()) filters.set(weights, m * bins + first);
    return { filters, window: this.#window.slice() };
  }

  /**
   * How many frames a sound has.
   *
   * @param samples their number.
   * @returns frames, at most `maxFrames`.
   */
  frames(samples: number): number {
    const { fft, hop, maxFrames, center } = this.options;
    const padded = samples > 0 && center ? samples + 2 * Math.floor(fft / 2) : samples;
    return Math.min(maxFrames, frameCount(padded, fft, hop));
  }

  /**
   * The mel spectrogram of a sound.
   *
   * @param samples [N] at `sampleRate`.
   * @param map of each power, such as a logarithm, before it is rounded to float32. Default: none.
   * @param into where to write; the rest stays as it is. Default: a new array.
   * @returns [frames, bands], row-major.
   * @throws RangeError where they do not fit into `into`, or too much would come out.
   */
  of(samples: Float32Array, map: (power: number) => number = (x) => x, into?: Float32Array): Float32Array {
    const { sampleRate, fft, hop, bands, floor, center } = this.options;
    checkArray(this.#who, "samples", samples, "Float32Array");
    const frames = this.frames(samples.length);
    checkOutput(this.#who, frames * bands, ((frames - 1) * hop) / sampleRate);
    const result = into?.subarray(0, frames * bands) ?? new Float32Array(frames * bands);
    if (result.length < frames * bands) {
      throw new RangeError(`${this.#who}: ${frames} frames of ${bands} bands do not fit into ${result.length} numbers`);
    }
    const x = center ? reflect(samples, Math.floor(fft / 2)) : samples;
    for (let t = 0; t < frames; t++) {
      for (let i = 0; i < fft; i++) this.#samples[i] = (x[t * hop + i] ?? 0) * this.#window[i]!;
      const power = this.#spectrum.of(this.#samples, this.#power);
      for (let m = 0; m < bands; m++) {
        const { first, weights } = this.#bands[m]!;
        let sum = floor;
        for (let j = 0; j < weights.length; j++) sum += weights[j]! * power[first + j]!;
        result[t * bands + m] = map(sum);
      }
    }
    return result;
  }
}

const DEFAULTS = {
  hop: 160,
  bands: 40,
  low: 0,
  scale: "htk",
  norm: "none",
  floor: 0,
  maxFrames: Number.POSITIVE_INFINITY,
  center: false,
} as const;

/** A triangle over the spectrum; the weights before `first` and after the last one are 0. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Hz ↔ mel. */
const scales = {
  htk: {
    mel: (hz: number) => 2595 * Math.log10(1 + hz / 700),
    hz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
  // Slaney 1998, Auditory Toolbox: even steps below 1000 Hz, even ratios above.
  slaney: {
    mel: (hz: number) => (hz < 1000 ? (3 * hz) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4)),
    hz: (mel: number) => (mel < 15 ? (200 * mel) / 3 : 1000 * 6.4 ** ((mel - 15) / 27)),
  },
} as const;

function melBands(options: Required<MelOptions>, who: string): Band[] {
  const { sampleRate, fft, bands, low, high, scale, norm } = options;
  const { mel, hz } = scales[scale];
  const corner = (i: number) => hz(mel(low) + ((mel(high) - mel(low)) * i) / (bands + 1));
  return Array.from({ length: bands }, (_, m) => {
    const [left, center, right] = [corner(m), corner(m + 1), corner(m + 2)];
    const height = norm === "slaney" ? 2 / (right - left) : 1;
    const weight = (bin: number) => {
      const f = (bin * sampleRate) / fft;
      return height * Math.max(0, Math.min((f - left) / (center - left), (right - f) / (right - center)));
    };
    const bins = Array.from({ length: Math.floor(fft / 2) + 1 }, (_, bin) => bin).filter((bin) => weight(bin) > 0);
    if (bins.length === 0) {
      throw new RangeError(
        `${who}: band ${m}, ${left.toFixed(1)} to ${right.toFixed(1)} Hz, lies between two frequencies of a spectrum of ` +
          `${fft} samples (${sampleRate / fft} Hz apart). Take a longer window or fewer bands.`,
      );
    }
    return { first: bins[0]!, weights: Float64Array.from(bins, weight) };
  });
}
