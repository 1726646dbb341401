export {
  type AdamOptions,
  adam,
  adamw,
  constant,
  cosine,
  Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type Schedule,
  type SgdOptions,
  sgd,
  stepped,
  warmUp,
} from "../optim/index.ts";
export { type Batch, type ForwardOptions, presentOf, type ReadField } from "./batch.ts";
export type { EarlyStopping } from "./best.ts";
export {
  evaluateByModality,
  type LabeledBatch,
  type ModalityEvaluation,
  type ModalityEvaluationOptions,
  softmaxOf,
  subsetsOf,
} from "./byModality.ts";
export { encodeCheckpoint, restoreCheckpoint } from "./checkpoint.ts";
export { ConditionalVae, type ConditionalVaeConfig, type VaeLossOptions } from "./conditionalVae.ts";
export type { FullConfig, MultimodalConfig } from "./config.ts";
export type { AudioConfig, AudioFields, FullAudioConfig } from "./encoder/audio.ts";
export type { ImageConfig, ImageFields } from "./encoder/image.ts";
export {
  type BatchFields,
  type EncoderConfigs,
  type FullEncoderConfigs,
  type Modality,
  modalities,
} from "./encoder/index.ts";
export {
  type FullTextConfig,
  type TextConfig,
  type TextEncoder,
  type TextFields,
  textEncoders,
} from "./encoder/text.ts";
export { type EvaluateOptions, type Evaluation, evaluate, type PredictionOptions, predict } from "./evaluate.ts";
export { type Fitted, fit } from "./fit.ts";
export type { FitCallbacks, FitOptions } from "./fitOptions.ts";
export { type Fusion, type FusionConfig, fusions } from "./fusion/index.ts";
export { type HeadConfig, type Task, tasks } from "./head.ts";
export type { Initializer } from "./initialize.ts";
export { type LinearLayerOptions, linearLayer, type Module, ParameterStore, type Start } from "./layers.ts";
export { logMelLayer, melLayer, mfccLayer } from "./mel.ts";
export {
  accuracy,
  argmaxRows,
  auc,
  confusionMatrix,
  type F1Options,
  f1,
  type Metric,
  meanSquaredError,
  type Predictions,
  topK,
} from "./metrics.ts";
export { MultimodalNet } from "./multimodal.ts";
export { decodeOnnx } from "./onnx/decode.ts";
export { encodeOnnx, type OnnxInput, type OnnxModel } from "./onnx/encode.ts";
export type { OnnxShape } from "./onnx/graph.ts";
export { onnxOf } from "./onnx/network.ts";
export type { EpochRecord } from "./progress.ts";
export {
  checkWeights,
  decodeSafetensors,
  encodeSafetensors,
  type NonFinite,
  setWeights,
  type Weights,
  WeightsError,
  weightsOf,
} from "./safetensors.ts";
export { configMetadata, modelFrom } from "./saved.ts";
export { batchesOf, type Source, type SourceOptions, type StreamPosition } from "./source.ts";
export type { Store } from "./store.ts";
export { type TrainedStep, type TrainOptions, trainEpoch, trainStep } from "./train.ts";
export { type Objective, objectives, type Trainable } from "./trainable.ts";
export { type WarmStart, type WarmStartOptions, warmStart } from "./warmStart.ts";
