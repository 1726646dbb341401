import type { FeedbackLog, Judgement, Preference } from "handgrad/rl";

/** How a right answer that a person gave beside a rejection stands in the log. */
const CORRECTION = "correction";

/** Whether a judgement is the right answer that came with a rejection. */
export const isCorrection = (record: Judgement | Preference): boolean => record.acquisition === CORRECTION;

/** Stores, with the rejection of an answer, the right one that the person named: both, or neither. */
export class Corrections {
  /** The log, for whoever writes the rejections. */
  readonly log: FeedbackLog;
  /** The right answer to an example, while the rejection of the network's is being stored. */
  readonly #labels = new Map<string, number>();

  constructor(log: FeedbackLog) {
    this.log = {
      ...log,
      append: async (record) => {
        const label = record.kind === "judgement" ? this.#labels.get(record.example) : undefined;
        await log.appendAll(label === undefined ? [record] : [record, correctionOf(record as Judgement, label)]);
      },
    };
  }

  /** Stores a judgement of this example by `judge`, and the right label with it where there is one. */
  async store(example: string, label: number | undefined, judge: () => Promise<unknown>): Promise<void> {
    if (label !== undefined) this.#labels.set(example, label);
    try {
      await judge();
    } finally {
      this.#labels.delete(example);
    }
  }
}

/** The right answer, as one more judgement: approval of the label that the person named. */
function correctionOf(judgement: Judgement, label: number): Judgement {
  return {
    ...judgement,
    id: `${judgement.id} corrected`,
    action: label,
    // It was not drawn at all; what the policy would have drawn it with is the nearest true thing.
    propensity: Math.max(judgement.probabilities[label]!, 1e-6),
    acquisition: CORRECTION,
    inclusionProbability: null,
    reward: 1,
  };
}
