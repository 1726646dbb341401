export { type BatchExample, batches, batchOf, type LabelledArrays } from "./batch.ts";
export * from "./corrupt.ts";
export { DataError } from "./errors.ts";
export type { Example, ExampleSet } from "./example.ts";
export { Fft, PowerSpectrum } from "./fft.ts";
export { imageFromBytes, normaliseImage } from "./image.ts";
export { LogMel, type LogMelFeatures, type LogMelOptions } from "./logmel.ts";
export { decodeMuLaw, encodeMuLaw } from "./mulaw.ts";
export { Random } from "./random.ts";
export { PADDING, Tokeniser, UNKNOWN } from "./tokeniser.ts";
export {
  type Clip,
  type SetName,
  setNames,
  type TriDigit,
  TriDigitSet,
  TriDigits,
  triDigitsShape,
} from "./tridigits.ts";
export { encodeWav } from "./wav.ts";
