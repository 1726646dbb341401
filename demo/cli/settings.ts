import { readFileSync } from "node:fs";
import type { SetName } from "../../src/data/index.ts";
import type { Method } from "../../src/rl/index.ts";

/** A mistake of whoever called the program: one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Everything that decides what a run computes. Kept in its folder as config.json. */
export interface Settings {
  v: 1;
  command: "train" | "learn" | "demo";
  set: Extract<SetName, "start" | "full">;
  /** Labelled examples to begin with. */
  labels: number;
  epochs: number;
  fusion: "concat" | "average" | "weighted";
  seed: number;
  lr: number;
  /** Judgements to ask for, and the accuracy on `validation` at which to stop earlier. */
  judgements: number;
  target: number | null;
  method: Method;
  /** Share of a simulated person's judgements that are wrong. */
  noise: number;
  /** Whether a person judges in the terminal, instead of a simulated one. */
  human: boolean;
  software: boolean;
  /** What the curve of a run is measured on. A study may look at strangers; nothing is chosen by what it sees. */
  look?: Extract<SetName, "validation" | "test-strangers">;
}

/** What a command does unless told otherwise. */
export const commands = {
  train: { set: "full", judgements: 0 },
  learn: { set: "start", judgements: 1000 },
  demo: { set: "start", judgements: 1000 },
} as const;

/** The labels that a set has, and how often training passes over them. */
export const sets = {
  start: { labels: 300, epochs: 40 },
  full: { labels: 6000, epochs: 15 },
} as const;

/** Text to a whole number in a range. @throws UsageError naming the option. */
export const wholeNumber =
  (option: string, least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !Number.isInteger(n) || n < least || n > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new UsageError(`${option} is "${text}", expected a whole number ${range}.`);
    }
    return n;
  };

/** Text to a number in a range. @throws UsageError naming the option. */
export const fraction =
  (option: string, least: number, most: number) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !(n >= least && n <= most))
      throw new UsageError(`${option} is "${text}", expected a number from ${least} to ${most}.`);
    return n;
  };

/** The settings of an earlier run. @throws UsageError where the file is none. */
export function readSettings(file: string): Settings {
  let settings: Partial<Settings>;
  try {
    settings = JSON.parse(readFileSync(file, "utf8")) as Partial<Settings>;
  } catch {
    throw new UsageError(`${file} is missing or not JSON: this is not the folder of a run.`);
  }
  if (settings?.v !== 1 || typeof settings.seed !== "number" || typeof settings.set !== "string") {
    throw new UsageError(`${file} is not of this program, or of another version of it.`);
  }
  return settings as Settings;
}
