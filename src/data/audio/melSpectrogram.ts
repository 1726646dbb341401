import { PowerSpectrum } from "./fft.ts";
import { frameCount, hann, reflect } from "./framing.ts";

export interface MelOptions {
  /** Samples a second. Default 16000. */
  readonly sampleRate?: number;
  /** Samples under one window. Default 400. */
  readonly window?: number;
  /** Samples of one spectrum, a power of two; the window lies in its middle. Default the next one from the window on. */
  readonly fft?: number;
  /** Samples from one window to the next. Default 160. */
  readonly hop?: number;
  /** Mel bands. Default 40. */
  readonly bands?: number;
  /** Where the first band begins and the last one ends, in Hz. Default 0 and half the sample rate. */
  readonly low?: number;
  readonly high?: number;
  /** What is added to each band's power. Default 0. */
  readonly floor?: number;
  /** What comes later is left out. Default: all. */
  readonly maxFrames?: number;
  /** Frame t lies around sample t·hop, and the sound is mirrored at its ends (torchaudio's default). Default false. */
  readonly centre?: boolean;
}

/**
 * Power in mel bands: M[t, m] = Σⱼ W[m, j]·P[t, j] + floor, with P[t] the power spectrum of the samples from t·hop on
 * under a periodic Hann window, and W[m] a triangle of height 1 over the frequencies, its corners evenly spaced in HTK
 * mel. It is torchaudio's `MelSpectrogram(power=2, norm=None, mel_scale="htk")`.
 *
 * Frames are whole spectra, 1 + ⌊(samples - fft) / hop⌋; a shorter sound is filled up with silence to one, and a sound
 * of no samples has none.
 */
export class MelSpectrogram {
  readonly options: Required<MelOptions>;
  readonly #who: string;
  readonly #window: Float64Array;
  readonly #bands: readonly Band[];
  readonly #spectrum: PowerSpectrum;
  readonly #samples: Float64Array;
  readonly #power: Float64Array;

  /** @throws RangeError if an option is out of its range, or a band so narrow that it holds no frequency of the spectrum. */
  constructor(options: MelOptions = {}, who = "MelSpectrogram") {
    this.#who = who;
    const { sampleRate = 16000, window = 400 } = options;
    const fft = 2 ** Math.ceil(Math.log2(window));
    this.options = { ...DEFAULTS, sampleRate, window, fft, high: sampleRate / 2, ...options };
    const { hop, bands, low, high, floor, maxFrames } = this.options;
    for (const [name, value] of Object.entries({ window, hop, bands, ...(maxFrames < Infinity && { maxFrames }) })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`${who}: ${name} must be a whole number above 0, is ${value}`);
      }
    }
    if (!(maxFrames >= 1)) throw new RangeError(`${who}: maxFrames must be a whole number above 0, is ${maxFrames}`);
    if (!(this.options.fft >= window)) {
      throw new RangeError(
        `${who}: a window of ${window} samples does not fit into a spectrum of ${this.options.fft} (fft)`,
      );
    }
    if (!(low >= 0 && low < high && high <= sampleRate / 2)) {
      throw new RangeError(`${who}: needs 0 ≤ low < high ≤ sampleRate / 2, found ${low}, ${high}, ${sampleRate / 2}`);
    }
    if (!(floor >= 0)) throw new RangeError(`${who}: floor must be 0 or more, is ${floor}`);
    this.#spectrum = new PowerSpectrum(this.options.fft);
    this.#window = new Float64Array(this.options.fft);
    this.#window.set(hann(window), Math.floor((this.options.fft - window) / 2));
    this.#bands = melBands(this.options, who);
    this.#samples = new Float64Array(this.options.fft);
    this.#power = new Float64Array(this.options.fft / 2 + 1);
  }

  /** How many frames a sound of so many samples has. */
  frames(samples: number): number {
    const { fft, hop, maxFrames, centre } = this.options;
    const padded = samples > 0 && centre ? samples + 2 * Math.floor(fft / 2) : samples;
    return Math.min(maxFrames, frameCount(padded, fft, hop));
  }

  /**
   * Writes [frames, bands], row-major, and gives back what was written.
   *
   * @param map of each power, such as a logarithm, before it is rounded to float32.
   * @param into where to write; the rest stays as it is. Default: a new array.
   */
  of(samples: Float32Array, map: (power: number) => number = (x) => x, into?: Float32Array): Float32Array {
    const { fft, hop, bands, floor, centre } = this.options;
    const frames = this.frames(samples.length);
    const result = into?.subarray(0, frames * bands) ?? new Float32Array(frames * bands);
    if (result.length < frames * bands) {
      throw new RangeError(`${this.#who}: ${frames} frames of ${bands} bands do not fit into ${result.length} numbers`);
    }
    const x = centre ? reflect(samples, Math.floor(fft / 2)) : samples;
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

const DEFAULTS = { hop: 160, bands: 40, low: 0, floor: 0, maxFrames: Number.POSITIVE_INFINITY, centre: false };

/** A triangle over the spectrum; the weights before `first` and after the last one are 0. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** HTK: mel(f) = 2595·log₁₀(1 + f/700). */
function melBands({ sampleRate, fft, bands, low, high }: Required<MelOptions>, who: string): Band[] {
  const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700);
  const hz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);
  const corner = (i: number) => hz(mel(low) + ((mel(high) - mel(low)) * i) / (bands + 1));
  return Array.from({ length: bands }, (_, m) => {
    const [left, centre, right] = [corner(m), corner(m + 1), corner(m + 2)];
    const weight = (bin: number) => {
      const f = (bin * sampleRate) / fft;
      return Math.max(0, Math.min((f - left) / (centre - left), (right - f) / (right - centre)));
    };
    const bins = Array.from({ length: fft / 2 + 1 }, (_, bin) => bin).filter((bin) => weight(bin) > 0);
    if (bins.length === 0) {
      throw new RangeError(
        `${who}: band ${m}, ${left.toFixed(1)} to ${right.toFixed(1)} Hz, lies between two frequencies of a spectrum of ` +
          `${fft} samples (${sampleRate / fft} Hz apart). Take a longer window or fewer bands.`,
      );
    }
    return { first: bins[0]!, weights: Float64Array.from(bins, weight) };
  });
}
