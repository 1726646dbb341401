import { Random } from "../data/random.ts";

/** How a simulated person judges. */
export interface SimulatedPersonOptions {
  readonly seed: number | string;
  /**
   * Share of judgements, 0 to 1, that say the opposite of what this person would have said: accuracy is 1 − noise.
   * Default 0.
   */
  readonly noise?: number;
  /**
   * By how much `noise` grows with every 1,000 questions, as of one who tires; negative of one who learns. It stays
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

export type SimulatedAnswer = ({ readonly reward: 1 | -1 } | { readonly skip: true }) & {
  /** How many further questions are asked before this answer arrives; only where `delay` was set. */
  readonly late?: number;
};

/** Stands in for a person in tests and benchmarks. It knows the right label, and is always called simulated. */
export interface SimulatedPerson {
  readonly name: string;
  /** Judges an action (a label) that was proposed for an example. */
  judge(example: { readonly id: string | number; readonly label: number }, action: number): SimulatedAnswer;
}

/**
 * A simulated person. The answer depends on the seed, the example's id, the action and how often this example was
 * asked about before, and not on the order of the examples: two runs that ask differently can still be compared. With
 * `drift` it depends on how many questions came before as well.
 *
 * @throws RangeError if a setting is out of its range.
 */
export function simulatedPerson(options: SimulatedPersonOptions): SimulatedPerson {
  const { seed, noise = 0, drift = 0, laziness = 0, delay = 0, bias = 0 } = options;
  share("noise", noise, 0);
  share("laziness", laziness, 0);
  share("bias", bias, -1);
  if (!Number.isFinite(drift)) {
    throw new RangeError(`simulatedPerson: drift is a change of the noise per 1,000 questions, is ${drift}`);
  }
  if (!Number.isInteger(delay) || delay < 0) {
    throw new RangeError(`simulatedPerson: delay must be a whole number of questions, 0 or more, is ${delay}`);
  }
  const timesAsked = new Map<string, number>();
  let questions = 0;
  const settings = Object.entries({ noise, drift, laziness, delay, bias }).filter(([, value]) => value !== 0);
  const suffix = settings.length === 0 ? "" : ` (${settings.map((setting) => setting.join(" ")).join(", ")})`;

  return {
    name: `simulated person ${seed}${suffix}`,
    judge(example, action) {
      const id = String(example.id);
      const count = timesAsked.get(id) ?? 0;
      timesAsked.set(id, count + 1);
      const mistaken = noise + (drift * questions) / 1000;
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

function share(name: string, value: number, low: number): void {
  if (!(value >= low && value <= 1)) {
    throw new RangeError(`simulatedPerson: ${name} is a share from ${low} to 1, is ${value}`);
  }
}
