export { append, largest, smallest } from "../numbers.ts";
export { decodeALaw, encodeALaw } from "./audio/alaw.ts";
export { decodeWav } from "./audio/decodeWav.ts";
export { encodeSound, type WavEncoding } from "./audio/encodeSound.ts";
export { Fft, PowerSpectrum } from "./audio/fft.ts";
export { type Frames, frames, hann } from "./audio/framing.ts";
export { LogMel, type LogMelFeatures, type LogMelOptions } from "./audio/logmel.ts";
export { type MelMatrices, type MelOptions, MelSpectrogram } from "./audio/melSpectrogram.ts";
export { Mfcc, type MfccFeatures, type MfccOptions } from "./audio/mfcc.ts";
export { decodeMuLaw, encodeMuLaw } from "./audio/mulaw.ts";
export { type ResampleOptions, resample } from "./audio/resample.ts";
export { mono, normalizeLevel, normalizePeak, preEmphasis, type Sound } from "./audio/sound.ts";
export { type SpectralGateOptions, spectralGate } from "./audio/spectralGate.ts";
export { encodeWav } from "./audio/wav.ts";
export {
  type BatchExample,
  batches,
  batchOf,
  type IndexedExamples,
  type LabeledArrays,
  type PartialArrays,
} from "./batch.ts";
export { DataError } from "./errors.ts";
export type { Example, ExampleSet } from "./example.ts";
export { classNames, type LabelColumns, type Labels, parseCsv, parseLabels } from "./file/csv.ts";
export { decodeNpy, encodeNpy, type NpyArray, type NpyData, npyFloats, npyIntegers } from "./file/npy.ts";
export { decodeNpz, encodeNpz, type NpzOptions } from "./file/npz.ts";
export { prefetch, type StreamOptions, streamBatches } from "./file/stream.ts";
export type { UnzipOptions } from "./file/zip.ts";
export { type FlattenOptions, flatten } from "./image/alpha.ts";
export { type ImageStep, randomFlip, randomNoise, randomRotation, randomShift } from "./image/augment.ts";
export { grayscale, rgb } from "./image/color.ts";
export { crop, cropCenter, type Rectangle } from "./image/crop.ts";
export type { DecodeImageOptions } from "./image/decode.ts";
export { decodeImageInBrowser } from "./image/decodeInBrowser.ts";
export { gaussianFilter, medianFilter } from "./image/denoise.ts";
export { type ImageHeader, imageHeader } from "./image/header.ts";
export {
  channelsFirst,
  createImage,
  fromChannelsFirst,
  type Image,
  imageFromRgba,
  type StackedImages,
  stackImages,
} from "./image/image.ts";
export { affine, flip, rotate, shift } from "./image/move.ts";
export { imagePipeline } from "./image/pipeline.ts";
export { type ResizeOptions, resize } from "./image/resize.ts";
export {
  type ChannelStatistics,
  channelStatistics,
  imageFromBytes,
  normalizeChannels,
  normalizeImage,
  rescale,
} from "./image/scale.ts";
export { Random, type Shuffled } from "./random.ts";
export { type PaddedSequences, type PadOptions, padSequences } from "./text/pad.ts";
export { KERAS_FILTERS, splitText, type TextRules } from "./text/split.ts";
export { PADDING, Tokenizer, type TokenizerJson, type TokenizerOptions, UNKNOWN } from "./text/tokenizer.ts";
