import { checkList, checkNumber, describe, number } from "../check.ts";
import type { UpdateRule } from "../kernels/optimizer.ts";

/** What an optimizer remembers, to resume a run exactly: the steps taken and its moving averages. */
export interface OptimizerState {
  /** Updates so far, t in Adam's bias correction. */
  steps: number;
  /** The moving averages of gradients, or the momentum: all parameters one after another, each padded to a multiple of 64 numbers. */
  m: Float32Array;
  /** The moving averages of their squares, laid out alike; undefined for `sgd`. */
  v: Float32Array | undefined;
  /** Whose state it is: another optimizer refuses it. Undefined in what version 0.1 wrote. */
  rule?: UpdateRule | undefined;
  /** How many numbers each parameter holds: an optimizer of others refuses it. Undefined in what version 0.1 wrote. */
  sizes?: readonly number[] | undefined;
}

/** What an optimizer's state must be like. */
interface Expected {
  readonly rule: UpdateRule;
  /** How many numbers each parameter holds. */
  readonly sizes: readonly number[];
  /** How many numbers a moving average holds. */
  readonly length: number;
  /** Whether there is a moving average of squares. */
  readonly hasSquares: boolean;
}

/** @throws TypeError, RangeError where it is the state of another rule or other parameters, or holds what cannot be. */
export function checkState(state: OptimizerState, own: Expected): void {
  const operation = "optimizer.restore";
  if (typeof state !== "object" || state === null)
    throw new TypeError(`${operation}: this is ${describe(state)}, expected what optimizer.state() gave.`);
  const { steps, m, v, rule, sizes } = state;
  const fail = (fault: string) => new RangeError(`${operation}: ${fault}`);
  if (rule !== undefined && rule !== own.rule)
    throw fail(`the state is of ${describe(rule)}, this optimizer is "${own.rule}".`);
  if (sizes !== undefined) {
    checkList(operation, "sizes", sizes, "a list of how many numbers each parameter holds");
    for (const [i, size] of sizes.entries()) checkNumber(operation, `sizes[${i}]`, size, number.wholeAtLeast0);
    if (String(sizes) !== String(own.sizes))
      throw fail(
        `the state is of parameters of ${short(sizes)} numbers, this optimizer's hold ${short(own.sizes)}: another model's, or in another order?`,
      );
  }
  checkNumber(operation, "steps", steps, number.wholeAtLeast0);
  for (const [name, found, isKept] of [["m", m, true] as const, ["v", v, own.hasSquares] as const]) {
    if (!isKept) {
      if (found !== undefined) throw fail(`the state has ${name}, which ${own.rule} has not: another rule's?`);
      continue;
    }
    if (!(found instanceof Float32Array))
      throw new TypeError(`${operation}: ${name} is ${describe(found)}, expected a Float32Array.`);
    if (found.length !== own.length)
      throw fail(
        `${name} holds ${found.length} numbers, this optimizer's ${own.length}: another model's, or another rule's?`,
      );
    const wrong = found.findIndex((x) => !Number.isFinite(x) || (name === "v" && x < 0));
    if (wrong >= 0)
      checkNumber(operation, `${name}[${wrong}]`, found[wrong], name === "v" ? number.atLeast0 : number.finite);
  }
}

const short = (sizes: readonly number[]) => `${sizes.slice(0, 8).join(", ")}${sizes.length > 8 ? ", …" : ""}`;
