import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { FeedbackLogError, type FeedbackRecord } from "../rl/judgement.ts";
import { type FeedbackLog, type LogStorage, logOver } from "../rl/log.ts";
import { parseRecord } from "../rl/record.ts";
import { inOneTransaction, storageProblem } from "./transaction.ts";

/** One line of JSON under each key, in the order in which they were stored. */
interface Lines extends DBSchema {
  lines: { key: number; value: string };
}

/**
 * Opens the log in this browser's IndexedDB, in a database of this name; it is made where there is none. The lines are
 * those of a log in a file (`openFeedbackLog` of `handgrad/node`), and the promise is the same: an append resolves when
 * its transaction is complete and, by `durability: "strict"`, on the disk. One tab or worker writes at a time, held by a
 * Web Lock, which a closed or crashed tab gives back by itself.
 *
 * @param name of the database. Default "handgrad-feedback".
 * @returns the log.
 * @throws FeedbackLogError if another tab holds the log, the browser refuses storage, or a line is corrupt (naming it).
 * @throws TypeError if the name is no text, or empty.
 * @example const log = await openFeedbackLog("my-task");
 */
export async function openFeedbackLog(name = "handgrad-feedback"): Promise<FeedbackLog> {
  if (typeof name !== "string" || name === "")
    throw new TypeError(`openFeedbackLog: name is ${JSON.stringify(name)}, expected the name of a database`);
  const unlock = await lock(name);
  let db: IDBPDatabase<Lines> | undefined;
  try {
    db = await openDB<Lines>(name, 1, {
      upgrade: (db) => {
        db.createObjectStore("lines", { autoIncrement: true });
      },
    });
    const lines = await db.getAll("lines");
    return logOver(
      storage(db, name, unlock),
      lines.map((line, i): FeedbackRecord => parseRecord(line, i + 1, name)),
    );
  } catch (cause) {
    db?.close();
    unlock();
    if (cause instanceof FeedbackLogError) throw cause;
    throw notOpened(name, cause);
  }
}

const notOpened = (file: string, cause: unknown) =>
  new FeedbackLogError(`the browser's storage does not open: ${storageProblem(cause)}`, { file, cause });

function storage(db: IDBPDatabase<Lines>, file: string, unlock: () => void): LogStorage {
  return {
    async write(lines) {
      try {
        await inOneTransaction(db, ["lines"], function* (transaction) {
          const store = transaction.objectStore("lines");
          for (const line of lines) yield store.add(line);
        });
      } catch (cause) {
        const what = lines.length === 1 ? "the record was not" : `none of the ${lines.length} records was`;
        throw new FeedbackLogError(`${what} stored: ${storageProblem(cause)}`, { file, cause });
      }
    },
    async close() {
      db.close();
      unlock();
    },
  };
}

/** Takes the Web Lock of a log; returns what gives it back. */
async function lock(name: string): Promise<() => void> {
  if (!globalThis.navigator?.locks)
    throw new FeedbackLogError("this is no page of https or localhost, or no browser: there are no Web Locks", {
      file: name,
    });
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`feedback log ${name}`, { ifAvailable: true }, (held) => {
        if (!held) {
          throw new FeedbackLogError(
            "another tab of this browser is writing this log; a log has one writer at a time. Close that tab",
            { file: name },
          );
        }
        return new Promise<void>((unlock) => resolve(unlock));
      })
      .catch((cause) => reject(cause instanceof FeedbackLogError ? cause : notOpened(name, cause)));
  });
}
