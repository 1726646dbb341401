export {
  adapterName,
  type Counters,
  type DeviceKind,
  type Dispatch,
  type EngineLost,
  type HostArray,
  type Inserted,
  type Kernel,
  type KernelTime,
  kernel,
  type Profile,
  type Recording,
  type Slot,
  type Stats,
  type TimedDispatch,
  type Tuning,
  type TuningResult,
  type Wait,
  wgsl,
} from "../gpu/index.ts";
export type { Pair } from "../kernels/checks.ts";
export type { Conv2dOptions } from "../kernels/conv2d/index.ts";
export type { FuseKind } from "../kernels/fuse.ts";
export type { SliceOptions } from "../kernels/layout.ts";
export type { DType, Op, Recorded, Value } from "../kernels/op.ts";
export type { PoolOptions } from "../kernels/pool/index.ts";
export type { ReduceOptions } from "../kernels/reduce.ts";
export * from "./activations.ts";
export * from "./arithmetic.ts";
export type { AxisOptions } from "./axis.ts";
export * from "./convolution.ts";
export { allocate, count, customOp, grid } from "./customOp.ts";
export { abs, type ClampOptions, clamp, exp, log, neg, sqrt } from "./elementwise.ts";
export * from "./embedding.ts";
export { createEngine, Engine, type EngineOptions } from "./engine.ts";
export * from "./indexing.ts";
export * from "./losses.ts";
export * from "./matmul.ts";
export * from "./modalities.ts";
export * from "./normalization.ts";
export {
  categorical,
  type DropOptions,
  dropout,
  type NormalOptions,
  normal,
  type UniformOptions,
  uniform,
} from "./random.ts";
export * from "./recurrent.ts";
export {
  type ArgmaxOptions,
  argmax,
  logSumExp,
  max,
  mean,
  min,
  sum,
  type VarianceOptions,
  variance,
} from "./reduce.ts";
export * from "./shape.ts";
export { noGrad } from "./tape.ts";
export { Gradients, Tensor, type TensorLike } from "./tensor.ts";
