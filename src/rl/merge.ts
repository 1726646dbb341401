import { checkList, checkText } from "../check.ts";
import { checkObject } from "./check.ts";
import { FeedbackLogError, type FeedbackRecord } from "./judgement.ts";
import { TIME_FORM, timeOf } from "./time.ts";

/** The records of one log, and what the log is called. */
export interface NamedLog {
  /** Such as its file; conflicts and errors name it. */
  readonly name: string;
  /** Its records, in order. */
  readonly records: readonly FeedbackRecord[];
}

/** Two different records of one id. */
export interface Conflict {
  /** The id that both have. */
  readonly id: string;
  /** The log of the record that was kept. */
  readonly kept: string;
  /** The log of the other record. */
  readonly dropped: string;
  /** In what they differ. */
  readonly fields: readonly string[];
}

/** Several logs as one. */
export interface Merged {
  /** Every id once, by time. */
  readonly records: readonly FeedbackRecord[];
  /** Records that were in several logs, counted once for each time they were left out. */
  readonly duplicates: number;
  /** Ids that stand for different records. */
  readonly conflicts: readonly Conflict[];
}

/**
 * Merges logs of several people or machines: every id once. The order of each log is kept, and between logs the earlier
 * record goes first, so the result does not depend on the order of the logs.
 *
 * Where one id stands for different records the earlier one is kept, and the conflict is reported. Two retractions of the
 * same judgement are no conflict.
 *
 * @param logs named, each in its own order.
 * @returns the records, with duplicates and conflicts.
 * @throws FeedbackLogError where a record's time is missing or has no zone.
 * @throws TypeError naming the log or the record that cannot be.
 * @example const { records } = mergeLogs([{ name: "ada", records: ada.records() }, { name: "ben", records: ben.records() }]);
 */
export function mergeLogs(logs: readonly NamedLog[]): Merged {
  checkList("mergeLogs", "logs", logs, "a list of { name, records }");
  for (const [i, log] of logs.entries()) {
    checkObject("mergeLogs", `log ${i}`, log, "{ name, records }");
    const { name, records } = log;
    checkText("mergeLogs", `the name of log ${i}`, name);
    checkList("mergeLogs", `records of ${name}`, records, "a list of records, such as log.records()");
    for (const [line, record] of records.entries()) {
      checkObject("mergeLogs", `record ${line} of ${name}`, record, "a record");
      const { id, time } = record;
      checkText("mergeLogs", `the id of record ${line} of ${name}`, id);
      if (timeOf(time) === undefined)
        throw new FeedbackLogError(`the time of record "${id}" is ${JSON.stringify(time)}, expected ${TIME_FORM}`, {
          file: name,
          field: "time",
        });
    }
  }
  const kept = new Map<string, { record: FeedbackRecord; log: string }>();
  const conflicts: Conflict[] = [];
  let duplicates = 0;
  const next = logs.map(() => 0);
  const head = (i: number) => logs[i]!.records[next[i]!];
  for (;;) {
    let first: number | undefined;
    for (let i = 0; i < logs.length; i++) {
      const record = head(i);
      if (record && (first === undefined || isBefore(record, head(first)!))) first = i;
    }
    if (first === undefined) break;
    const record = head(first)!;
    // Logs that hold the same record next go on together, or their order would decide which of them is ahead.
    const text = JSON.stringify(record);
    const holders = logs.flatMap((_, i) => (head(i) && JSON.stringify(head(i)) === text ? [i] : []));
    for (const i of holders) next[i]! += 1;
    duplicates += holders.length - 1;
    const log = logs[first]!.name;
    const before = kept.get(record.id);
    if (!before) {
      kept.set(record.id, { record, log });
      continue;
    }
    const fields = differences(before.record, record);
    if (fields.length === 0 || retractsTheSame(before.record, record)) {
      duplicates += 1;
      continue;
    }
    const [earlier, later] = isBefore(record, before.record) ? [{ record, log }, before] : [before, { record, log }];
    kept.set(record.id, earlier);
    conflicts.push({ id: record.id, kept: earlier.log, dropped: later.log, fields });
  }
  return { records: [...kept.values()].map(({ record }) => record), duplicates, conflicts };
}

/** By time, then id, then text: an order that the order of the logs has no part in. */
function isBefore(a: FeedbackRecord, b: FeedbackRecord): boolean {
  const [earlier, later] = [timeOf(a.time)!, timeOf(b.time)!];
  if (earlier !== later) return earlier < later;
  if (a.id !== b.id) return a.id < b.id;
  return JSON.stringify(a) < JSON.stringify(b);
}

function differences(a: FeedbackRecord, b: FeedbackRecord): string[] {
  // Records are interfaces, which have no index.
  const [x, y] = [a, b] as unknown as [Record<string, unknown>, Record<string, unknown>];
  const fields = new Set([...Object.keys(x), ...Object.keys(y)]);
  return [...fields].filter((field) => JSON.stringify(x[field]) !== JSON.stringify(y[field]));
}

const retractsTheSame = (a: FeedbackRecord, b: FeedbackRecord) =>
  a.kind === "retraction" && b.kind === "retraction" && a.retracts === b.retracts;
