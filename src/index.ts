export * from "./autograd/index.ts";
export { type AdamOptions, adam, adamw, Optimiser, type SgdOptions, sgd } from "./model/optimiser.ts";
