export {
  type AdamOptions,
  adam,
  adamw,
  checkOptimizer,
  Optimizer,
  type OptimizerOptions,
  type OptimizerState,
  type Parameters,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
  type UpdateRule,
} from "./optimizer.ts";
export { constant, cosine, type Schedule, stepped, warmUp } from "./schedule.ts";
