import { readFileSync } from "node:fs";
import { describe, type NumberRule, nearest, number } from "handgrad/check";
import { algorithms, type Method } from "handgrad/rl";
import type { NetworkVersion } from "../learner/learner.ts";
import type { SetName } from "../tridigits/tridigits.ts";
import { upgradedSettings } from "./upgrade.ts";

/** A mistake of whoever called the program: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Everything that decides what a run computes. Kept in its folder as config.json. */
export interface Settings {
  v: 2;
  command: "train" | "learn" | "demo";
  set: Extract<SetName, "start" | "full">;
  /** Labeled examples to begin with. */
  labels: number;
  epochs: number;
  fusion: "concat" | "average" | "weighted";
  /** Which of the demo's networks. */
  network: NetworkVersion;
  seed: number;
  lr: number;
  /** Judgements to ask for, and the accuracy on `validation` at which to stop earlier. */
  judgements: number;
  target: number | null;
  method: Method;
  /** Share of a simulated person's judgements that are wrong. */
  labelNoise: number;
  /** Whether a person judges in the terminal, instead of a simulated one. */
  human: boolean;
  software: boolean;
  /** What the curve of a run is measured on. A study may look at unseen; nothing is chosen by what it sees. */
  validateOn?: Extract<SetName, "validation" | "test-unseen">;
}

/** What a command does unless told otherwise. */
export const commands = {
  train: { set: "full", judgements: 0 },
  learn: { set: "start", judgements: 1000 },
  demo: { set: "start", judgements: 240 },
} as const;

/** The labels that a set has, and how often training passes over them. */
export const sets = {
  start: { labels: 300, epochs: 25 },
  full: { labels: 6000, epochs: 15 },
} as const;

/** A path as it is, where there is one: of a variable that a shell does not know it is empty. @throws UsageError naming the option. */
export const filePath =
  (option: string) =>
  (text: string): string => {
    if (text === "") throw new UsageError(`${option} is empty, expected a path. Is a variable of your shell unset?`);
    return text;
  };

/** Text to a whole number in a range. @throws UsageError naming the option. */
export const wholeNumber =
  (option: string, lowest: number, highest: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !Number.isInteger(n) || n < lowest || n > highest) {
      const range = highest === Number.MAX_SAFE_INTEGER ? `of at least ${lowest}` : `from ${lowest} to ${highest}`;
      throw new UsageError(`${option} is "${text}", expected a whole number ${range}.`);
    }
    return n;
  };

/** Text to a number in a range. @throws UsageError naming the option. */
export const fraction =
  (option: string, lowest: number, highest: number) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !(n >= lowest && n <= highest))
      throw new UsageError(`${option} is "${text}", expected a number from ${lowest} to ${highest}.`);
    return n;
  };

/** The learning methods of a run. Here each example is asked about once: those that need several answers to one are left out. */
export const methodsHere = algorithms.filter(({ groups }) => !groups).map(({ name }) => name);
export const fusions = ["concat", "average", "weighted"] as const;
export const validationSets = ["validation", "test-unseen"] as const;
const setNames = ["start", "full"] as const;

const isOneOf = (names: readonly unknown[]): OptionRule => ({
  holds: (x) => names.includes(x),
  expected: `one of ${names.join(", ")}`,
});
const isNumber = ({ holds, expected }: NumberRule): OptionRule => ({
  holds: (x) => typeof x === "number" && holds(x),
  expected,
});
const isWhole = (most: number): OptionRule => ({
  holds: (x) => Number.isInteger(x) && (x as number) >= 0 && (x as number) <= most,
  expected: `a whole number from 0 to ${most}`,
});
const isSwitch: OptionRule = { holds: (x) => typeof x === "boolean", expected: "true or false" };

interface OptionRule {
  holds(x: unknown): boolean;
  readonly expected: string;
}

/** What each field of config.json must be. `validateOn` may be left out. */
const rules: Readonly<Record<keyof Settings, OptionRule>> = {
  v: isOneOf([2]),
  command: isOneOf(["train", "learn", "demo"]),
  set: isOneOf(setNames),
  labels: isWhole(6000),
  epochs: isWhole(10_000),
  fusion: isOneOf(fusions),
  network: isOneOf([1, 2]),
  seed: isNumber(number.wholeAtLeast0),
  lr: isNumber(number.share),
  judgements: isWhole(5700),
  target: {
    holds: (x) => x === null || (typeof x === "number" && number.share.holds(x)),
    expected: "null or a number from 0 to 1",
  },
  method: isOneOf(methodsHere),
  labelNoise: isNumber(number.share),
  human: isSwitch,
  software: isSwitch,
  validateOn: {
    holds: (x) => x === undefined || isOneOf(validationSets).holds(x),
    expected: isOneOf(validationSets).expected,
  },
};

/** The settings of an earlier run, each of them checked. @throws UsageError that names the file and the field. */
export function readSettings(file: string): Settings {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${(error as Error).message}): this is not the folder of a run.`);
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON: this is not the folder of a run.`);
  }
  if (typeof found !== "object" || found === null || Array.isArray(found))
    throw new UsageError(`${file} holds ${describe(found)}, expected the settings of a run.`);
  const settings = upgradedSettings(found as Record<string, unknown>);
  if (settings.v !== 2) throw new UsageError(`${file} is not of this program, or of another version of it.`);
  for (const name of Object.keys(settings)) {
    if (Object.hasOwn(rules, name)) continue;
    const meant = nearest(name, Object.keys(rules));
    throw new UsageError(`${file}: there is no setting "${name}".${meant ? ` Did you mean ${meant}?` : ""}`);
  }
  for (const [name, { holds, expected }] of Object.entries(rules)) {
    const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (!holds(value))
      throw new UsageError(
        `${file}: ${name} is ${value === undefined ? "missing" : describe(value)}, expected ${expected}.`,
      );
  }
  // Every setting was checked above.
  const whole = settings as unknown as Settings;
  checkLabels(whole, `${file}: labels`);
  return whole;
}

/** @throws UsageError where a set has fewer labels. */
export function checkLabels({ set, labels }: Pick<Settings, "set" | "labels">, what: string): void {
  if (labels > sets[set].labels)
    throw new UsageError(`${what} is ${labels}, but the set "${set}" has ${sets[set].labels}.`);
}
