export * from "./autograd/index.ts";
export {
  type AdamOptions,
  adam,
  adamw,
  constant,
  cosine,
  Optimizer,
  type RmspropOptions,
  rmsprop,
  type Schedule,
  type SgdOptions,
  sgd,
  stepped,
  warmUp,
} from "./optim/index.ts";
