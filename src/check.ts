/*
 * What every room checks at its doors: that an options object has no name it does not know, and that a number is one that
 * can be meant. An error names the operation, what was found, what was expected and, where it can, what to do.
 */

/** The names of an options type, each once: the compiler refuses a list that lacks one of them or has one too many. */
export type Known<Options> = Readonly<Record<keyof Options, true>>;

/** Names of other engines for what is called otherwise here. */
const ELSEWHERE: Readonly<Record<string, string>> = { dim: "axis", dims: "axis", learningRate: "lr" };

/**
 * Refuses options that are no object, and names that `operation` does not know. Undefined stands for no options.
 *
 * @throws TypeError that suggests the nearest known name.
 * @example checkOptions("avgPool2d", options, { kernelSize: true, stride: true });
 */
export function checkOptions<Options extends object>(
  operation: string,
  options: Options | undefined,
  known: Known<Options>,
): void {
  if (options === undefined) return;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const names = Object.keys(known);
    throw new TypeError(
      `${operation}: its options are ${describe(options)}, expected an object${names.length ? ` such as { ${names[0]}: … }` : ""}.`,
    );
  }
  for (const name in options) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const meant = nearest(name, names);
    throw new TypeError(
      `${operation}: there is no option "${name}". ${meant ? `Did you mean ${meant}?` : `It takes ${names.length ? names.join(", ") : "none"}.`}`,
    );
  }
}

/** The name of `names` that somebody who wrote `name` may have meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const camel = name.replace(/[_-]+(\w)/g, (_, letter: string) => letter.toUpperCase());
  const elsewhere = Object.hasOwn(ELSEWHERE, camel) ? ELSEWHERE[camel]! : camel;
  if (names.includes(elsewhere)) return elsewhere;
  const plain = elsewhere.toLowerCase();
  let best: string | undefined;
  let shortest = Math.max(2, Math.floor(plain.length / 3)) + 1;
  for (const known of names) {
    const other = known.toLowerCase();
    const begins = plain.length > 2 && (other.startsWith(plain) || plain.startsWith(other));
    const steps = begins ? 1 : distance(plain, other);
    if (steps < shortest) [best, shortest] = [known, steps];
  }
  return best;
}

/** How many letters must be changed, added or taken away (Levenshtein 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[b.length]!;
}

/** What a number must be, and how an error says it. */
export interface NumberRule {
  /** Whether a number keeps the rule. */
  readonly holds: (x: number) => boolean;
  /** What errors say was expected. */
  readonly expected: string;
}

/** The rules of `number` by name. */
export type NumberRuleName =
  | "finite"
  | "float"
  | "floatAtLeast0"
  | "atLeast0"
  | "positive"
  | "share"
  | "under1"
  | "bound"
  | "any"
  | "underHalf"
  | "whole"
  | "i32"
  | "u32"
  | "wholeAtLeast0"
  | "wholeAtLeast1";

/** The rules for numbers, in one place. NaN and ±∞ hold for none of them unless they say so. */
export const number: Readonly<Record<NumberRuleName, NumberRule>> = {
  finite: { holds: Number.isFinite, expected: "a finite number" },
  /** What is finite as a number of 32 bits too. */
  float: { holds: (x) => Number.isFinite(Math.fround(x)), expected: "a finite number that 32 bits hold" },
  floatAtLeast0: {
    holds: (x) => x >= 0 && Number.isFinite(Math.fround(x)),
    expected: "a finite number of at least 0 that 32 bits hold",
  },
  atLeast0: { holds: (x) => x >= 0 && x < Infinity, expected: "a finite number of at least 0" },
  positive: { holds: (x) => x > 0 && x < Infinity, expected: "a finite number above 0" },
  /** Shares that may be all. */
  share: { holds: (x) => x >= 0 && x <= 1, expected: "a number from 0 to 1" },
  /** Shares that may not be all: what is kept of a moving average, what is dropped. */
  under1: { holds: (x) => x >= 0 && x < 1, expected: "a number of at least 0 and under 1" },
  /** Bounds: any number that can be compared. */
  bound: { holds: (x) => !Number.isNaN(x), expected: "a number, which may be infinite" },
  /** What is stored as it is: NaN and ±∞ too. */
  any: { holds: () => true, expected: "a number" },
  underHalf: { holds: (x) => x >= 0 && x < 0.5, expected: "a number of at least 0 and under 0.5" },
  whole: { holds: Number.isSafeInteger, expected: "a whole number" },
  /** What a tensor of whole numbers can hold. */
  i32: { holds: (x) => (x | 0) === x, expected: "a whole number from -2147483648 to 2147483647" },
  u32: { holds: (x) => x >>> 0 === x, expected: "a whole number from 0 to 4294967295" },
  wholeAtLeast0: { holds: (x) => Number.isSafeInteger(x) && x >= 0, expected: "a whole number of at least 0" },
  wholeAtLeast1: { holds: (x) => Number.isSafeInteger(x) && x >= 1, expected: "a whole number of at least 1" },
};

/** A place in a list of n: an action, a class, a label. */
export const placeIn = (n: number): NumberRule => ({
  holds: (x) => Number.isInteger(x) && x >= 0 && x < n,
  expected: `a whole number from 0 to ${n - 1}`,
});

/**
 * Refuses what is no number or breaks the rule. Nothing is converted: "1", null and true are no numbers.
 *
 * @throws RangeError (TypeError where it is no number at all) that names the operation, the value and the rule.
 * @example checkNumber("adam", "lr", options.lr, number.atLeast0);
 */
export function checkNumber(
  operation: string,
  what: string,
  value: unknown,
  rule: NumberRule,
): asserts value is number {
  if (typeof value === "number" && rule.holds(value)) return;
  const text = `${operation}: ${what} is ${describe(value)}, expected ${rule.expected}.`;
  throw typeof value === "number" ? new RangeError(text) : new TypeError(text);
}

/**
 * Refuses what is none of the listed names.
 *
 * @throws TypeError that lists them, or suggests the nearest.
 */
export function checkName<Name extends string>(
  operation: string,
  what: string,
  value: unknown,
  names: readonly Name[],
): asserts value is Name {
  if (typeof value === "string" && (names as readonly string[]).includes(value)) return;
  const meant = typeof value === "string" ? nearest(value, names) : undefined;
  throw new TypeError(
    `${operation}: ${what} is ${describe(value)}, expected one of ${names.join(", ")}.${meant ? ` Did you mean "${meant}"?` : ""}`,
  );
}

/** Refuses what is neither true nor false. Undefined stands for the default. */
export function checkFlag(operation: string, what: string, value: unknown): asserts value is boolean | undefined {
  if (value === undefined || typeof value === "boolean") return;
  throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected true or false.`);
}

/**
 * Refuses what is not a list: strings, numbers, objects that are something else.
 *
 * @param expected what an error asks for, such as "an array of sizes".
 */
export function checkList(
  operation: string,
  what: string,
  value: unknown,
  expected: string,
): asserts value is ArrayLike<unknown> {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return;
  throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected ${expected}.`);
}

/** Refuses what is no typed array of one kind: of others the bits or the digits would be lost. Arrays of other windows are known by name. */
export function checkArray(operation: string, what: string, value: unknown, kind: "Uint8Array" | "Float32Array"): void {
  if (Object.prototype.toString.call(value) === `[object ${kind}]`) return;
  const found = ArrayBuffer.isView(value) ? `a ${value.constructor.name}` : describe(value);
  const hint = value instanceof ArrayBuffer ? `: new ${kind}(buffer)` : "";
  throw new TypeError(`${operation}: ${what} is ${found}, expected a ${kind}${hint}.`);
}

/** Refuses what is no text, or an empty one: names of judges, examples, models. */
export function checkText(operation: string, what: string, value: unknown): asserts value is string {
  if (typeof value === "string" && value !== "") return;
  throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected a text that is not empty.`);
}

/** Refuses what is no object: nothing at all, numbers, texts, lists. `expected` says of what kind it is to be. */
export function checkObject(
  operation: string,
  what: string,
  value: unknown,
  expected: string,
): asserts value is object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected ${expected}.`);
}

/** Refuses what cannot be called. `expected` says of what such a function is. */
export function checkFunction(operation: string, what: string, value: unknown, expected = "a function"): void {
  if (typeof value !== "function")
    throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected ${expected}.`);
}

/** Refuses what cannot be gone through, and texts, whose letters nobody means. Nothing is taken of it yet. */
export function checkIterable(operation: string, what: string, value: unknown): void {
  const isIterable =
    typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
  if (!isIterable)
    throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected an array or a generator.`);
}

/** All that an array, a set or a generator gives, as a list. Texts and plain objects are none. */
export function listOf<T>(operation: string, what: string, value: Iterable<T>, expected: string): readonly T[] {
  if (Array.isArray(value)) return value;
  const isList = typeof value === "object" && value !== null && typeof value[Symbol.iterator] === "function";
  if (!isList) throw new TypeError(`${operation}: ${what} is ${describe(value)}, expected ${expected}.`);
  return [...value];
}

/** Refuses metadata of a file that are not texts by name: a number written among them makes a file that nobody reads. */
export function checkMetadata(operation: string, metadata: Readonly<Record<string, unknown>>): void {
  if (!isPlainObject(metadata))
    throw new TypeError(`${operation}: metadata is ${describe(metadata)}, expected an object of texts by name.`);
  for (const [name, text] of Object.entries(metadata))
    if (typeof text !== "string")
      throw new TypeError(
        `${operation}: metadata.${name} is ${describe(text)}, expected a text. Give String(…) of it.`,
      );
}

/**
 * A copy as whole numbers of 32 bits, which labels, ids, lengths and the like are. Nothing is rounded, cut or wrapped
 * round.
 *
 * @throws RangeError (TypeError where it is no number at all) that names the first value that is none.
 */
export function wholeNumbers(
  operation: string,
  what: string,
  data: ArrayLike<unknown>,
  type: "i32" | "u32",
): Int32Array | Uint32Array {
  const [Kind, rule] = type === "i32" ? [Int32Array, number.i32] : [Uint32Array, number.u32];
  if (!(data instanceof Kind))
    for (let i = 0; i < data.length; i++) {
      const value = data[i];
      if (typeof value !== "number" || !rule.holds(value)) checkNumber(operation, `${what}[${i}]`, value, rule);
    }
  return new Kind(data as ArrayLike<number>);
}

/**
 * A copy as numbers of 32 bits with a point, NaN and ±∞ among them. Text, nested arrays and gaps are no numbers.
 *
 * @throws TypeError that names the first value that is none.
 */
export function floats(operation: string, what: string, data: ArrayLike<unknown>): Float32Array {
  const typed = ArrayBuffer.isView(data) && !(data instanceof BigInt64Array || data instanceof BigUint64Array);
  if (!typed)
    for (let i = 0; i < data.length; i++) {
      const value = data[i];
      if (typeof value === "number") continue;
      const hint = Array.isArray(value)
        ? " Give nested numbers as one list, data.flat(Infinity), and their shape."
        : "";
      throw new TypeError(`${operation}: ${what}[${i}] is ${describe(value)}, expected a number.${hint}`);
    }
  return new Float32Array(data as ArrayLike<number>);
}

/** Whether `x` is written as `{ … }`, rather than made by a class. */
export function isPlainObject(x: unknown): x is object {
  if (typeof x !== "object" || x === null) return false;
  const prototype = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

/** A value in an error's words, short. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 39)}…` : value);
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return `an array`;
    return value.constructor?.name && value.constructor !== Object ? `a ${value.constructor.name}` : "an object";
  }
  return typeof value === "bigint" ? `${value}n` : String(value);
}
