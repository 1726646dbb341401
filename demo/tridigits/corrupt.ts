import { checkNumber, number } from "handgrad/check";
import type { Random } from "handgrad/data";

/* What a bad camera and a bad line do to an example. All draws come from the stream given, in a fixed order. */

/** Sets a band of `width` whole rows or columns (even odds) of a square image to 0, in place; the first is uniform in first … last. */
export function hideBand(
  image: Float32Array,
  random: Random,
  width: number,
  first: number,
  last: number,
): Float32Array {
  const side = Math.sqrt(image.length);
  if (!Number.isInteger(side)) throw new RangeError(`hideBand: ${image.length} numbers are no square image.`);
  checkNumber("hideBand", "width", width, number.wholeAtLeast0);
  checkNumber("hideBand", "first", first, number.wholeAtLeast0);
  checkNumber("hideBand", "last", last, number.wholeAtLeast0);
  if (first > last || last + width > side) {
    throw new RangeError(
      `hideBand: bands of ${width} that begin at ${first} to ${last} do not lie inside an image of ${side} × ${side}.`,
    );
  }
  const rows = random.uniform() < 0.5;
  const start = first + random.integer(last - first + 1);
  for (let i = start; i < start + width; i++) {
    for (let j = 0; j < side; j++) image[rows ? i * side + j : j * side + i] = 0;
  }
  return image;
}

/** Adds Gaussian noise and clips to 0 … 1, in place. */
export function addImageNoise(image: Float32Array, random: Random, deviation: number): Float32Array {
  checkNumber("addImageNoise", "deviation", deviation, number.atLeast0);
  for (let i = 0; i < image.length; i++) {
    image[i] = Math.min(1, Math.max(0, image[i]! + deviation * random.normal()));
  }
  return image;
}

/** The sound at `speed` times its speed (and pitch), by linear interpolation: y[n] = x(n·speed). */
export function changeSpeed(samples: Float32Array, speed: number): Float32Array {
  checkNumber("changeSpeed", "speed", speed, number.positive);
  const length = samples.length === 0 ? 0 : Math.floor((samples.length - 1) / speed) + 1;
  const result = new Float32Array(length);
  for (let n = 0; n < result.length; n++) {
    const at = Math.min(n * speed, samples.length - 1);
    const i = Math.floor(at);
    const x = samples[i]!;
    result[n] = x + (at - i) * ((samples[i + 1] ?? x) - x);
  }
  return result;
}

/** Adds white noise in place, `snr` decibels below the RMS of the sound. */
export function addSoundNoise(samples: Float32Array, random: Random, snr: number): Float32Array {
  checkNumber("addSoundNoise", "snr", snr, number.finite);
  const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  const deviation = rms * 10 ** (-snr / 20);
  for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! + deviation * random.normal();
  return samples;
}

/** Sets a stretch of this share of the sound, at a uniform place, to 0, in place. */
export function dropOut(samples: Float32Array, random: Random, share: number): Float32Array {
  checkNumber("dropOut", "share", share, number.share);
  const length = Math.round(share * samples.length);
  const start = random.integer(samples.length - length + 1);
  return samples.fill(0, start, start + length);
}
