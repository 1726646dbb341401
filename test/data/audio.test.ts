import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DataError,
  decodeALaw,
  decodeWav,
  encodeALaw,
  encodeSound,
  encodeWav,
  Fft,
  frames,
  LogMel,
  MelSpectrogram,
  Mfcc,
  type MfccOptions,
  mono,
  normalizeLevel,
  normalizePeak,
  PowerSpectrum,
  preEmphasis,
  Random,
  resample,
  spectralGate,
  type WavEncoding,
} from "../../src/data/index.ts";
import { soon } from "../soon.ts";
import { apart, sound } from "./sound.ts";

/** By fixtures/make_audio.py: torchaudio (in float64) and SoX. */
const expected: {
  mel: { samples: number; options: MfccOptions; log: number[] }[];
  mfcc: { samples: number; options: MfccOptions; features: number[] }[];
  resampled: { samples: number; from: number; to: number; values: number[] }[];
  files: Record<string, number[]>;
} = JSON.parse(readFileSync(new URL("./fixtures/audio.json", import.meta.url), "utf8"));
const file = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));

const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

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

describe("Fourier transform", () => {
  const random = new Random("fft");
  const numbers = (n: number) => Float64Array.from({ length: n }, () => random.normal());

  /** The sum as it is written. */
  function dft(re: Float64Array, im: Float64Array): [Float64Array, Float64Array] {
    const n = re.length;
    const [x, y] = [new Float64Array(n), new Float64Array(n)];
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        x[j]! += re[k]! * Math.cos(angle) - im[k]! * Math.sin(angle);
        y[j]! += re[k]! * Math.sin(angle) + im[k]! * Math.cos(angle);
      }
    }
    return [x, y];
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 12, 15, 16, 25, 97, 100, 200, 240, 400, 441, 480, 500, 513, 1009])(
    "of %i numbers is the sum",
    (n) => {
      const [re, im] = [numbers(n), numbers(n)];
      const [x, y] = dft(re, im);
      new Fft(n).transform(re, im);
      expect(Math.max(apart(re, x), apart(im, y))).toBeLessThan(1e-11 * n);
      if (n < 2) return;
      const samples = numbers(n);
      const [a, b] = dft(samples, new Float64Array(n));
      const power = new PowerSpectrum(n).of(samples);
      expect(power).toHaveLength(Math.floor(n / 2) + 1);
      expect(
        apart(
          power,
          a.subarray(0, power.length).map((v, i) => v * v + b[i]! * b[i]!),
        ),
      ).toBeLessThan(1e-10 * n);
    },
  );

  test("mel of 400 and of 401 samples: bands of that sum", () => {
    for (const fft of [400, 401]) {
      const mel = new MelSpectrogram({ window: 400, fft, bands: 23 });
      const { filters, window } = mel.matrices();
      const x = sound(900);
      const bins = Math.floor(fft / 2) + 1;
      const found = mel.of(x);
      const expected = Float32Array.from({ length: mel.frames(900) * 23 }, (_, i) => {
        const [t, m] = [Math.floor(i / 23), i % 23];
        const [re, im] = dft(
          window.map((w, j) => w * x[t * 160 + j]!),
          new Float64Array(fft),
        );
        return re.subarray(0, bins).reduce((sum, v, j) => sum + filters[m * bins + j]! * (v * v + im[j]! ** 2), 0);
      });
      expect(found.length).toBeGreaterThan(0);
      expect(apart(found, expected)).toBeLessThan(1e-4);
    }
  });

  test("sizes that cannot be are named", () => {
    for (const size of [0, -1, 2.5, Number.NaN, 2 ** 25]) expect(() => new Fft(size)).toThrow("from 1 to 2^24");
    expect(() => new PowerSpectrum(1)).toThrow("PowerSpectrum: size is 1, expected a whole number from 2 to 2^24.");
  });
});

describe("resampling", () => {
  test("there and back again is the sound, where it holds no high frequencies", () => {
    const x = Float32Array.from({ length: 4000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 16000));
    const back = resample(resample(x, 16000, 22050), 22050, 16000);
    expect(apart(back.subarray(100, 3900), x.subarray(100, 3900))).toBeLessThan(2e-3);
  });

  test("rates without a common divisor cost no more memory than a rate of samples", () => {
    const x = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i / 20));
    const y = resample(x, 44101, 48000);
    expect(y).toHaveLength(Math.ceil((3000 * 48000) / 44101));
    const at = 1500;
    expect(y[at]).toBeCloseTo(Math.sin((at * 44101) / 48000 / 20), 2);
  });
});

describe("WAV", () => {
  test.each(Object.entries(expected.files))("%s by SoX is what SoX reads in it", (name, values) => {
    const { sampleRate, channels } = decodeWav(file(name), name);
    expect([sampleRate, channels.length]).toEqual([8000, 2]);
    const interleaved = values.map((_, i) => channels[i % 2]![i >> 1]!);
    expect(apart(interleaved, values)).toBeLessThan(1e-7);
  });

  const exact: Record<WavEncoding, number> = {
    pcm8: 1 / 128,
    pcm16: 2 ** -15,
    pcm24: 2 ** -23,
    pcm32: 2 ** -24,
    float32: 2 ** -24,
    float64: 2 ** -24,
    alaw: 1 / 16,
    mulaw: 1 / 16,
  };
  test.each(Object.entries(exact) as [WavEncoding, number][])("%s: what is written is read again", (encoding, step) => {
    const samples = fc.array(fc.double({ min: -0.98, max: 0.98, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 192000 }), (x, n, sampleRate) => {
        const channels = Array.from({ length: n }, (_, c) => Float32Array.from(x, (v) => v / (c + 1)));
        const back = decodeWav(encodeSound({ sampleRate, channels }, encoding));
        expect([back.sampleRate, back.channels.length]).toEqual([sampleRate, n]);
        for (const [c, channel] of channels.entries()) {
          expect(back.channels[c]).toHaveLength(x.length);
          for (const [i, v] of channel.entries()) expect(Math.abs(v - back.channels[c]![i]!)).toBeLessThanOrEqual(step);
        }
      }),
    );
    // What was read once is read again bit for bit.
    const once = decodeWav(encodeSound({ sampleRate: 8000, channels: [sound(300)] }, encoding));
    expect(decodeWav(encodeSound(once, encoding))).toEqual(once);
  });

  test("every A-law code comes back, and what encodeWav writes is read", () => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(encodeALaw(decodeALaw(codes))).toEqual(codes);
    expect(decodeALaw(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a)).map((x) => x * 32768)).toEqual(
      Float32Array.of(8, -8, 32256, -32256),
    );
    const { channels } = decodeWav(encodeWav(Float32Array.of(0, 0.5, -1), 16000));
    expect(apart(channels[0]!, [0, 0.5, -1])).toBeLessThan(1e-4);
  });

  test("other chunks are passed over, also of odd sizes, and a length that was never written", () => {
    const [head, data] = [file("pcm16.wav").subarray(0, 36), file("pcm16.wav").subarray(36)];
    const note = Uint8Array.of(0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0);
    const wav = Uint8Array.of(...head, ...note, ...data);
    expect(decodeWav(wav)).toEqual(decodeWav(file("pcm16.wav")));
    wav.fill(0xff, 36 + 12 + 4, 36 + 12 + 8);
    expect(decodeWav(wav)).toEqual(decodeWav(file("pcm16.wav")));
  });

  const changed = (name: string, change: (view: DataView) => void) => {
    const bytes = file(name);
    change(new DataView(bytes.buffer));
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["no WAV", new Uint8Array(50), /^x: not a WAV file: 50 bytes/],
    ["nothing", new Uint8Array(0), /^x: not a WAV file: 0 bytes/],
    [
      "a truncated one",
      file("pcm16.wav").subarray(0, 100),
      /"data" at byte 36 claims 200 bytes, 56 are left: the file is cut off/,
    ],
    ["one without samples", file("pcm16.wav").subarray(0, 36), /without a chunk "data"/],
    [
      "half a sample",
      changed("pcm16.wav", (v) => v.setUint32(40, 199, true)),
      /199 bytes of samples are not a multiple of 4/,
    ],
    [
      "another format",
      changed("pcm16.wav", (v) => v.setUint16(20, 85, true)),
      /^x: WAV of format 85 with 16 bits, expected PCM/,
    ],
    ["odd bits", changed("pcm16.wav", (v) => v.setUint16(34, 12, true)), /format 1 with 12 bits/],
    ["no channels", changed("pcm16.wav", (v) => v.setUint16(22, 0, true)), /0 channels/],
    ["sizes that differ", changed("pcm16.wav", (v) => v.setUint16(32, 3, true)), /4 bytes, its header says 3/],
    [
      "a sample that is no number",
      changed("float32.wav", (v) => v.setUint32(v.byteLength - 4, 0x7fc00000, true)),
      /is NaN/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeWav(bytes, "x")).toThrow(DataError);
    expect(() => decodeWav(bytes, "x")).toThrow(message);
  });

  test("channels of different lengths are not written", () => {
    const channels = [new Float32Array(2), new Float32Array(3)];
    expect(() => encodeSound({ sampleRate: 8000, channels })).toThrow("1 to 256 channels of one length, found [2, 3]");
  });
});

describe("WAV of writers that could not know the length", () => {
  const samples = [100, -200, 300, -400];
  interface Header {
    data: number;
    riff?: number;
    channels?: number;
    tail?: readonly number[];
    before?: readonly number[];
  }
  function wav({ data, riff = 36, channels = 1, tail = [], before = [] }: Header) {
    const bytes = Buffer.alloc(44 + before.length + 8 + tail.length);
    bytes.write("RIFF", 0, "latin1");
    bytes.writeUInt32LE(riff, 4);
    bytes.write("WAVEfmt ", 8, "latin1");
    bytes.set([16, 0, 0, 0, 1, 0, channels, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2 * channels, 0, 16, 0], 16);
    bytes.set(before, 36);
    const at = 36 + before.length;
    bytes.write("data", at, "latin1");
    bytes.writeUInt32LE(data, at + 4);
    for (const [i, x] of samples.entries()) bytes.writeInt16LE(x, at + 8 + 2 * i);
    bytes.set(tail, at + 16);
    return bytes;
  }
  const read = (header: Header) => decodeWav(wav(header), "x.wav").channels.map((c) => [...c].map((x) => x * 32768));
  const letters = (text: string) => [...Buffer.from(text, "latin1")];

  test.each([0, 0x7ffff000, 0x7fffffff, 0x7fffffdb, 0x80000000, 0xffffff00, 0xffffffdb, 0xffffffff])("0x%s", (data) => {
    for (const riff of [0, 36, data, 0xffffffff]) expect(read({ data, riff })).toEqual([samples]);
    // Cut off within a sample of two channels: what is whole is there.
    expect(read({ data, tail: [1, 2, 3] })).toEqual([[...samples, 513]]);
    expect(read({ data, channels: 2, tail: [1, 2, 3] })).toEqual([
      [100, 300],
      [-200, -400],
    ]);
  });

  test("a sound of no samples with chunks after it stays empty", () => {
    const empty = wav({ data: 0 }).subarray(0, 44);
    expect(decodeWav(Buffer.concat([empty, Buffer.from(letters("LIST\x04\0\0\0abcd"))])).channels[0]).toHaveLength(0);
    expect(decodeWav(empty).channels[0]).toHaveLength(0);
  });

  test("a wrong size of the whole file, and odd chunks with and without their even byte", () => {
    for (const riff of [0, 7, 0xffffffff]) expect(read({ data: 8, riff })).toEqual([samples]);
    expect(read({ data: 8, before: letters("note\x03\0\0\0abc\0") })).toEqual([samples]);
    expect(read({ data: 8, before: letters("note\x03\0\0\0abc") })).toEqual([samples]);
    expect(read({ data: 8, tail: letters("LIST\x04\0\0\0abcd") })).toEqual([samples]);
  });

  test("a length that was known and is not there is still a file that is cut off", () => {
    expect(() => read({ data: 100 })).toThrow(
      'x.wav: damaged WAV: chunk "data" at byte 36 claims 100 bytes, 8 are left',
    );
  });
});

describe("sound", () => {
  test("mono is the mean, peak and level are what was asked for, silence stays", () => {
    const channels = [Float32Array.of(1, 0), Float32Array.of(0, -0.5)];
    expect(mono({ sampleRate: 8000, channels })).toEqual(Float32Array.of(0.5, -0.25));
    expect(normalizePeak(Float32Array.of(0.1, -0.25), 0.5)).toEqual(Float32Array.of(0.2, -0.5));
    expect(20 * Math.log10(rms(normalizeLevel(sound(500), -12)))).toBeCloseTo(-12, 4);
    for (const f of [normalizePeak, normalizeLevel]) expect(f(new Float32Array(3))).toEqual(new Float32Array(3));
    expect(() => mono({ sampleRate: 1, channels: [] })).toThrow(DataError);
  });

  test("pre-emphasis and frames", () => {
    expect(preEmphasis(Float32Array.of(1, 1, 0, 2), 0.5)).toEqual(Float32Array.of(1, 0.5, -0.5, 2));
    expect(frames(Float32Array.of(1, 2, 3, 4, 5), 3, 2)).toEqual({
      data: Float32Array.of(1, 2, 3, 3, 4, 5),
      frames: 2,
    });
    expect(frames(Float32Array.of(1), 3, 2)).toEqual({ data: Float32Array.of(1, 0, 0), frames: 1 });
    expect(frames(new Float32Array(0), 3, 2).frames).toBe(0);
    expect(() => frames(sound(5), 3, 0)).toThrow("frames: hop is 0, expected a whole number of at least 1.");
  });
});

describe("spectral gate", () => {
  /** Half a second of tone between two quarters of silence, 16,000 Hz. */
  const clean = Float32Array.from({ length: 16000 }, (_, i) =>
    i >= 4000 && i < 12000 ? 0.3 * Math.sin((2 * Math.PI * 700 * i) / 16000) : 0,
  );
  const random = new Random("gate");
  /** Noise 10 dB below the RMS of the whole. */
  const deviation = rms(clean) * 10 ** (-10 / 20);
  const noisy = clean.map((x) => x + deviation * random.normal());
  const error = (x: Float32Array) => 20 * Math.log10(rms(x.map((v, i) => v - clean[i]!)));

  test("takes at least 10 dB of the noise off, and leaves the tone", () => {
    for (const noise of [undefined, noisy.slice(0, 3500)]) {
      const gated = spectralGate(noisy, noise ? { noise } : {});
      expect(error(noisy) - error(gated)).toBeGreaterThan(10);
      expect(rms(gated.subarray(5000, 11000)) / rms(clean.subarray(5000, 11000))).toBeCloseTo(1, 1);
    }
  });

  test("with no reduction the sound comes back, to its ends", () => {
    for (const n of [1, 100, 512, 3001]) {
      for (const hop of [64, 200, 256]) {
        expect(apart(spectralGate(sound(n), { reduction: 0, hop }), sound(n))).toBeLessThan(1e-6);
      }
    }
    expect(spectralGate(new Float32Array(0))).toHaveLength(0);
    expect(() => spectralGate(sound(99), { hop: 300 })).toThrow("from 1 to 256 (half of fft), is 300");
    expect(() => spectralGate(sound(99), { noise: sound(10) })).toThrow(
      "the noise has 10 samples, expected at least 512",
    );
  });
});
