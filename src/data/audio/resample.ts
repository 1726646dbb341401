export interface ResampleOptions {
  /** Zero crossings of the sinc on each side. More is steeper and slower. Default 6. */
  readonly crossings?: number;
  /** Where the filter begins to cut, as a share of half the lower rate. Default 0.99. */
  readonly rolloff?: number;
}

/**
 * A sound at another rate, by a sinc under a Hann window (torchaudio's `resample` with "sinc_interp_hann"):
 *
 * y[j] = b/from · Σᵢ x[i]·h(b·(j/to - i/from)),  h(t) = sinc(t)·cos²(πt / 2z) for |t| < z, b = rolloff·min(from, to),
 *
 * z zero crossings, rates in samples a second, silence before and after. There are ⌈length·to/from⌉ samples.
 */
export function resample(
  samples: Float32Array,
  from: number,
  to: number,
  { crossings = 6, rolloff = 0.99 }: ResampleOptions = {},
): Float32Array {
  for (const [name, rate] of Object.entries({ from, to })) {
    if (!Number.isInteger(rate) || rate < 1 || rate > 1e6) {
      throw new RangeError(`resample: ${name} must be a whole number of samples a second up to 10^6, is ${rate}`);
    }
  }
  if (!(crossings >= 1 && rolloff > 0 && rolloff <= 1)) {
    throw new RangeError(`resample: needs crossings ≥ 1 and 0 < rolloff ≤ 1, found ${crossings} and ${rolloff}`);
  }
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
