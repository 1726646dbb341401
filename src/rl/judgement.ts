/**
 * What people said, as records of an append-only log: one JSON object a line (JSON Lines, UTF-8).
 *
 * A record holds everything that is needed to learn from it later, without the process that wrote it. Nothing is ever
 * changed: an undo is one more record, a `Retraction`.
 */

/** What every answer of a person says about the question. */
interface Asked {
  /** Version of the record's form. */
  readonly v: 3;
  /** Unique among all records of a log, and among all logs that are ever merged. */
  readonly id: string;
  /** When the person answered, ISO 8601 with its zone, such as `2025-01-31T12:00:00.000Z`; written in UTC. */
  readonly time: string;
  /** The run of the program that asked. */
  readonly session: string;
  /** Who answered. */
  readonly judge: string;
  /** Id of the example that was shown. */
  readonly example: string;
  /** Hash of the example's data, so that a changed data set is noticed. */
  readonly inputHash: string;
  /** The policy's probability of every action, [A], summing to 1. */
  readonly probabilities: readonly number[];
  /**
   * Probability, over 0 and at most 1, with which the action was really drawn: `probabilities[action]` for a sample of
   * the policy, something else where exploration was mixed in or the argmax was taken. Of a preference: with
   * which these two actions were put side by side.
   */
  readonly propensity: number;
  /** How the example was chosen: `"uniform"`, `"entropy, floor 0.1"`, … */
  readonly acquisition: string;
  /** Probability, over 0 and at most 1, with which this example came to be asked about; `null` where nobody knows. */
  readonly inclusionProbability: number | null;
  /** Hash of the weights that proposed the action. */
  readonly model: string;
  /** Milliseconds between showing and answering. */
  readonly reactionMs: number;
  /** Seed of the run. */
  readonly seed: number;
  /** What it was asked for. Judgements for evaluation are never learned from. */
  readonly purpose: Purpose;
}

/** What a judgement is for: those for evaluation are never learned from. */
export type Purpose = "training" | "evaluation";

/** One answer of one person about one action of the network. */
export interface Judgement extends Asked {
  /** Tells it from the other records. */
  readonly kind: "judgement";
  /** The label that the network proposed, an index into `probabilities`. */
  readonly action: number;
  /** From -1 (wrong) to 1 (right); `null` where the person skipped. */
  readonly reward: number | null;
}

/** One answer of one person about which of two actions is the better one. */
export interface Preference extends Asked {
  /** Tells it from the other records. */
  readonly kind: "preference";
  /** The better action, an index into `probabilities`. */
  readonly preferred: number;
  /** The other action that was shown. */
  readonly rejected: number;
}

/** Takes one judgement or preference back. */
export interface Retraction {
  /** Version of the record's form. */
  readonly v: 3;
  /** Tells it from the other records. */
  readonly kind: "retraction";
  /** Unique among all records of a log. */
  readonly id: string;
  /** Id of what no longer counts. */
  readonly retracts: string;
  /** When it was taken back, ISO 8601 with its zone. */
  readonly time: string;
  /** Who took it back. */
  readonly judge: string;
}

/** One line of a feedback log. */
export type FeedbackRecord = Judgement | Preference | Retraction;

/** A judgement that one can learn from: not a skip. */
export interface RewardedJudgement extends Judgement {
  /** From -1 (wrong) to 1 (right). */
  readonly reward: number;
}

/** A feedback log that cannot be read, written or opened. */
export class FeedbackLogError extends Error {
  /** Tells it from other errors, also across realms. */
  override readonly name = "FeedbackLogError";
  /** The file, where it is known. */
  readonly file: string | undefined;
  /** The line, counted from 1, where it is known. */
  readonly line: number | undefined;
  /** The field of the record that is wrong, where it is known. */
  readonly field: string | undefined;

  /**
   * @param message what is wrong; file and line are put before it.
   * @param where the place in the log, and the cause.
   */
  constructor(
    message: string,
    where: { file?: string | undefined; line?: number | undefined; field?: string | undefined; cause?: unknown } = {},
  ) {
    const place = where.file === undefined ? "" : `${where.file}${where.line === undefined ? "" : `:${where.line}`}: `;
    super(place + message, where.cause === undefined ? undefined : { cause: where.cause });
    this.file = where.file;
    this.line = where.line;
    this.field = where.field;
  }
}
