import { expectEngine } from "../autograd/engine.ts";
import {
  add,
  clamp,
  div,
  type Engine,
  indexSelect,
  linear,
  log,
  max,
  maximum,
  mean,
  mul,
  pad,
  reshape,
  slice,
  sqrt,
  sub,
  Tensor,
} from "../autograd/index.ts";
import { describe } from "../check.ts";
import { checkOutput } from "../data/audio/limits.ts";
import { LogMel, type LogMelOptions } from "../data/audio/logmel.ts";
import { type MelOptions, MelSpectrogram } from "../data/audio/melSpectrogram.ts";
import { cosines, Mfcc, type MfccOptions } from "../data/audio/mfcc.ts";

/*
 * Features of sound for whole batches on the device: those of src/data/audio, one clip like another, as matrix products.
 * All clips of a batch are of one length; gradients go back to the samples.
 */

/**
 * Mel spectrograms of a batch on the device, as `MelSpectrogram`: frames are gathered, [N·T, fft]; a matrix product with the
 * windowed cosines and sines of the Fourier transform gives the spectrum, one with the triangles the bands.
 *
 * @param engine where it runs.
 * @param options window, spectrum and bands.
 * @returns the layer, samples [N, S] → [N, T, bands], called in a step. Differentiable in the samples.
 * @throws RangeError naming the option that cannot be; the layer TypeError where its input is not [N, S].
 * @example const mel = melLayer(engine, { sampleRate: 16000, bands: 40 });
 */
export function melLayer(engine: Engine, options: MelOptions = {}): (waves: Tensor) => Tensor {
  expectEngine("melLayer", engine);
  const mel = new MelSpectrogram(options, "melLayer");
  const { sampleRate, fft, hop, bands, floor, center } = mel.options;
  const bins = Math.floor(fft / 2) + 1;
  checkOutput("melLayer", 2 * bins * fft, 0);
  const { filters, window } = mel.matrices();
  const angle = (k: number, n: number) => (2 * Math.PI * ((k * n) % fft)) / fft;
  const fourier = Float32Array.from({ length: 2 * bins * fft }, (_, i) => {
    const [row, n] = [Math.floor(i / fft), i % fft];
    return window[n]! * (row < bins ? Math.cos(angle(row, n)) : -Math.sin(angle(row - bins, n)));
  });
  const transform = engine.tensor(fourier, [2 * bins, fft]);
  const triangles = engine.tensor(Float32Array.from(filters), [bands, bins]);
  const places = new Map<number, Tensor>();
  return (waves) => {
    if (!(waves instanceof Tensor))
      throw new TypeError(
        `melLayer: waves are ${describe(waves)}, expected a tensor [N, S], such as engine.tensor(samples, [1, S]).`,
      );
    const [N, S] = waves.shape;
    if (waves.shape.length !== 2 || S === 0)
      throw new TypeError(`melLayer: waves are [${waves.shape.join(", ")}], expected [N, S] with samples in it.`);
    const T = mel.frames(S!);
    checkOutput("melLayer", N! * T * Math.max(fft, bands), (T * hop) / sampleRate);
    const at = places.get(S!) ?? engine.tensor(placesOf(S!, T, { fft, hop, center }), [T * fft]);
    places.set(S!, at);
    // One silent sample more, for what lies beyond a short sound.
    const frames = reshape(indexSelect(pad(waves, [0, 1]), at, { axis: 1 }), [N! * T, fft]);
    const spectrum = linear(frames, transform);
    const [re, im] = [
      slice(spectrum, { axis: 1, start: 0, end: bins }),
      slice(spectrum, { axis: 1, start: bins, end: 2 * bins }),
    ];
    const power = linear(add(mul(re, re), mul(im, im)), triangles);
    return reshape(floor > 0 ? add(power, floor) : power, [N!, T, bands]);
  };
}

/** Which sample stands at each place of each frame; S is the silent one. Mirrored at the ends where frames are centered. */
function placesOf(S: number, T: number, { fft, hop, center }: { fft: number; hop: number; center: boolean }) {
  const period = Math.max(1, 2 * (S - 1));
  return Int32Array.from({ length: T * fft }, (_, i) => {
    const at = Math.floor(i / fft) * hop + (i % fft) - (center ? Math.floor(fft / 2) : 0);
    if (!center) return Math.min(at, S);
    const folded = ((at % period) + period) % period;
    return folded < S ? folded : period - folded;
  });
}

/**
 * Log-mel features of a batch on the device, as `LogMel`: each clip with mean 0 and deviation 1 unless told otherwise.
 *
 * @param engine where it runs.
 * @param options as of `LogMel`.
 * @returns the layer, samples [N, S] → [N, T, bands], called in a step. Differentiable in the samples.
 * @throws RangeError naming the option that cannot be; the layer TypeError where its input is not [N, S].
 * @example const features = logMelLayer(engine);
 */
export function logMelLayer(engine: Engine, options: LogMelOptions = {}): (waves: Tensor) => Tensor {
  expectEngine("logMelLayer", engine);
  const { standardize, ...resolved } = new LogMel(options).options;
  const mel = melLayer(engine, resolved);
  return (waves) => {
    const features = log(mel(waves));
    if (!standardize) return features;
    const axis = [1, 2];
    const d = sub(features, mean(features, { axis, keepDims: true }));
    const deviation = sqrt(mean(mul(d, d), { axis, keepDims: true }));
    // 0 where features differ by rounding only, as there: dividing would turn silence into noise.
    const differs = clamp(mul(sub(deviation, 1e-6), 1e30), { min: 0, max: 1 });
    return div(mul(d, differs), maximum(deviation, 1e-6));
  };
}

/**
 * Mel-frequency cepstral coefficients of a batch on the device, as `Mfcc`.
 *
 * @param engine where it runs.
 * @param options as of `Mfcc`.
 * @returns the layer, samples [N, S] → [N, T, coefficients], called in a step. Differentiable in the samples.
 * @throws RangeError naming the option that cannot be; the layer TypeError where its input is not [N, S].
 * @example const features = mfccLayer(engine, { coefficients: 13 });
 */
export function mfccLayer(engine: Engine, options: MfccOptions = {}): (waves: Tensor) => Tensor {
  expectEngine("mfccLayer", engine);
  const { coefficients, logarithm, topDb, ...resolved } = new Mfcc(options).options;
  const { bands } = resolved;
  const mel = melLayer(engine, resolved);
  const transform = engine.tensor(Float32Array.from(cosines(coefficients, bands)), [coefficients, bands]);
  return (waves) => {
    const power = mel(waves);
    const [N, T] = [power.shape[0]!, power.shape[1]!];
    let logs: Tensor;
    if (logarithm === "natural") logs = log(add(power, 1e-6));
    else {
      const decibels = mul(log(maximum(power, 1e-10)), 10 / Math.LN10);
      logs = maximum(decibels, sub(max(decibels, { axis: [1, 2], keepDims: true }), topDb));
    }
    return reshape(linear(reshape(logs, [N * T, bands]), transform), [N, T, coefficients]);
  };
}
