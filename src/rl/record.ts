import { checkNumber, checkOptions, listOf, number } from "../check.ts";
import { total } from "../numbers.ts";
import { ROUNDING } from "./check.ts";
import { FeedbackLogError, type FeedbackRecord, type Judgement } from "./judgement.ts";
import { TIME_FORM, timeOf } from "./time.ts";

/* What a record of the log must be, field by field, and how those of earlier versions are read. */

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
  // Every field was checked above.
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
export function checkKinds(operation: string, records: Iterable<FeedbackRecord>): readonly FeedbackRecord[] {
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

/** A value for an error message: short, on one line. */
function show(value: unknown): string {
  // JSON has neither NaN nor infinities, and calls them null.
  const isSaid = typeof value === "number" || typeof value === "bigint";
  const text = value === undefined ? "missing" : isSaid ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
