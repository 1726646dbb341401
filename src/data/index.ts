export { type BatchExample, batches, batchOf, type LabelledArrays } from "./batch.ts";
export { DataError } from "./errors.ts";
export { powerSpectrum } from "./fft.ts";
export { type LogMelOptions, logMel } from "./logmel.ts";
export { decodeMulaw, encodeMulaw } from "./mulaw.ts";
export { Random } from "./random.ts";
export { Tokeniser } from "./tokeniser.ts";
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
