/**
 * What people said, as records of an append-only log: one JSON object a line (JSON Lines, UTF-8).
 *
 * A record holds everything that is needed to learn from it later, without the process that wrote it. Nothing is ever
 * changed: an undo is one more record, a `Retraction`.
 */

/** One answer of one person about one action of the network. */
export interface Judgement {
  /** Version of the record's form. */
  readonly v: 1;
  readonly kind: "judgement";
  /** Unique among all records of a log. */
  readonly id: string;
  /** When the person answered, ISO 8601 in UTC, such as `2025-01-31T12:00:00.000Z`. */
  readonly time: string;
  /** The run of the program that asked. */
  readonly session: string;
  /** Who answered. */
  readonly judge: string;
  /** Id of the example that was shown. */
  readonly example: string;
  /** Hash of the example's data, so that a changed data set is noticed. */
  readonly inputHash: string;
  /** The label that the network proposed, an index into `probabilities`. */
  readonly action: number;
  /** The policy's probability of every action, summing to 1. */
  readonly probabilities: readonly number[];
  /**
   * Probability, over 0 and at most 1, with which `action` was really drawn: `probabilities[action]` for a sample of
   * the policy, something else where exploration was mixed in or the likeliest action was taken.
   */
  readonly propensity: number;
  /** How the example was chosen: `"uniform"`, `"uncertain"`, … */
  readonly chosenBy: string;
  /** Hash of the weights that proposed the action. */
  readonly model: string;
  /** From -1 (wrong) to 1 (right); `null` where the person skipped. */
  readonly reward: number | null;
  /** Milliseconds between showing and answering. */
  readonly reactionMs: number;
  /** Seed of the run. */
  readonly seed: number;
}

/** Takes one judgement back. */
export interface Retraction {
  readonly v: 1;
  readonly kind: "retraction";
  readonly id: string;
  /** Id of the judgement that no longer counts. */
  readonly retracts: string;
  readonly time: string;
  readonly judge: string;
}

export type FeedbackRecord = Judgement | Retraction;

/** A judgement that one can learn from: not a skip. */
export type RewardedJudgement = Judgement & { readonly reward: number };

/** A feedback log that cannot be read, written or opened; `file`, `line` (from 1) and `field` where they are known. */
export class FeedbackLogError extends Error {
  override readonly name = "FeedbackLogError";
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly field: string | undefined;

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

/** What a field must be, in words, and whether a value is that. */
type Rule = readonly [expected: string, holds: (value: unknown, record: Readonly<Record<string, unknown>>) => boolean];

const number = (low: number, high: number) => (x: unknown) =>
  typeof x === "number" && Number.isFinite(x) && x >= low && x <= high;
const integer = (low: number) => (x: unknown) => Number.isSafeInteger(x) && (x as number) >= low;

const TEXT: Rule = ["a non-empty string", (x) => typeof x === "string" && x.length > 0];
const TIME: Rule = [
  "an ISO 8601 time such as 2025-01-31T12:00:00.000Z",
  (x) => typeof x === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(x) && !Number.isNaN(Date.parse(x)),
];
const COMMON = { id: TEXT, time: TIME, judge: TEXT } satisfies Record<string, Rule>;

const RULES: Readonly<Record<FeedbackRecord["kind"], Readonly<Record<string, Rule>>>> = {
  judgement: {
    ...COMMON,
    session: TEXT,
    example: TEXT,
    inputHash: TEXT,
    probabilities: [
      "numbers from 0 to 1 that sum to 1",
      // 1e-3: a softmax in 32-bit floats over many actions does not sum to 1 exactly.
      (x) => Array.isArray(x) && x.every(number(0, 1)) && Math.abs(x.reduce((a, b) => a + b, 0) - 1) <= 1e-3,
    ],
    action: [
      "an index into probabilities",
      (x, record) => integer(0)(x) && (x as number) < (record.probabilities as number[]).length,
    ],
    propensity: ["a number over 0 and at most 1", (x) => number(0, 1)(x) && x !== 0],
    chosenBy: TEXT,
    model: TEXT,
    reward: ["a number from -1 to 1, or null for a skip", (x) => x === null || number(-1, 1)(x)],
    reactionMs: ["a number of milliseconds, 0 or more", number(0, Number.MAX_VALUE)],
    seed: ["an integer, 0 or more", integer(0)],
  },
  retraction: { ...COMMON, retracts: TEXT },
};

/**
 * Checks that a value is a record. Fields that are not known are left alone.
 *
 * @throws FeedbackLogError naming the first field that is wrong.
 */
export function checkRecord(value: unknown, where: { file?: string; line?: number } = {}): FeedbackRecord {
  const fail = (field: string | undefined, message: string) => new FeedbackLogError(message, { ...where, field });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fail(undefined, `a record is a JSON object, this is ${show(value)}`);
  }
  const record = value as Readonly<Record<string, unknown>>;
  if (record.v !== 1) {
    throw fail("v", `field "v" is ${show(record.v)}; this program reads records of version 1`);
  }
  const kind = record.kind;
  if (kind !== "judgement" && kind !== "retraction") {
    throw fail("kind", `field "kind" must be "judgement" or "retraction", is ${show(kind)}`);
  }
  for (const [field, [expected, holds]] of Object.entries(RULES[kind])) {
    if (!holds(record[field], record)) {
      throw fail(field, `field "${field}" of a ${kind} must be ${expected}, is ${show(record[field])}`);
    }
  }
  return record as unknown as FeedbackRecord;
}

/**
 * Reads one line of a log.
 *
 * @param line one JSON object, without its newline.
 * @param lineNumber counted from 1.
 * @throws FeedbackLogError naming file, line and field.
 */
export function parseRecord(line: string, lineNumber: number, file = "feedback log"): FeedbackRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FeedbackLogError(`not JSON: ${show(line)}`, { file, line: lineNumber, cause });
  }
  return checkRecord(value, { file, line: lineNumber });
}

/**
 * The judgements that count: each id once (the first), less the retracted ones, in the order of the log.
 * Skips are among them; `rewarded` leaves them out.
 */
export function effective(records: Iterable<FeedbackRecord>): Judgement[] {
  const retracted = new Set<string>();
  const judgements = new Map<string, Judgement>();
  for (const record of records) {
    if (record.kind === "retraction") retracted.add(record.retracts);
    else if (!judgements.has(record.id)) judgements.set(record.id, record);
  }
  return [...judgements.values()].filter((judgement) => !retracted.has(judgement.id));
}

/** The judgements that one can learn from: those that were not skipped. */
export function rewarded(judgements: Iterable<Judgement>): RewardedJudgement[] {
  return [...judgements].filter((judgement): judgement is RewardedJudgement => judgement.reward !== null);
}

/** A value for an error message: short, on one line. */
function show(value: unknown): string {
  const text = value === undefined ? "missing" : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
