export type { UpdateRule } from "../kernels/optimizer.ts";
export { checkOptimizer, Optimizer } from "./optimizer.ts";
export type { AdamOptions, OptimizerOptions, Parameters, RmspropOptions, SgdOptions } from "./options.ts";
export { adam, adamw, rmsprop, sgd } from "./rules.ts";
export { constant, cosine, type Schedule, stepped, warmUp } from "./schedule.ts";
export type { OptimizerState } from "./state.ts";
