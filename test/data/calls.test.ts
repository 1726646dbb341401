import * as data from "../../src/data/index.ts";
import { type Refusals, testRefusals } from "../refused.ts";

/* Each export of handgrad/data refuses by its name what is no picture, no sound, no file, no text, no number. */

const image = data.createImage(4, 4, 3);
const sound = { sampleRate: 8000, channels: [new Float32Array(4000)] };
const samples = () => new Float32Array(4000);
const array = { shape: [2], data: Float32Array.of(1, 2) };
const bytes = data.encodeNpy(array);
const archive = await data.encodeNpz({ array });
const set = [0, 1].map((label) => ({ image: new Float32Array(4), label }));
const random = () => new data.Random("calls");
const csv = "file,label\na.png,7\n";
const rules = { lower: true, filters: "", separator: null, level: "word" } as const;
const tokenizer = new data.Tokenizer(["seven"]);

const OPTIONS = "undefined object date map promise";
const EVERY = "undefined null NaN half minus text object list holes true function date map bigint promise";
const rows: Record<string, Refusals> = {
  append: { call: data.append, args: () => [[1], [2]], takes: ["list holes", "list holes map"] },
  largest: { call: data.largest, args: () => [[1, 2]], takes: ["list map"] },
  smallest: { call: data.smallest, args: () => [[1, 2]], takes: ["list map"] },
  decodeALaw: { call: data.decodeALaw, args: () => [new Uint8Array(2)] },
  encodeALaw: { call: data.encodeALaw, args: () => [samples()], takes: ["list"] },
  decodeMuLaw: { call: data.decodeMuLaw, args: () => [new Uint8Array(2)] },
  encodeMuLaw: { call: data.encodeMuLaw, args: () => [samples()], takes: ["list"] },
  decodeWav: { call: data.decodeWav, args: () => [data.encodeWav(samples())] },
  encodeSound: { call: data.encodeSound, args: () => [sound, "pcm16"], takes: ["", "undefined"] },
  encodeWav: {
    call: data.encodeWav,
    args: () => [samples(), 8000],
    takes: ["", "undefined"],
    says: "encode(Wav|Sound)",
  },
  Fft: { call: (n) => new data.Fft(n), args: () => [8] },
  PowerSpectrum: { call: (n) => new data.PowerSpectrum(n), args: () => [8], says: "(PowerSpectrum|Fft)" },
  frames: { call: data.frames, args: () => [samples(), 400, 160] },
  hann: { call: data.hann, args: () => [8], says: "hann" },
  LogMel: { call: (o) => new data.LogMel(o), args: () => [{}], takes: [OPTIONS] },
  "LogMel.of": { call: (x) => new data.LogMel().of(x), args: () => [samples()], says: "LogMel" },
  MelSpectrogram: { call: (o) => new data.MelSpectrogram(o), args: () => [{}], takes: [OPTIONS] },
  "MelSpectrogram.of": {
    call: (x) => new data.MelSpectrogram().of(x),
    args: () => [samples()],
    says: "MelSpectrogram",
  },
  Mfcc: { call: (o) => new data.Mfcc(o), args: () => [{}], takes: [OPTIONS] },
  "Mfcc.of": { call: (x) => new data.Mfcc().of(x), args: () => [samples()], says: "Mfcc" },
  resample: { call: data.resample, args: () => [samples(), 8000, 16000], takes: ["", "half", "half"] },
  mono: { call: data.mono, args: () => [sound] },
  normalizeLevel: { call: data.normalizeLevel, args: () => [samples(), -20], takes: ["", "undefined half minus"] },
  normalizePeak: { call: data.normalizePeak, args: () => [samples(), 1], takes: ["", "undefined half"] },
  preEmphasis: { call: data.preEmphasis, args: () => [samples(), 0.97], takes: ["", "undefined half minus"] },
  spectralGate: { call: data.spectralGate, args: () => [samples(), {}], takes: ["", OPTIONS] },
  batchOf: { call: data.batchOf, args: () => [set], takes: ["list"] },
  batches: {
    call: data.batches,
    args: () => [set, 2, random()],
    takes: ["list", "", "undefined"],
    says: "batch(es|Of)",
  },
  classNames: { call: data.classNames, args: () => [["a"]], takes: ["list map"] },
  parseCsv: {
    call: data.parseCsv,
    args: () => [csv, "table", ","],
    takes: ["text", EVERY, "undefined"],
    says: "(parseCsv|table)",
  },
  parseLabels: {
    call: data.parseLabels,
    args: () => [csv, "labels", {}, ["7"]],
    takes: ["text", EVERY, OPTIONS, "undefined"],
    says: "(parseLabels|labels)",
  },
  decodeNpy: { call: data.decodeNpy, args: () => [bytes] },
  encodeNpy: { call: data.encodeNpy, args: () => [array] },
  npyFloats: { call: data.npyFloats, args: () => [array] },
  npyIntegers: { call: data.npyIntegers, args: () => [array] },
  decodeNpz: { call: data.decodeNpz, args: () => [archive] },
  encodeNpz: { call: data.encodeNpz, args: () => [{ array }, {}], takes: ["object", OPTIONS] },
  prefetch: { call: data.prefetch, args: () => [[1], 2], takes: ["list holes map", "undefined"] },
  streamBatches: {
    call: data.streamBatches,
    args: () => [{ length: 1, size: 1, read: () => 1, batch: (x: number[]) => x }],
  },
  flatten: { call: data.flatten, args: () => [image, {}], takes: ["", OPTIONS] },
  randomFlip: { call: data.randomFlip, args: () => ["horizontal"], takes: ["undefined"] },
  randomNoise: { call: data.randomNoise, args: () => [0.1], takes: ["half"] },
  randomRotation: { call: data.randomRotation, args: () => [10], takes: ["half"] },
  randomShift: { call: data.randomShift, args: () => [1, 1], takes: ["", "undefined half minus"] },
  grayscale: { call: data.grayscale, args: () => [image] },
  rgb: { call: data.rgb, args: () => [image] },
  crop: { call: data.crop, args: () => [image, { x: 0, y: 0, width: 1, height: 1 }] },
  cropCenter: { call: data.cropCenter, args: () => [image, 1, 1] },
  gaussianFilter: { call: data.gaussianFilter, args: () => [image, 1], takes: ["", "half"] },
  medianFilter: { call: data.medianFilter, args: () => [image, 3], takes: ["", "undefined"] },
  imageHeader: {
    call: data.imageHeader,
    args: () => [png(), "image", 100],
    takes: ["", EVERY, "undefined"],
    says: "image(Header)?",
  },
  channelsFirst: { call: data.channelsFirst, args: () => [image] },
  createImage: { call: data.createImage, args: () => [1, 1, 1, new Float32Array(1)], takes: ["", "", "", "undefined"] },
  fromChannelsFirst: {
    call: data.fromChannelsFirst,
    args: () => [new Float32Array(1), [1, 1, 1]],
    says: "(fromChannelsFirst|createImage)",
  },
  imageFromRgba: {
    call: data.imageFromRgba,
    args: () => [new Uint8Array(4), 1, 1, 3],
    says: "(imageFromRgba|createImage)",
  },
  stackImages: { call: data.stackImages, args: () => [[image]] },
  affine: { call: data.affine, args: () => [image, [1, 0, 0, 0, 1, 0]] },
  flip: { call: data.flip, args: () => [image, "horizontal"] },
  rotate: { call: data.rotate, args: () => [image, 10], takes: ["", "half minus"] },
  shift: { call: data.shift, args: () => [image, 1, 1], takes: ["", "half minus", "half minus"] },
  imagePipeline: { call: data.imagePipeline, args: () => [1, []], takes: ["half minus", "list"] },
  resize: { call: data.resize, args: () => [image, 2, 2, {}], takes: ["", "", "", OPTIONS] },
  channelStatistics: { call: data.channelStatistics, args: () => [[image]] },
  imageFromBytes: { call: data.imageFromBytes, args: () => [new Uint8Array(2)], takes: ["list"] },
  normalizeChannels: {
    call: data.normalizeChannels,
    args: () => [image, { mean: [0, 0, 0], deviation: [1, 1, 1] }],
  },
  normalizeImage: { call: data.normalizeImage, args: () => [samples(), 0, 1], takes: ["list", "half minus", "half"] },
  rescale: { call: data.rescale, args: () => [image, 255], takes: ["", "undefined half minus"] },
  Random: { call: (...parts) => new data.Random(...parts), args: () => ["a"], takes: ["half minus text"] },
  "Random.integer": { call: (n) => random().integer(n), args: () => [2] },
  "Random.shuffle": { call: (x) => random().shuffle(x), args: () => [[1, 2]], takes: ["list holes"] },
  padSequences: { call: data.padSequences, args: () => [[[1]], {}], takes: ["list", OPTIONS] },
  splitText: { call: data.splitText, args: () => ["a b", rules], takes: ["text"] },
  Tokenizer: {
    call: (words, o) => new data.Tokenizer(words, o),
    args: () => [["a"], {}],
    takes: ["list", OPTIONS],
    says: "(Tokenizer|splitText)",
  },
  "Tokenizer.of": {
    call: (x) => data.Tokenizer.of(x),
    args: () => [["a"]],
    takes: ["list map"],
    says: "(Tokenizer.of|splitText)",
  },
  "Tokenizer.fit": {
    call: (x, o) => data.Tokenizer.fit(x, o),
    args: () => [["a"], {}],
    takes: ["list map", OPTIONS],
    says: "(Tokenizer.fit|splitText)",
  },
  "Tokenizer.fromJSON": {
    call: (x) => data.Tokenizer.fromJSON(x),
    args: () => [tokenizer.toJSON()],
    says: "Tokenizer",
  },
  "Tokenizer.encode": {
    call: (x) => tokenizer.encode(x, 2),
    args: () => ["seven"],
    takes: ["text"],
    says: "(Tokenizer|splitText)",
  },
  "Tokenizer.transform": {
    call: (x) => tokenizer.transform(x),
    args: () => [["seven"]],
    takes: ["list map"],
    says: "(Tokenizer|splitText)",
  },
  "Tokenizer.decode": { call: (x) => tokenizer.decode(x), args: () => [[1]], takes: ["list map"], says: "Tokenizer" },
};

/** A PNG of 1 × 1 pixel. */
function png(): Uint8Array {
  return Uint8Array.from(
    atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="),
    (c) => c.charCodeAt(0),
  );
}

// A browser's decoder is tested there; an error is made by nobody else.
testRefusals(rows, data, ["decodeImageInBrowser", "DataError"]);
