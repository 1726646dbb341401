import { openFeedbackLog } from "../../src/browser.ts";
import type { FeedbackLog, Judgement } from "../../src/rl/index.ts";

/* What the browser test calls. Every transaction of IndexedDB is watched: what it asked for, and when it was complete. */

const seen: string[] = [];
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (stores, mode, options) {
  const made = transaction.call(this, stores, mode, options);
  if (mode === "readwrite") {
    seen.push(`begun ${made.durability}`);
    made.addEventListener("complete", () => seen.push("complete"));
  }
  return made;
};

const judgement = (n: number): Judgement => ({
  v: 3,
  kind: "judgement",
  id: `judgement ${n}`,
  time: "2025-01-31T12:00:00.000Z",
  session: "test",
  judge: "me",
  example: `example ${n}`,
  inputHash: "0",
  action: 0,
  probabilities: [0.5, 0.5],
  propensity: 0.5,
  acquisition: "uniform",
  inclusionProbability: null,
  model: "0",
  reward: 1,
  reactionMs: 1,
  seed: 1,
  purpose: "training",
});

const { add } = IDBObjectStore.prototype;
/** What makes the third record of an import fail. */
const faults: Readonly<Record<string, (store: IDBObjectStore, value: unknown) => IDBRequest<IDBValidKey>>> = {
  "the record cannot be stored": (store) => add.call(store, () => {}),
  "its key is taken": (store, value) => add.call(store, value, 1),
  "the transaction is aborted": (store, value) => {
    const request = add.call(store, value);
    request.onsuccess = () => store.transaction.abort();
    return request;
  },
  "the database is closed": (store, value) => {
    const request = add.call(store, value);
    store.transaction.db.close();
    store.transaction.abort();
    return request;
  },
};

let log: FeedbackLog | undefined;
const functions = {
  faults: (): string[] => Object.keys(faults),
  /** Imports five records, of which the third fails. */
  async import(first: number, fault?: string): Promise<string> {
    let n = 0;
    IDBObjectStore.prototype.add = function (value, key) {
      n += 1;
      return fault && n === 3 ? faults[fault]!(this, value) : add.call(this, value, key);
    };
    try {
      const added = await log!.appendAll([0, 1, 2, 3, 4].map((i) => judgement(first + i)));
      return `${added} added`;
    } catch (error) {
      return String(error);
    } finally {
      IDBObjectStore.prototype.add = add;
    }
  },
  openNameless: (name: unknown): Promise<string> => openFeedbackLog(name as string).then(String, String),
  async open(name: string): Promise<string> {
    try {
      log = await openFeedbackLog(name);
      return `${log.records().length} records`;
    } catch (error) {
      return String(error);
    }
  },
  async append(n: number): Promise<void> {
    await log!.append(judgement(n));
    seen.push(`acknowledged ${n}`);
  },
  undo: async (): Promise<string | undefined> => (await log!.undo("me"))?.id,
  ids: (): string[] => log!.judgements().map(({ id }) => id),
  close: (): Promise<void> => log!.close(),
  seen: (): string[] => seen,
  /** Puts a line into the database that is no record. */
  async damage(name: string): Promise<void> {
    const db = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
    });
    const store = db.transaction("lines", "readwrite").objectStore("lines");
    await new Promise((resolve) => {
      store.add('{"v":2,"kind":"judgement"}').onsuccess = resolve;
    });
    db.close();
  },
};
Object.assign(globalThis, functions);
