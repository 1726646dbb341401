import type { readFile as read, writeFile as write } from "node:fs/promises";
import type { Batch, MultimodalNet, ParameterStore } from "handgrad/model";
import type { Engine, Kernel, Optimizer, Tensor } from "handgrad/node";

import type { FeedbackLog } from "handgrad/rl";

/* What the examples of doc comments may use beside values of any type: all exports, and what a program has made before. */

// These three stand in two entries.
export { type FlattenOptions, flatten, type PadOptions } from "handgrad";
export * from "handgrad/data";
export * from "handgrad/model";
export * from "handgrad/node";
export * from "handgrad/rl";

export declare const engine: Engine;
export declare const net: MultimodalNet;
export declare const log: FeedbackLog;
export declare const optimizer: Optimizer;
export declare const store: ParameterStore;
export declare const batch: Batch;
export declare const x: Tensor;
export declare const w: Tensor;
export declare const b: Tensor;
export declare const shader: string;
export declare const scale: (variant: { by: number }) => Kernel;
export declare const readFile: typeof read;
export declare const writeFile: typeof write;
