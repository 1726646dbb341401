import { checkFunction, checkText, listOf } from "../check.ts";
import { judgementsOf, lastSaid, preferencesOf } from "./active.ts";
import type { FeedbackRecord, Judgement, Preference, Retraction } from "./judgement.ts";
import { FeedbackLogError } from "./judgement.ts";
import { checkRecord } from "./record.ts";

/** An append-only log of what people said. */
export interface FeedbackLog {
  /**
   * Adds a record. It is durable when the promise resolves, and not before that in `records()`.
   * The same record again (the same id) changes nothing, so that a caller may retry.
   *
   * @throws FeedbackLogError if the record is not valid, its id stands for another record, or it could not be stored.
   */
  append(record: FeedbackRecord): Promise<void>;
  /**
   * Adds many records, such as an import: all of them or, where one is not valid, clashes or cannot be stored, none. Those
   * that the log has already are left out.
   *
   * @returns how many were new.
   * @throws FeedbackLogError as `append`.
   */
  appendAll(records: Iterable<FeedbackRecord>): Promise<number>;
  /** Every stored record, in order. */
  records(): readonly FeedbackRecord[];
  /** Whether a stored record has this id. */
  has(id: string): boolean;
  /** The judgements that count, skips and those for evaluation among them: see `activeJudgements` and `rewarded`. */
  judgements(): readonly Judgement[];
  /** The preferences that count. */
  preferences(): readonly Preference[];
  /**
   * Takes back the last judgement or preference that counts, of this judge where one is given, by appending a
   * retraction. Appends that were called earlier are waited for. Resolves to what was taken back; undefined if nothing
   * was left.
   */
  undo(judge?: string): Promise<Judgement | Preference | undefined>;
  /** Waits for what is being stored and lets go of the storage. A closed log takes no more records. */
  close(): Promise<void>;
}

/** Where a log keeps its lines. `write` is never called again before the last call has settled. */
export interface LogStorage {
  /** Stores one or more lines (no newlines in them), all or none, and resolves when they are durable. */
  write(lines: readonly string[]): Promise<void>;
  /** Lets go of the storage; called once, after the last `write` has settled. */
  close(): Promise<void>;
}

/**
 * A feedback log over any storage, beginning with the records that the storage holds already.
 *
 * @param storage where lines are written.
 * @param stored the records that it holds. Default: none.
 * @returns the log.
 * @throws FeedbackLogError where one of those is not valid.
 * @throws TypeError where the storage lacks `write` or `close`.
 * @example const log = logOver({ write: async (lines) => server.send(lines), close: async () => {} });
 */
export function logOver(storage: LogStorage, stored: Iterable<FeedbackRecord> = []): FeedbackLog {
  for (const name of ["write", "close"] as const)
    checkFunction("logOver", `storage.${name}`, storage?.[name], "a function that gives a promise");
  const records: FeedbackRecord[] = [];
  const byId = new Map<string, FeedbackRecord>();
  let judgements: readonly Judgement[] | undefined;
  let preferred: readonly Preference[] | undefined;
  let closing: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  function add(record: FeedbackRecord): void {
    if (byId.has(record.id)) return;
    byId.set(record.id, record);
    records.push(record);
    judgements = undefined;
    preferred = undefined;
  }
  for (const record of listOf("logOver", "stored", stored, RECORDS)) add(checkRecord(record));

  /** One thing after the other: a failure reaches its own caller only. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (closing) return Promise.reject(new FeedbackLogError("the feedback log is closed"));
    const done = last.then(task);
    last = done.catch(() => {});
    return done;
  }

  /** Those lines that are new, all or none of them; resolves to their number. */
  async function store(lines: readonly string[]): Promise<number> {
    const added = new Map<string, { line: string; record: FeedbackRecord }>();
    for (const line of lines) {
      // What is kept is what a reader of the storage would see, and no longer the caller's object.
      const record = checkRecord(JSON.parse(line));
      const same = byId.get(record.id) ?? added.get(record.id)?.record;
      if (!same) added.set(record.id, { line, record });
      else if (JSON.stringify(same) !== line)
        throw new FeedbackLogError(`field "id": another record is called "${record.id}" already`, { field: "id" });
    }
    if (added.size === 0) return 0;
    await storage.write([...added.values()].map(({ line }) => line));
    for (const { record } of added.values()) add(record);
    return added.size;
  }

  return {
    async append(record) {
      // Checked before it becomes text: JSON turns NaN into null, which would read as a skip.
      const line = JSON.stringify(checkRecord(record));
      await inTurn(() => store([line]));
    },
    async appendAll(records) {
      const lines = listOf("appendAll", "records", records, RECORDS).map((record) =>
        JSON.stringify(checkRecord(record)),
      );
      return inTurn(() => store(lines));
    },
    records: () => records,
    has: (id) => byId.has(id),
    judgements() {
      judgements ??= judgementsOf(records);
      return judgements;
    },
    preferences() {
      preferred ??= preferencesOf(records);
      return preferred;
    },
    async undo(judge) {
      if (judge !== undefined) checkText("undo", "judge", judge);
      return inTurn(async () => {
        const said = lastSaid(records, judge);
        if (!said) return undefined;
        const retraction: Retraction = {
          v: 3,
          kind: "retraction",
          id: `undo ${said.id}`,
          retracts: said.id,
          time: new Date().toISOString(),
          judge: judge ?? said.judge,
        };
        await store([JSON.stringify(retraction)]);
        return said;
      });
    },
    close() {
      closing ??= last.then(() => storage.close());
      return closing;
    },
  };
}

/**
 * A feedback log in memory only, for tests and for browsers without storage: it ends with the page or the process.
 *
 * @param records it begins with copies of these. Default: none.
 * @returns the log.
 * @throws FeedbackLogError where a record is not valid.
 * @example const agent = learner(net, optimizer, { log: memoryLog() });
 */
export function memoryLog(records: Iterable<FeedbackRecord> = []): FeedbackLog {
  const stored: FeedbackRecord[] = listOf("memoryLog", "records", records, RECORDS).map((record) =>
    JSON.parse(JSON.stringify(checkRecord(record))),
  );
  return logOver({ write: async () => {}, close: async () => {} }, stored);
}

const RECORDS = "a list of records, such as log.records()";
