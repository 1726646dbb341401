import { checkNumber, checkOptions, describe, type Known, type NumberRule, number } from "../check.ts";
import { Random } from "../data/random.ts";
import { checkObject } from "./check.ts";

/** How a simulated person judges. */
export interface SimulatedPersonOptions {
  /** Of its errors, skips and delays. */
  readonly seed: number | string;
  /**
   * Share of judgements, 0 to 1, that say the opposite of what this person would have said: accuracy is 1 − labelNoise.
   * Default 0.
   */
  readonly labelNoise?: number;
  /**
   * By how much `labelNoise` grows with every 1,000 questions, as of one who tires; negative of one who learns. It stays
   * between 0 and 1. Default 0.
   */
  readonly drift?: number;
  /** Share of questions, 0 to 1, that are skipped. Default 0. */
  readonly laziness?: number;
  /**
   * The most questions by which an answer may come late. Each answer draws its `late` from 0 to this, all alike.
   * Counted in questions and not in seconds, so that a run can be repeated exactly. Default 0.
   */
  readonly delay?: number;
  /** Share of judgements given without looking, -1 to 1: always approval if positive, disapproval if negative. */
  readonly bias?: number;
}

/** What a simulated person says: right (1), wrong (-1), or a skip. */
export type SimulatedAnswer = (
  | {
      /** 1: right; -1: wrong. */
      readonly reward: 1 | -1;
    }
  | {
      /** No judgement. */
      readonly skip: true;
    }
) & {
  /** How many further questions are asked before this answer arrives; only where `delay` was set. */
  readonly late?: number;
};

/** Stands in for a person in tests and benchmarks, and knows the right label. Always called simulated. */
export interface SimulatedPerson {
  /** Its name in the log: it begins with "simulated" and lists the settings. */
  readonly name: string;
  /** Judges an action (a label) that was proposed for an example. */
  judge(example: { readonly id: string | number; readonly label: number }, action: number): SimulatedAnswer;
}

/**
 * A simulated person. The answer depends on the seed, the example's id, the action and how often this example was
 * asked about before, not on the order of the examples: two runs that ask differently can still be compared. With
 * `drift` it depends on how many questions came before as well.
 *
 * @param options seed, label noise, drift, laziness, delay and bias.
 * @returns the person; each call of `judge` counts as a question.
 * @throws TypeError or RangeError naming the setting that is not known, or cannot be.
 * @example const person = simulatedPerson({ seed: 1, labelNoise: 0.1 });
 */
export function simulatedPerson(options: SimulatedPersonOptions): SimulatedPerson {
  if (options === undefined) throw new TypeError("simulatedPerson: there are no options, expected { seed } at least.");
  checkOptions("simulatedPerson", options, KNOWN);
  const { seed, labelNoise = 0, drift = 0, laziness = 0, delay = 0, bias = 0 } = options;
  if (typeof seed !== "string") checkNumber("simulatedPerson", "seed", seed, number.finite);
  checkNumber("simulatedPerson", "labelNoise", labelNoise, number.share);
  checkNumber("simulatedPerson", "laziness", laziness, number.share);
  checkNumber("simulatedPerson", "bias", bias, LEANING);
  checkNumber("simulatedPerson", "drift", drift, number.finite);
  checkNumber("simulatedPerson", "delay", delay, number.wholeAtLeast0);
  const timesAsked = new Map<string, number>();
  let questions = 0;
  const settings = Object.entries({ noise: labelNoise, drift, laziness, delay, bias }).filter(
    ([, value]) => value !== 0,
  );
  const suffix = settings.length === 0 ? "" : ` (${settings.map((setting) => setting.join(" ")).join(", ")})`;

  return {
    name: `simulated person ${seed}${suffix}`,
    judge(example, action) {
      const id = idOf(example);
      checkNumber("simulatedPerson.judge", "action", action, number.wholeAtLeast0);
      const count = timesAsked.get(id) ?? 0;
      timesAsked.set(id, count + 1);
      const mistaken = labelNoise + (drift * questions) / 1000;
      questions += 1;
      const random = new Random("simulated person", seed, id, count);
      // Every number is drawn every time: changing one setting must not change the luck of another.
      const [lazy, blind, wrong, late] = [random.uniform(), random.uniform(), random.uniform(), random.uniform()];
      const when = delay === 0 ? {} : { late: Math.floor(late * (delay + 1)) };
      if (lazy < laziness) return { skip: true, ...when };
      let approves = blind < Math.abs(bias) ? bias > 0 : action === example.label;
      if (wrong < mistaken) approves = !approves;
      return { reward: approves ? 1 : -1, ...when };
    },
  };
}

const KNOWN: Known<SimulatedPersonOptions> = {
  seed: true,
  labelNoise: true,
  drift: true,
  laziness: true,
  delay: true,
  bias: true,
};

const LEANING: NumberRule = { holds: (x) => x >= -1 && x <= 1, expected: "a number from -1 to 1" };

/** The example's id as text, once it was seen that its label can be judged by. */
function idOf(example: { readonly id: string | number; readonly label: number }): string {
  const operation = "simulatedPerson.judge";
  checkObject(operation, "the example", example, "{ id, label }");
  const { id, label } = example;
  if (typeof id !== "number" && (typeof id !== "string" || id === ""))
    throw new TypeError(`${operation}: the example's id is ${describe(id)}, expected a text or a number.`);
  if (typeof id === "number") checkNumber(operation, "the example's id", id, number.finite);
  checkNumber(operation, `the label of example ${id}`, label, number.wholeAtLeast0);
  return String(id);
}
