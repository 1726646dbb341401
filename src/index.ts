export * from "./autograd/index.ts";
export {
  type AdamOptions,
  adam,
  adamw,
  Optimizer,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
} from "./model/optimizer.ts";
export { constant, cosine, type Schedule, stepped, warmUp } from "./model/schedule.ts";
