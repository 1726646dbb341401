import { type FeedbackLog, FeedbackLogError, type FeedbackRecord, logOver, parseRecord } from "handgrad/rl";
import type { OwnClass } from "../shared/protocol.ts";

/*
 * What a person judges of their own task is one log, whatever classes the task has. Each record says the classes that it is
 * about; a network learns from those about its own classes, and the others wait until these are brought back.
 */

/** The ids of the classes whose places `action` and `probabilities` speak of. Records of earlier versions do not say them. */
function classesOf(record: FeedbackRecord & { classes?: unknown }): readonly unknown[] {
  if (Array.isArray(record.classes)) return record.classes;
  return record.kind === "retraction" ? [] : record.probabilities.map((_, id) => id);
}

/** Whether a record is about just these classes. A retraction is about what it takes back, wherever that is. */
export function isAbout(record: FeedbackRecord, classes: readonly OwnClass[]): boolean {
  if (record.kind === "retraction") return true;
  const about = classesOf(record);
  return about.length === classes.length && classes.every(({ id }, i) => about[i] === id);
}

/** The classes of a record that are not among these. */
export const strangersOf = (record: FeedbackRecord, classes: readonly OwnClass[]): unknown[] =>
  classesOf(record).filter((about) => !classes.some(({ id }) => id === about));

/** Of an own task's log, the part about these classes and the examples that are here; what is added to it says so. */
export function partOf(
  log: FeedbackLog,
  classes: readonly OwnClass[],
  isHere: (example: string) => boolean,
): FeedbackLog {
  const ids = classes.map(({ id }) => id);
  return logOver(
    {
      async write(lines) {
        const records = lines.map((line) => JSON.parse(line) as FeedbackRecord);
        // What was imported is in the whole log already.
        await log.appendAll(records.filter(({ id }) => !log.has(id)).map((record) => ({ ...record, classes: ids })));
      },
      async close() {},
    },
    log
      .records()
      .filter((record) => isAbout(record, classes) && (record.kind === "retraction" || isHere(record.example))),
  );
}

/** The records of a file of judgements. @throws FeedbackLogError naming the line that is none, or whose id another one has. */
export function recordsOf(text: string, file: string, log: FeedbackLog): FeedbackRecord[] {
  const byId = new Map(log.records().map((record) => [record.id, JSON.stringify(record)]));
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const record = parseRecord(line, i + 1, file);
    const json = JSON.stringify(record);
    const known = byId.get(record.id);
    if (known !== undefined && known !== json)
      throw new FeedbackLogError(`another record is called "${record.id}" already`, { file, line: i + 1, field: "id" });
    byId.set(record.id, json);
    return [record];
  });
}
