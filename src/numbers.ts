/*
 * What every room does with lists of any length. `Math.max(...list)` and `list.push(...more)` put each number on the stack,
 * and fail at some hundred thousand.
 */

import { checkIterable, checkNumber, describe, number } from "./check.ts";

/** The largest; NaN where there is one, −∞ of nothing, as of `Math.max`. */
export function largest(list: Iterable<number>): number {
  checkIterable("largest", "the list", list);
  let found = -Infinity;
  for (const x of list) {
    if (typeof x !== "number") checkNumber("largest", "an item", x, number.any);
    found = Math.max(found, x);
  }
  return found;
}

/** The smallest; NaN where there is one, ∞ of nothing, as of `Math.min`. */
export function smallest(list: Iterable<number>): number {
  checkIterable("smallest", "the list", list);
  let found = Infinity;
  for (const x of list) {
    if (typeof x !== "number") checkNumber("smallest", "an item", x, number.any);
    found = Math.min(found, x);
  }
  return found;
}

/**
 * The sum of what `of` makes of each, of a list of any length, with what rounding lost added at the end (Neumaier 1974):
 * its error does not grow with the list.
 */
export function total<T = number>(list: ArrayLike<T>, of: (x: T, i: number) => number = Number): number {
  let [sum, lost] = [0, 0];
  for (let i = 0; i < list.length; i++) {
    const x = of(list[i]!, i);
    const next = sum + x;
    // Of NaN and infinities nothing is lost: they are the sum.
    if (Number.isFinite(next)) lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}

/**
 * Puts all of `more` behind `list`.
 *
 * @throws TypeError where one of them is no list; nothing is put then.
 */
export function append<T>(list: T[], more: Iterable<T>): void {
  if (!Array.isArray(list)) throw new TypeError(`append: the list is ${describe(list)}, expected an array.`);
  checkIterable("append", "what to append", more);
  // A copy where both are one list, which would grow for ever.
  for (const item of (more as unknown) === list ? list.slice() : more) list.push(item);
}

/** Bytes as the text that has these codes: the marks in files' heads. */
export function textOfCodes(bytes: Iterable<number>): string {
  let text = "";
  for (const code of bytes) text += String.fromCharCode(code);
  return text;
}
