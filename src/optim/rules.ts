import { Optimizer } from "./optimizer.ts";
import type { AdamOptions, Parameters, RmspropOptions, SgdOptions } from "./options.ts";

/* The optimizers that there are, each with its equation; `optimizer.ts` is what they have in common. */

/**
 * Stochastic gradient descent, PyTorch's `SGD`: m ← μ m + g, p ← p − lr · m; with Nesterov's momentum p ← p − lr · (g + μ m).
 *
 * @param parameters to be changed, by name or as a list.
 * @param options.lr learning rate
 * @param options.momentum μ. Default 0.
 * @returns the optimizer.
 * @throws TypeError, RangeError naming the option or the parameter that cannot be.
 * @example const optimizer = sgd(net.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true });
 */
export const sgd = (parameters: Parameters, options: SgdOptions): Optimizer =>
  new Optimizer("sgd", parameters, options);

/**
 * Adam (Kingma and Ba 2015), PyTorch's `Adam`:
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − lr · m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
 *
 * @param parameters to be changed, by name or as a list.
 * @param options.lr learning rate
 * @param options.betas [β₁, β₂]. Default [0.9, 0.999].
 * @returns the optimizer.
 * @throws TypeError, RangeError naming the option or the parameter that cannot be.
 * @example const optimizer = adam(net.parameters(), { lr: 1e-3, clipNorm: 1 });
 */
export const adam = (parameters: Parameters, options: AdamOptions): Optimizer =>
  new Optimizer("adam", parameters, options);

/**
 * AdamW (Loshchilov and Hutter 2019), PyTorch's `AdamW`: Adam, but weight decay does not pass through the moving averages:
 * p ← p − lr · λ p, then Adam's step.
 *
 * @param parameters to be changed, by name or as a list.
 * @param options.lr learning rate
 * @param options.weightDecay λ. Default 0.01.
 * @returns the optimizer.
 * @throws TypeError, RangeError naming the option or the parameter that cannot be.
 * @example const optimizer = adamw(net.parameters(), { lr: 1e-3, weightDecay: 0.05 });
 */
export const adamw = (parameters: Parameters, options: AdamOptions): Optimizer =>
  new Optimizer("adamw", parameters, options);

/**
 * RMSprop (Hinton 2012), PyTorch's `RMSprop`: v ← α v + (1 − α) g², m ← μ m + g / (√v + ε), p ← p − lr · m.
 *
 * @param parameters to be changed, by name or as a list.
 * @param options.lr learning rate
 * @param options.alpha α. Default 0.99.
 * @returns the optimizer.
 * @throws TypeError, RangeError naming the option or the parameter that cannot be.
 * @example const optimizer = rmsprop(net.parameters(), { lr: 1e-3 });
 */
export const rmsprop = (parameters: Parameters, options: RmspropOptions): Optimizer =>
  new Optimizer("rmsprop", parameters, options);
