import { checkList, checkNumber, describe, type NumberRule } from "../check.ts";
import { total } from "../numbers.ts";

/* What this room's functions are given more than once: looked at before anything is computed of it. */

/** How far from 1 the sum of probabilities may be: a softmax in 32-bit floats over many actions does not sum to 1 exactly. */
export const ROUNDING = 1e-3;

/** What rounding leaves over 1 of one that was divided by a sum is let pass. */
const CHANCE: NumberRule = { holds: (x) => x >= 0 && x <= 1 + 1e-6, expected: "a number from 0 to 1" };

/**
 * Refuses what is no list of probabilities that sum to 1.
 *
 * @param n how many there must be, where that is known.
 */
export function checkProbabilities(
  operation: string,
  what: string,
  p: unknown,
  n?: number,
): asserts p is ArrayLike<number> {
  checkList(operation, what, p, "a list of probabilities");
  if (n !== undefined && p.length !== n)
    throw new RangeError(`${operation}: ${what} are ${p.length} probabilities, expected ${n}: one for each action.`);
  for (let i = 0; i < p.length; i++) {
    const x = p[i];
    if (typeof x !== "number" || !CHANCE.holds(x)) checkNumber(operation, `${what}[${i}]`, x, CHANCE);
  }
  const sum = total(p as ArrayLike<number>);
  if (!(Math.abs(sum - 1) <= ROUNDING))
    throw new RangeError(
      `${operation}: ${what} sum to ${sum}, expected 1.${p.length === 0 ? " There are none." : " Did you mean softmax of these numbers?"}`,
    );
}

/** Refuses what is no object, such as an example, a row or a rating that is missing. */
export function checkObject(operation: string, what: string, value: unknown, expected: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected ${expected}.`);
}
