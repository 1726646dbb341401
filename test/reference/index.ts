/** A float64 reference of every op: plain loops that follow PyTorch, to test the kernels against. */
export * from "./activation.ts";
export * from "./arithmetic.ts";
export * from "./array.ts";
export * from "./conv2d.ts";
export * from "./elementwise.ts";
export * from "./embedding.ts";
export * from "./fusion.ts";
export * from "./gru.ts";
export * from "./losses.ts";
export * from "./matmul.ts";
export * from "./numerical.ts";
export * from "./optimizers.ts";
export * from "./pool.ts";
export * from "./recurrent.ts";
export * from "./reductions.ts";
export * from "./shapes.ts";
