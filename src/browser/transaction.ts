import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from "idb";

/** Why the browser's storage did not do as it was asked, in a sentence that says what to do. */
export function storageProblem(cause: unknown): string {
  const { name, message } = cause as Partial<DOMException>;
  switch (name) {
    case "QuotaExceededError":
      return "this browser's storage is full. Make room (on the disk, or by deleting data of other sites), then try again";
    case "InvalidStateError":
      return "the browser has closed its storage, as where data of this site are deleted. Load the page again";
    case "SecurityError":
      return "this browser does not let the site store anything. Allow cookies and site data for it, then load the page again";
    default:
      return message ? `${name}: ${message}` : String(cause);
  }
}

/**
 * Makes changes in one transaction, all or none of them: whatever throws or fails on the way takes back what came before it.
 * Resolves once they are on the disk.
 *
 * @param change gives each request as it is made.
 * @throws what the transaction failed by.
 */
export async function inOneTransaction<S extends DBSchema, Names extends StoreNames<S>>(
  db: IDBPDatabase<S>,
  stores: Names[],
  change: (transaction: IDBPTransaction<S, Names[], "readwrite">) => Generator<Promise<unknown>>,
): Promise<void> {
  const transaction = db.transaction(stores, "readwrite", { durability: "strict" });
  // A request that fails fails its transaction, which is what is waited for; its own rejection would be heard by nobody.
  const done = transaction.done;
  done.catch(() => {});
  try {
    for (const request of change(transaction)) request.catch(() => {});
  } catch (error) {
    // What was asked for so far would be stored, as nothing of it has failed.
    transaction.abort();
    await done.catch(() => {});
    throw error;
  }
  await done;
}
