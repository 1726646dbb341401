import { describe, expect, test } from "vitest";
import * as data from "../../src/data/index.ts";
import { decodeOnnx, decodeSafetensors } from "../../src/model/index.ts";
import { decodeImage } from "../../src/node.ts";

/* What is no image, no sound and no file is refused by the function's name; it gave NaN, zeros or an empty result. */

const image = data.createImage(2, 2, 3);
const ofImage: Record<string, (image: data.Image) => unknown> = {
  resize: (x) => data.resize(x, 1, 1),
  grayscale: data.grayscale,
  rgb: data.rgb,
  flatten: data.flatten,
  crop: (x) => data.crop(x, { x: 0, y: 0, width: 1, height: 1 }),
  cropCenter: (x) => data.cropCenter(x, 1, 1),
  flip: (x) => data.flip(x, "horizontal"),
  rotate: (x) => data.rotate(x, 10),
  shift: (x) => data.shift(x, 1, 0),
  affine: (x) => data.affine(x, [1, 0, 0, 0, 1, 0]),
  gaussianFilter: (x) => data.gaussianFilter(x, 1),
  medianFilter: (x) => data.medianFilter(x),
  channelsFirst: data.channelsFirst,
  stackImages: (x) => data.stackImages([image, x]),
  rescale: (x) => data.rescale(x),
  normalizeChannels: (x) => data.normalizeChannels(x, { mean: [0, 0, 0], deviation: [1, 1, 1] }),
  channelStatistics: (x) => data.channelStatistics([x]),
};
const noImages: Record<string, unknown> = {
  "too few numbers": { ...image, data: new Float32Array(3) },
  "too many": { ...image, data: new Float32Array(13) },
  bytes: { ...image, data: new Uint8Array(12) },
  "a canvas's": { width: 2, height: 2, data: new Uint8ClampedArray(16) },
  "half a pixel": { ...image, width: 1.5 },
  nothing: undefined,
  "a promise": Promise.resolve(image),
};

describe.each(Object.entries(ofImage))("%s", (name, call) => {
  test("takes an image", () => {
    expect(call(image)).toBeDefined();
  });
  test.each(Object.entries(noImages))("refuses %s", (_, x) => {
    expect(() => call(x as data.Image)).toThrow(new RegExp(`^${name}\\b`));
  });
});

const ofSamples: Record<string, (samples: Float32Array) => unknown> = {
  normalizePeak: data.normalizePeak,
  normalizeLevel: data.normalizeLevel,
  preEmphasis: data.preEmphasis,
  resample: (x) => data.resample(x, 8000, 16000),
  spectralGate: data.spectralGate,
  encodeWav: data.encodeWav,
  mono: (x) => data.mono({ sampleRate: 8000, channels: [x] }),
  MelSpectrogram: (x) => new data.MelSpectrogram().of(x),
  LogMel: (x) => new data.LogMel().of(x),
  Mfcc: (x) => new data.Mfcc().of(x),
};
test.each(Object.entries(ofSamples))("%s takes samples in a Float32Array alone", (name, call) => {
  expect(call(new Float32Array(4000))).toBeDefined();
  for (const wrong of [Int16Array.of(1, 2), [0.5], "abc", undefined])
    expect(() => call(wrong as never)).toThrow(new RegExp(`^${name}\\b.*expected a Float32Array`));
});

const ofBytes: Record<string, (bytes: Uint8Array) => unknown> = {
  decodeWav: data.decodeWav,
  decodeNpy: data.decodeNpy,
  decodeNpz: data.decodeNpz,
  decodeImage,
  decodeSafetensors,
  decodeOnnx,
  decodeMuLaw: data.decodeMuLaw,
  decodeALaw: data.decodeALaw,
};
test.each(Object.entries(ofBytes))("%s says how the bytes of a file are given", async (name, call) => {
  const found = async (bytes: unknown) => call(bytes as Uint8Array);
  await expect(found(new ArrayBuffer(60))).rejects.toThrow(
    `${name}: ${/Safe|Onnx/.test(name) ? "file" : "bytes"} is a ArrayBuffer, expected a Uint8Array: new Uint8Array(buffer).`,
  );
  for (const wrong of ["RIFF", [1, 2], new Uint16Array(9), undefined])
    await expect(found(wrong)).rejects.toThrow(new RegExp(`^${name}: .*expected a Uint8Array`));
});

test("sequences are lists of lists", () => {
  expect(() => data.padSequences([1, 2] as never)).toThrow("padSequences: sequence 0 is 1, expected a list of ids.");
  expect(() => data.padSequences("ab" as never)).toThrow('padSequences: sequences is "ab"');
});

test("companded samples are numbers: NaN is no silence, and infinities are as loud as can be", () => {
  for (const [name, encode] of Object.entries({ encodeMuLaw: data.encodeMuLaw, encodeALaw: data.encodeALaw })) {
    for (const wrong of [Number.NaN, undefined, null, "0.5", true])
      expect(() => encode([0, wrong as number])).toThrow(`${name}: sample 1 is `);
    expect([...encode([Infinity, -Infinity])]).toEqual([...encode([1, -1])]);
  }
});

test("an archive of other files is no .npz, and an empty one has no arrays", async () => {
  const { zip } = await import("../../src/data/file/zip.ts");
  for (const name of ["notes.txt", "__MACOSX/._a.npy", "a.npy.bak"])
    await expect(data.decodeNpz(await zip(new Map([[name, new Uint8Array(3)]]), {}), "x.npz")).rejects.toThrow(
      `x.npz: no .npz file: none of what it holds is an .npy array: ${name}.`,
    );
  expect(await data.decodeNpz(await zip(new Map(), {}))).toEqual(new Map());
});

test("a list put behind itself is there twice; of what is no list nothing is put", () => {
  const list = [1, 2];
  data.append(list, list);
  expect(list).toEqual([1, 2, 1, 2]);
});

/** A chunk of a WAV file. */
const chunk = (name: string, body: readonly number[]) => [...Buffer.from(name), body.length, 0, 0, 0, ...body];

test("a WAV file has one format and its samples in one chunk", () => {
  const format = chunk("fmt ", [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0]);
  const samples = chunk("data", [0, 1, 0, 2]);
  const wav = (...chunks: number[][]) => Uint8Array.from([...Buffer.from("RIFF\0\0\0\0WAVE"), ...chunks.flat()]);
  const tail = chunk("LIST", [1, 2]);
  for (const whole of [wav(format, samples), wav(format, samples, tail), wav(format, samples, tail, [9, 9, 9])])
    expect(data.decodeWav(whole).channels[0]).toHaveLength(2);
  expect(() => data.decodeWav(wav(format, format, samples))).toThrow('two chunks "fmt "');
  expect(() => data.decodeWav(wav(format, samples, tail, samples))).toThrow('two chunks "data"');
});

test("NaN goes through filters and levels, and is not sorted away", () => {
  const dots = (channels: number, at: number) => {
    const x = new Float32Array(9 * channels).fill(1);
    x[at] = Number.NaN;
    return data.createImage(3, 3, channels, x);
  };
  expect([...data.medianFilter(dots(1, 4)).data]).toEqual(new Array(9).fill(Number.NaN));
  // Gray and alpha, of the pixel in the middle.
  const gray = dots(2, 8);
  expect(data.medianFilter(gray).data[8]).toBeNaN();
  gray.data[9] = 0;
  expect(data.medianFilter(gray).data[8]).toBe(1);
  for (const normalize of [data.normalizeLevel, data.normalizePeak])
    expect([...normalize(Float32Array.of(Number.NaN, 1))]).toEqual([Number.NaN, Number.NaN]);
  expect([...data.normalizeLevel(new Float32Array(2))]).toEqual([0, 0]);
});

test("a boolean of an .npy file is 0 or 1, and its header says each thing once", () => {
  const npy = (header: string, body: readonly number[]) =>
    Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0, ...Buffer.from(header), ...body]);
  const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }";
  expect([...data.decodeNpy(npy(header, [1, 0])).data]).toEqual([1, 0]);
  expect(() => data.decodeNpy(npy(header, [1, 7]))).toThrow("boolean 1 is the byte 7, expected 0 or 1");
  const twice = header.replace("}", "'shape': (2,), }");
  expect(() => data.decodeNpy(npy(twice, [1, 0]))).toThrow("its header says shape twice");
});

test("a PNG with a chunk that must be understood and is not known is refused, as browsers do", async () => {
  const { crc32 } = await import("../../src/data/file/crc32.ts");
  const part = (name: string, body: readonly number[]) => {
    const named = [...Buffer.from(name), ...body];
    const sum = crc32(Uint8Array.from(named));
    return [0, 0, 0, body.length, ...named, sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255];
  };
  const png = (name: string) =>
    Uint8Array.from(
      [
        [0x89, ...Buffer.from("PNG\r\n\x1a\n")],
        part("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]),
        part(name, [1]),
        part("IDAT", [0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1]),
        part("IEND", []),
      ].flat(),
    );
  expect(data.imageHeader(png("abCD"))).toMatchObject({ width: 1, height: 1 });
  expect(() => data.imageHeader(png("ABCD"))).toThrow("image: damaged PNG: it needs the chunk ABCD");
});
