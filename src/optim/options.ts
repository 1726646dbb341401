import { Tensor } from "../autograd/index.ts";
import { checkFlag, checkNumber, checkOptions, describe, type Known, number } from "../check.ts";
import type { Gpu, Slot } from "../gpu/index.ts";
import type { UpdateRule } from "../kernels/optimizer.ts";

/*
 * What an optimizer may be told, checked at its construction: its options and its parameters.
 */

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** Learning rate, at least 0; `optimizer.lr` changes it later. */
  lr: number;
  /** λ: λ p is added to each gradient; `adamw` shrinks p by lr · λ instead. Default 0, for `adamw` 0.01. */
  weightDecay?: number;
  /** Gradients are scaled down to this norm, taken over all parameters together. Default: not clipped. */
  clipNorm?: number;
  /** Each number of a gradient is kept within ± this. Default: not. */
  clipValue?: number;
}
/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** μ: how much of the sum of earlier gradients is kept. Default 0. */
  momentum?: number;
  /** Look ahead along the momentum, which must be above 0. Default false. */
  nesterov?: boolean;
}
/** Options of `rmsprop`. */
export interface RmspropOptions extends OptimizerOptions {
  /** α: how much of the moving average of squares is kept, 0 ≤ α < 1. Default 0.99. */
  alpha?: number;
  /** μ: how much of the sum of earlier steps is kept. Default 0. */
  momentum?: number;
  /** ε, added to the root of the average. Default 1e-8. */
  eps?: number;
}
/** Options of `adam` and `adamw`. */
export interface AdamOptions extends OptimizerOptions {
  /** β₁ and β₂: how much is kept of the moving averages of gradients and of their squares, each under 1. Default [0.9, 0.999]. */
  betas?: readonly [number, number];
  /** ε, added to the root of the second average. Default 1e-8. */
  eps?: number;
}

/** What an optimizer takes: parameters by name, as `net.parameters()` gives them, or a list. */
export type Parameters = Record<string, Tensor> | Iterable<Tensor>;

/** All options of any rule, checked, with the defaults in place. */
export interface Settings {
  readonly weightDecay: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** What is kept of the moving averages of gradients and of their squares. */
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly clipNorm: number | undefined;
  readonly clipValue: number | undefined;
}

const COMMON: Known<OptimizerOptions> = { lr: true, weightDecay: true, clipNorm: true, clipValue: true };
const ADAM: Known<AdamOptions> = { ...COMMON, betas: true, eps: true };
/** Of each rule. */
export const KNOWN = {
  sgd: { ...COMMON, momentum: true, nesterov: true } satisfies Known<SgdOptions>,
  adam: ADAM,
  adamw: ADAM,
  rmsprop: { ...COMMON, alpha: true, momentum: true, eps: true } satisfies Known<RmspropOptions>,
};

/** Checks what a rule is told, and puts the defaults in. Undefined stands for the default. */
export function settingsOf(rule: UpdateRule, options: AdamOptions | SgdOptions | RmspropOptions): Settings {
  if (options === undefined) throw new TypeError(`${rule}: there are no options, expected { lr } at least.`);
  checkOptions<object>(rule, options, KNOWN[rule]);
  const given = options as AdamOptions & SgdOptions & RmspropOptions;
  const { momentum = 0, nesterov = false, eps = 1e-8, alpha = 0.99, clipNorm, clipValue } = given;
  const weightDecay = given.weightDecay ?? (rule === "adamw" ? 0.01 : 0);
  const { betas = [0.9, 0.999] } = given;
  checkNumber(rule, "weightDecay", weightDecay, number.atLeast0);
  checkNumber(rule, "momentum", momentum, number.atLeast0);
  checkNumber(rule, "eps", eps, number.atLeast0);
  checkNumber(rule, "alpha", alpha, number.under1);
  if (clipNorm !== undefined) checkNumber(rule, "clipNorm", clipNorm, number.atLeast0);
  if (clipValue !== undefined) checkNumber(rule, "clipValue", clipValue, number.atLeast0);
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new TypeError(`${rule}: betas is ${describe(betas)}, expected two numbers such as [0.9, 0.999].`);
  betas.forEach((beta, i) => {
    checkNumber(rule, `betas[${i}]`, beta, number.under1);
  });
  checkFlag(rule, "nesterov", nesterov);
  if (nesterov && momentum === 0)
    throw new RangeError(`${rule}: nesterov needs a momentum above 0, which looks ahead along it. Give momentum: 0.9.`);
  const kept: readonly [number, number] = rule === "rmsprop" ? [0, alpha] : [betas[0], betas[1]];
  return { weightDecay, momentum, nesterov, betas: kept, eps, clipNorm, clipValue };
}

/** The parameters by how errors call them. */
export function parametersOf(rule: UpdateRule, parameters: Parameters): Map<string, Tensor> {
  const fail = (fault: string) => new TypeError(`${rule}: ${fault}`);
  if (typeof parameters !== "object" || parameters === null || parameters instanceof Tensor)
    throw fail(`its parameters are ${describe(parameters)}, expected a list of them, or an object of them by name.`);
  const entries: (readonly [string, unknown])[] =
    Symbol.iterator in parameters
      ? [...(parameters as Iterable<unknown>)].map((p, i) => [`parameter ${i}`, p])
      : Object.entries(parameters).map(([name, p]) => [`parameter "${name}"`, p]);
  if (entries.length === 0) throw fail("there are no parameters to learn.");
  const known = new Map<string, Tensor>();
  const names = new Map<Slot, string>();
  let gpu: Gpu | undefined;
  for (const [name, p] of entries) {
    if (!(p instanceof Tensor)) throw fail(`${name} is ${describe(p)}, expected a parameter. ${hintFor(parameters)}`);
    if (!p.isParameter)
      throw fail(`${name}, ${p}, is no parameter: nothing learns it. Make it with engine.parameter(data, shape).`);
    if (p.slot.released) throw fail(`${name}, ${p}, was disposed.`);
    gpu ??= p.gpu;
    if (p.gpu !== gpu)
      throw fail(`${name} is of another engine than ${entries[0]![0]}. Make an optimizer for each engine.`);
    const before = names.get(p.slot);
    if (before !== undefined) throw fail(`${name} is listed before as ${before}. List each parameter once.`);
    names.set(p.slot, name);
    known.set(name, p);
  }
  return known;
}

const hintFor = (parameters: object) =>
  "parameters" in parameters ? "Did you mean model.parameters()?" : "Make one with engine.parameter(data, shape).";
