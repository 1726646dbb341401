import { checkArray, checkNumber, checkOptions, type NumberRule, number } from "../../check.ts";
import { checkOutput, MOST_SECONDS } from "./limits.ts";

/** The filter of `resample`. */
export interface ResampleOptions {
  /** Zero crossings of the sinc on each side. More is steeper and slower. Default 6. */
  readonly crossings?: number;
  /** Where the filter begins to cut, as a share of half the lower rate. Default 0.99. */
  readonly rolloff?: number;
  /** Seconds that the sound may have: a file that claims a rate of 1 would fill the memory. Default 14,400 (four hours). */
  readonly maxSeconds?: number;
}

const rate: NumberRule = {
  holds: (x) => Number.isInteger(x) && x >= 1 && x <= 1e6,
  expected: "a whole number of samples a second from 1 to 10^6",
};

/**
 * Resamples a sound by a sinc under a Hann window (torchaudio's `resample` with "sinc_interp_hann"):
 *
 * y[j] = b/from · Σᵢ x[i]·h(b·(j/to - i/from)),  h(t) = sinc(t)·cos²(πt / 2z) for |t| < z, b = rolloff·min(from, to)
 *
 * with z zero crossings, rates in samples a second, and silence before and after.
 *
 * @param samples x [N]
 * @param from its rate, in Hz.
 * @param to the rate of the result, in Hz.
 * @param options the filter, and the longest sound.
 * @returns y [⌈N·to/from⌉]
 * @throws RangeError where a rate or an option is none, or the sound is too long.
 * @example const telephone = resample(samples, 44100, 8000);
 */
export function resample(samples: Float32Array, from: number, to: number, options: ResampleOptions = {}): Float32Array {
  checkArray("resample", "samples", samples, "Float32Array");
  checkOptions<ResampleOptions>("resample", options, { crossings: true, rolloff: true, maxSeconds: true });
  const { crossings = 6, rolloff = 0.99, maxSeconds = MOST_SECONDS } = options;
  checkNumber("resample", "from", from, rate);
  checkNumber("resample", "to", to, rate);
  checkNumber("resample", "crossings", crossings, {
    holds: (x) => x >= 1 && x <= 1000,
    expected: "a number from 1 to 1000",
  });
  checkNumber("resample", "rolloff", rolloff, {
    holds: (x) => x >= 0.01 && x <= 1,
    expected: "a number from 0.01 to 1",
  });
  checkNumber("resample", "maxSeconds", maxSeconds, number.positive);
  checkOutput("resample", Math.ceil((samples.length * to) / from), samples.length / from, maxSeconds);
  if (from === to) return samples.slice();
  const divisor = greatestCommonDivisor(from, to);
  const [step, phases] = [from / divisor, to / divisor];
  // Output j lies at input j·step/phases: its weights depend on j modulo `phases` only, so they are made once each.
  const base = rolloff * Math.min(step, phases);
  const width = Math.ceil((crossings * step) / base);
  const taps = Array.from({ length: Math.min(phases, Math.ceil((samples.length * phases) / step)) }, (_, phase) => {
    const place = (phase * step) / phases;
    const first = Math.floor(place) - width;
    const weights = Float64Array.from({ length: 2 * width + 2 }, (_, i) => {
      const t = (base * (place - (first + i))) / step;
      return Math.abs(t) < crossings ? (base / step) * sinc(t) * Math.cos((Math.PI * t) / (2 * crossings)) ** 2 : 0;
    });
    return { first, weights };
  });
  const result = new Float32Array(Math.ceil((samples.length * phases) / step));
  for (let j = 0; j < result.length; j++) {
    const { first, weights } = taps[j % phases]!;
    const start = Math.floor(j / phases) * step + first;
    const end = Math.min(weights.length, samples.length - start);
    let sum = 0;
    for (let i = Math.max(0, -start); i < end; i++) sum += weights[i]! * samples[start + i]!;
    result[j] = sum;
  }
  return result;
}

function sinc(t: number): number {
  return t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
