import { describe, expect, test } from "vitest";
import { frames, LogMel, MelSpectrogram, Mfcc, resample, spectralGate } from "../../../src/data/index.ts";
import { soon } from "../../soon.ts";
import { apart } from "../apart.ts";
import { expected, sound } from "../sound.ts";

describe("features are torchaudio's", () => {
  test.each(expected.mel)("log-mel of $samples samples, $options", ({ samples, options, log }) => {
    const { data, frames } = new LogMel({ floor: 1e-4, standardize: false, ...options }).of(sound(samples));
    expect(frames).toBe(log.length / options.bands!);
    expect(apart(data, log)).toBeLessThan(1e-5);
    const mel = new MelSpectrogram(options).of(sound(samples));
    expect(
      apart(
        mel.map((x) => Math.log(x + 1e-4)),
        log,
      ),
    ).toBeLessThan(1e-5);
  });

  test.each(expected.mfcc)("MFCC of $samples samples, $options", ({ samples, options, features }) => {
    const { data, frames, coefficients } = new Mfcc(options).of(sound(samples));
    expect([frames * coefficients, coefficients]).toEqual([features.length, options.coefficients]);
    expect(apart(data, features)).toBeLessThan(1e-4);
  });

  test.each(expected.resampled)("resampling from $from to $to", ({ samples, from, to, values }) => {
    expect(apart(resample(sound(samples), from, to), values)).toBeLessThan(1e-6);
  });

  test("of nothing there is nothing, and silence is finite", () => {
    expect(new Mfcc().of(new Float32Array(0)).data).toHaveLength(0);
    expect(new Mfcc({ center: true }).of(new Float32Array(1)).data.every(Number.isFinite)).toBe(true);
    expect(resample(new Float32Array(0), 8000, 16000)).toHaveLength(0);
  });

  test("options out of their range say so", () => {
    expect(() => new Mfcc({ coefficients: 41 })).toThrow("a whole number from 1 to 40 (bands), is 41");
    expect(() => new Mfcc({ high: 9000 })).toThrow("Mfcc: needs 0 ≤ low < high ≤ sampleRate / 2");
    expect(() => resample(sound(9), 0, 8000)).toThrow(
      "resample: from is 0, expected a whole number of samples a second from 1 to 10^6.",
    );
    expect(() => new Mfcc({ nMfcc: 13 } as object)).toThrow('Mfcc: there is no option "nMfcc".');
    expect(() => new MelSpectrogram({ hopLength: 80 } as object)).toThrow("Did you mean hop?");
    expect(() => new MelSpectrogram({ sampleRate: Number.NaN })).toThrow("MelSpectrogram: sampleRate is NaN");
    expect(() => new MelSpectrogram({ window: 0.5 })).toThrow("window is 0.5, expected a whole number");
    expect(() => resample(sound(9), 8000, 16000, { rollOff: 0.9 } as object)).toThrow("Did you mean rolloff?");
    expect(() => resample(sound(9), 8000, 16000, { crossings: 1e9 })).toThrow("a number from 1 to 1000");
    expect(new MelSpectrogram({ hop: undefined } as object).options.hop).toBe(160);
  });

  test("what comes out is bounded by seconds and in all, before memory is taken", () => {
    const expectSoon = soon(3000);
    const million = new Float32Array(1e6);
    expect(() => resample(million, 1, 16000)).toThrow(
      "resample: the sound is 1000000 seconds long, more than the 14400 allowed. Is its sample rate right?",
    );
    expect(() => resample(million, 1, 16000, { maxSeconds: 1e6 })).toThrow("16000000000 numbers would come out");
    expect(() => resample(million, 1000, 1e9)).toThrow("from 1 to 10^6");
    expect(() => resample(million, 100, 1e6, { maxSeconds: 100 })).toThrow("more than the 100 allowed");
    const slow = { sampleRate: 1, window: 16, bands: 1, hop: 1 };
    expect(() => new MelSpectrogram(slow).of(million)).toThrow("999984 seconds long, more than the 14400 allowed");
    expect(new MelSpectrogram({ ...slow, maxFrames: 3 }).of(million)).toHaveLength(3);
    expect(() => new MelSpectrogram({ window: 512, bands: 64, hop: 1 }).of(new Float32Array(6e6))).toThrow(
      "MelSpectrogram: 383967296 numbers would come out, more than the 268435456 (2^28) allowed",
    );
    expect(() => frames(million, 1000, 1)).toThrow("frames: 999001000 numbers would come out");
    expect(() => spectralGate(million, { fft: 4096, hop: 1 })).toThrow("spectralGate: ");
    expectSoon();
  });
});
