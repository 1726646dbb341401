export { Gpu, type Stats } from "./gpu.ts";
export { type Kernel, kernel } from "./kernel.ts";
export type { Counters } from "./memory.ts";
export { browserAdapter, describe, kindOf, openDevice } from "./open.ts";
export { Profile } from "./profile.ts";
export type { Dispatch, Recording } from "./recording.ts";
export { type HostArray, type Region, Slot } from "./slot.ts";
export { type DeviceKind, Tuning, type TuningResult } from "./tuning.ts";
export { wgsl } from "./wgsl.ts";
