export type { Batch } from "./batch.ts";
export {
  type FullConfig,
  type Fusion,
  fusions,
  type Modality,
  type MultimodalConfig,
  modalities,
  type Task,
  tasks,
} from "./config.ts";
export { Drawer, type DrawerConfig } from "./drawer.ts";
export { type Evaluation, evaluate, softmaxOf } from "./evaluate.ts";
export { type LabelledBatch, trainEpoch, trainStep } from "./fit.ts";
export { type Module, ParameterStore } from "./layers.ts";
export { MultimodalNet } from "./multimodal.ts";
export { decodeOnnx } from "./onnx/decode.ts";
export { encodeOnnx, type OnnxInput, type OnnxModel } from "./onnx/encode.ts";
export { onnxOf, saveOnnx } from "./onnx/network.ts";
export {
  type AdamOptions,
  adam,
  adamw,
  Optimiser,
  type OptimiserOptions,
  type OptimiserState,
  type SgdOptions,
  sgd,
} from "./optimiser.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  saveSafetensors,
  setWeights,
  type Weights,
  WeightsError,
  weightsOf,
} from "./safetensors.ts";
export { configMetadata, loadModel, modelFrom, saveModel } from "./saved.ts";
export { type WarmStart, warmStart } from "./warmStart.ts";
