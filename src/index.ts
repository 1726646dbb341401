export * from "./autograd/index.ts";
export {
  type AdamOptions,
  adam,
  adamw,
  Optimiser,
  type RmspropOptions,
  rmsprop,
  type SgdOptions,
  sgd,
} from "./model/optimiser.ts";
export { constant, cosine, type Schedule, stepped, warmUp } from "./model/schedule.ts";
