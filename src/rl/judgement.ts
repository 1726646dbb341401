import { checkNumber, checkOptions, listOf, number } from "../check.ts";
import { total } from "../numbers.ts";
import { ROUNDING } from "./check.ts";
import { TIME_FORM, timeOf } from "./time.ts";

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

/** What a field must be, in words, and whether a value is that. */
type FieldRule = readonly [
  expected: string,
  holds: (value: unknown, record: Readonly<Record<string, unknown>>) => boolean,
];

const within = (low: number, high: number) => (x: unknown) =>
  typeof x === "number" && Number.isFinite(x) && x >= low && x <= high;
const integer = (low: number) => (x: unknown) => Number.isSafeInteger(x) && (x as number) >= low;

const TEXT: FieldRule = ["a non-empty string", (x) => typeof x === "string" && x.length > 0];
const TIME: FieldRule = [TIME_FORM, (x) => timeOf(x) !== undefined];
const COMMON = { id: TEXT, time: TIME, judge: TEXT } satisfies Record<string, FieldRule>;

const ASKED: Readonly<Record<string, FieldRule>> = {
  ...COMMON,
  session: TEXT,
  example: TEXT,
  inputHash: TEXT,
  probabilities: [
    "numbers from 0 to 1 that sum to 1",
    (x) => Array.isArray(x) && Array.from(x).every(within(0, 1)) && Math.abs(total<number>(x) - 1) <= ROUNDING,
  ],
  propensity: ["a number over 0 and at most 1", (x) => within(0, 1)(x) && x !== 0],
  acquisition: TEXT,
  inclusionProbability: [
    "a number over 0 and at most 1, or null where it is not known",
    (x) => x === null || (within(0, 1)(x) && x !== 0),
  ],
  model: TEXT,
  reactionMs: ["a number of milliseconds, 0 or more", within(0, Number.MAX_VALUE)],
  seed: ["an integer, 0 or more", integer(0)],
  purpose: ['"training" or "evaluation"', (x) => x === "training" || x === "evaluation"],
};

const ACTION: FieldRule = [
  "an index into probabilities",
  // Who reads no probabilities has not checked them.
  (x, { probabilities: p }) => integer(0)(x) && (x as number) < (Array.isArray(p) ? p.length : Infinity),
];

/*
 * The published form of these rules is schema/feedback-log.schema.json; test/rl/schema.test.ts holds the two together.
 * They are written by hand here because the package has no second dependency, and because a schema cannot say
 * everything: that probabilities sum to 1, that an action is one of them, that a preference is between two.
 */
const RULES: Readonly<Record<FeedbackRecord["kind"], Readonly<Record<string, FieldRule>>>> = {
  judgement: {
    ...ASKED,
    action: ACTION,
    reward: ["a number from -1 to 1, or null for a skip", (x) => x === null || within(-1, 1)(x)],
  },
  preference: {
    ...ASKED,
    preferred: ACTION,
    rejected: [`${ACTION[0]} other than preferred`, (x, record) => ACTION[1](x, record) && x !== record.preferred],
  },
  retraction: { ...COMMON, retracts: TEXT },
};

const KINDS = '"judgement", "preference" or "retraction"';

/**
 * Brings a record of versions 1 and 2 up to version 3. Version 2 called `acquisition` chosenBy and `inclusionProbability`
 * chosenWith; version 1 knew neither purpose nor chances, and all of its records were for training.
 */
function upgraded(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { chosenBy, chosenWith, ...rest } = record;
  if (record.kind === "retraction") return { ...record, v: 3 };
  const earlier = record.v === 1 && record.kind === "judgement" ? { purpose: "training" } : {};
  const inclusionProbability = record.v === 1 && record.kind === "judgement" ? null : chosenWith;
  return { ...rest, v: 3, acquisition: chosenBy, inclusionProbability, ...earlier };
}

/** Where a record stands, for errors. */
export interface RecordPlace {
  /** The file's name. */
  readonly file?: string;
  /** The line, counted from 1. */
  readonly line?: number;
}

/**
 * Checks that a value is a record, and upgrades one of versions 1 and 2 to version 3. Unknown fields are left alone.
 *
 * @param value such as a parsed line of a log.
 * @param where file and line, for the error.
 * @returns the record in today's form.
 * @throws FeedbackLogError naming the first field that is wrong.
 * @example const record = checkRecord(JSON.parse(line), { file: "feedback.jsonl", line: 1 });
 */
export function checkRecord(value: unknown, where: RecordPlace = {}): FeedbackRecord {
  checkOptions("checkRecord", where, { file: true, line: true });
  const fail = (field: string | undefined, message: string) => new FeedbackLogError(message, { ...where, field });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fail(undefined, `a record is a JSON object, this is ${show(value)}`);
  }
  const given = value as Readonly<Record<string, unknown>>;
  if (given.v !== 1 && given.v !== 2 && given.v !== 3) {
    throw fail("v", `field "v" is ${show(given.v)}; this program reads records of versions 1 to 3`);
  }
  const record = given.v === 3 ? given : upgraded(given);
  const { kind } = record;
  if (typeof kind !== "string" || !Object.hasOwn(RULES, kind)) {
    throw fail("kind", `field "kind" must be ${KINDS}, is ${show(kind)}`);
  }
  for (const [field, [expected, holds]] of Object.entries(RULES[kind as FeedbackRecord["kind"]])) {
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
 * @param lineNumber counted from 1, for the error.
 * @param file its name, for the error. Default "feedback log".
 * @returns the record in today's form.
 * @throws FeedbackLogError naming file, line and field.
 * @example const record = parseRecord(line, 1, "feedback.jsonl");
 */
export function parseRecord(line: string, lineNumber: number, file = "feedback log"): FeedbackRecord {
  checkNumber("parseRecord", "lineNumber", lineNumber, number.wholeAtLeast1);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new FeedbackLogError(`not JSON: ${show(line)}`, { file, line: lineNumber, cause });
  }
  return checkRecord(value, { file, line: lineNumber });
}

/** What of a judgement may be looked at without the rest. */
type Field = Exclude<keyof Judgement, "v" | "kind">;

/**
 * Judgements that have what is read of them, by the rules of the log.
 *
 * @throws FeedbackLogError naming the operation, the judgement's place and the field.
 */
export function checkJudgements<J extends Partial<Judgement>>(
  operation: string,
  judgements: Iterable<J>,
  fields: readonly Field[],
): readonly J[] {
  const list = listOf(operation, "judgements", judgements, "a list of judgements, such as log.judgements()");
  for (let i = 0; i < list.length; i++) checkFields(`${operation}: judgement ${i}`, list[i], "judgement", fields);
  return list;
}

/** Refuses a record whose `fields` do not hold by the rules of its kind. */
function checkFields(who: string, given: unknown, kind: FeedbackRecord["kind"], fields: readonly string[]): void {
  if (typeof given !== "object" || given === null) throw new FeedbackLogError(`${who} is ${show(given)}`);
  const record = given as Readonly<Record<string, unknown>>;
  for (const field of fields) {
    const [expected, holds] = RULES[kind][field]!;
    if (!holds(record[field], record))
      throw new FeedbackLogError(`${who}: field "${field}" must be ${expected}, is ${show(record[field])}`, { field });
  }
}

/** Records that tell what they are, and what they are called. */
function checkKinds(operation: string, records: Iterable<FeedbackRecord>): readonly FeedbackRecord[] {
  const list = listOf(operation, "records", records, "a list of records, such as log.records()");
  for (let i = 0; i < list.length; i++) {
    const who = `${operation}: record ${i}`;
    const kind = list[i]?.kind;
    if (typeof kind !== "string" || !Object.hasOwn(RULES, kind))
      throw new FeedbackLogError(`${who}: field "kind" must be ${KINDS}, is ${show(kind)}`, { field: "kind" });
    checkFields(who, list[i], kind, kind === "retraction" ? ["id", "retracts"] : ["id"]);
  }
  return list;
}

/** What counts: each id once (the first), less what was retracted, in the order of the log. */
function activeRecords(records: Iterable<FeedbackRecord>): (Judgement | Preference)[] {
  const retracted = new Set<string>();
  const said = new Map<string, Judgement | Preference>();
  for (const record of records) {
    if (record.kind === "retraction") retracted.add(record.retracts);
    else if (!said.has(record.id)) said.set(record.id, record);
  }
  return [...said.values()].filter(({ id }) => !retracted.has(id));
}

/**
 * The judgements that count: each id once (the first), without the retracted ones. Skips and judgements for evaluation are
 * among them; `rewarded` leaves them out.
 *
 * @param records of one log, or of merged ones.
 * @returns judgements in the order of the log.
 * @throws FeedbackLogError naming the record and its field that cannot be.
 * @example const judgements = activeJudgements(log.records());
 */
export const activeJudgements = (records: Iterable<FeedbackRecord>): Judgement[] =>
  judgementsOf(checkKinds("activeJudgements", records));

/**
 * The preferences that count: each id once (the first), without the retracted ones.
 *
 * @param records of one log, or of merged ones.
 * @returns preferences in the order of the log.
 * @throws FeedbackLogError naming the record and its field that cannot be.
 * @example const preferences = activePreferences(log.records());
 */
export const activePreferences = (records: Iterable<FeedbackRecord>): Preference[] =>
  preferencesOf(checkKinds("activePreferences", records));

/** As `activeJudgements`, of records that were checked. */
export const judgementsOf = (records: Iterable<FeedbackRecord>): Judgement[] =>
  activeRecords(records).filter((record) => record.kind === "judgement");

/** As `activePreferences`, of records that were checked. */
export const preferencesOf = (records: Iterable<FeedbackRecord>): Preference[] =>
  activeRecords(records).filter((record) => record.kind === "preference");

/** The last that counts of what was said, by this judge where one is given: what an undo takes back. */
export const lastSaid = (records: Iterable<FeedbackRecord>, judge?: string): Judgement | Preference | undefined =>
  activeRecords(records).findLast((record) => judge === undefined || record.judge === judge);

/**
 * The judgements that one can learn from: neither skipped nor for evaluation.
 *
 * @param judgements such as `log.judgements()`.
 * @returns those with a reward, for training, in their order.
 * @throws FeedbackLogError naming the judgement and its field that cannot be.
 * @example const mean = rewarded(log.judgements()).reduce((sum, j) => sum + j.reward, 0);
 */
export function rewarded(judgements: Iterable<Judgement>): RewardedJudgement[] {
  return rewardedOf(checkJudgements("rewarded", judgements, ["reward", "purpose"]));
}

/** As `rewarded`, of judgements that were checked. */
export const rewardedOf = (judgements: readonly Judgement[]): RewardedJudgement[] =>
  judgements.filter((one): one is RewardedJudgement => one.reward !== null && one.purpose === "training");

/** A value for an error message: short, on one line. */
function show(value: unknown): string {
  // JSON has neither NaN nor infinities, and calls them null.
  const isSaid = typeof value === "number" || typeof value === "bigint";
  const text = value === undefined ? "missing" : isSaid ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
