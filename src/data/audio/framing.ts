import { checkArray, checkNumber, number } from "../../check.ts";
import { checkOutput } from "./limits.ts";

/**
 * The periodic Hann window, w[i] = ½ - ½·cos(2πi / size), for spectra of overlapping frames.
 *
 * @param size in samples.
 * @returns [size]
 * @throws RangeError where the size is no whole number of at least 0.
 * @example const window = hann(512);
 */
export function hann(size: number): Float64Array {
  checkNumber("hann", "size", size, number.wholeAtLeast0);
  return Float64Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
}

/** How many whole frames of `size` samples, `hop` apart, lie in a sound. A shorter one has one, of no samples none. */
export function frameCount(samples: number, size: number, hop: number): number {
  return samples === 0 ? 0 : 1 + Math.floor(Math.max(0, samples - size) / hop);
}

/** A sound cut into frames. */
export interface Frames {
  /** [frames, size], row-major. */
  readonly data: Float32Array;
  /** How many there are. */
  readonly frames: number;
}

/**
 * Cuts a sound into frames of `size` samples, `hop` apart. A sound shorter than one frame is padded with silence.
 *
 * @param samples [N]
 * @param size of a frame, in samples.
 * @param hop from one frame to the next, in samples.
 * @returns `data` [frames, size], row-major, with frames = 1 + ⌊(N - size) / hop⌋.
 * @throws RangeError where size or hop are no whole numbers of at least 1, or too much would come out.
 * @example const { data, frames: count } = frames(samples, 400, 160);
 */
export function frames(samples: Float32Array, size: number, hop: number): Frames {
  checkArray("frames", "samples", samples, "Float32Array");
  checkNumber("frames", "size", size, number.wholeAtLeast1);
  checkNumber("frames", "hop", hop, number.wholeAtLeast1);
  const count = frameCount(samples.length, size, hop);
  checkOutput("frames", count * size, 0);
  const data = new Float32Array(count * size);
  for (let t = 0; t < count; t++) data.set(samples.subarray(t * hop, t * hop + size), t * size);
  return { data, frames: count };
}

/** The sound with `margin` samples more on each side, mirrored at its first and last sample (…x₂ x₁ x₀ x₁ x₂…). */
export function reflect(samples: Float32Array, margin: number): Float32Array {
  const n = samples.length;
  if (n === 0) return samples.slice();
  const period = Math.max(1, 2 * (n - 1));
  return Float32Array.from({ length: n + 2 * margin }, (_, i) => {
    const at = (((i - margin) % period) + period) % period;
    return samples[at < n ? at : period - at]!;
  });
}
