import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { FeedbackLogError, type FeedbackRecord, parseRecord } from "../rl/judgement.ts";
import { type FeedbackLog, type LogStorage, logOver } from "../rl/log.ts";

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
 * @throws FeedbackLogError if another tab holds the log, the browser refuses storage, or a line is corrupt (naming it).
 */
export async function openFeedbackLog(name = "handgrad-feedback"): Promise<FeedbackLog> {
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
    throw new FeedbackLogError(`the browser's storage does not open: ${String(cause)}`, { file: name, cause });
  }
}

function storage(db: IDBPDatabase<Lines>, file: string, unlock: () => void): LogStorage {
  return {
    async write(lines) {
      try {
        const transaction = db.transaction("lines", "readwrite", { durability: "strict" });
        const adding = lines.map((line) => transaction.store.add(line));
        // All promises are waited for: a failed request fails its transaction, and with it all other lines.
        await Promise.all([...adding, transaction.done]);
      } catch (cause) {
        const what = lines.length === 1 ? "the record was not" : `none of the ${lines.length} records was`;
        throw new FeedbackLogError(`${what} stored: ${String(cause)}`, { file, cause });
      }
    },
    async close() {
      db.close();
      unlock();
    },
  };
}

/** Takes the Web Lock of a log; returns what gives it back. */
function lock(name: string): Promise<() => void> {
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
      .catch(reject);
  });
}
