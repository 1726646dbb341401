export { createEngine, Engine, type EngineOptions } from "./engine.ts";
export * from "./ops.ts";
export { noGrad } from "./tape.ts";
export { Gradients, Tensor } from "./tensor.ts";
