import { inOneTransaction, storageProblem } from "handgrad/browser";
import type { Modality, OptimizerState } from "handgrad/model";
import type { LearnerState } from "handgrad/rl";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { History, OwnClass, TaskName } from "../shared/protocol.ts";
import type { Measured } from "./validation.ts";

/*
 * What the page keeps in this browser beside the judgements: for each task the last state of learning, and the examples
 * that the person brought.
 */

/** A network: weights in a safetensors file, and what a learner remembers beside them. */
interface KeptNetwork {
  weights: Uint8Array<ArrayBuffer>;
  learner: LearnerState | undefined;
}

/** Enough to go on with a task: the network that answers, and how it learns on. */
export interface Kept extends KeptNetwork {
  /** The network that learns, where it is not the one that answers: it was not measured yet, or is held back. */
  learning?: KeptNetwork | undefined;
  optimizer: OptimizerState | undefined;
  /** Steps of the engine that learning took. */
  engineSteps: number;
  history: History;
  measured?: Measured | undefined;
}

/** What is kept of a network that has learned nothing yet. */
export const keptAtStart = (weights: Uint8Array<ArrayBuffer>, engineSteps = 0): Kept => ({
  weights,
  optimizer: undefined,
  learner: undefined,
  engineSteps,
  history: { updates: [], heldOut: [] },
});

/** An own example as it is stored. */
export interface OwnRecord {
  id: string;
  /** Id of its class; it stays when the class is taken away. Null where nobody said. */
  label: number | null;
  picture: { size: number; rgb: Uint8Array } | null;
  sound: { samples: Float32Array; rate: number } | null;
  text: string;
}

export interface OwnSettings {
  classes: OwnClass[];
  /** Classes that were taken away. Their examples and what was judged of them are set aside, and can be brought back. */
  retired: OwnClass[];
  /** The words that the trained network knows, as a tokenizer's `toJSON` gives them, and what it takes. */
  tokenizer: unknown;
  modalities: Modality[] | undefined;
}

/** Classes of earlier versions were names alone, and their places their ids. */
type StoredSettings = Partial<Omit<OwnSettings, "classes">> & { classes?: (string | OwnClass)[] };

interface Stores extends DBSchema {
  kept: { key: TaskName; value: Kept };
  own: { key: string; value: OwnRecord };
  settings: { key: "own"; value: StoredSettings };
}

/** Names of the databases of the judgements, one a task. */
export const logNames: Readonly<Record<TaskName, string>> = {
  digits: "handgrad-feedback",
  own: "handgrad-own-feedback",
};
const NAME = "handgrad-page";

/** The browser gives this page no storage, or something could not be stored. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

export class PageStorage {
  private constructor(readonly db: IDBPDatabase<Stores>) {}

  /** @throws StorageError where the browser refuses. */
  static async open(): Promise<PageStorage> {
    try {
      const db = await openDB<Stores>(NAME, 1, {
        upgrade(db) {
          db.createObjectStore("kept");
          db.createObjectStore("own", { keyPath: "id" });
          db.createObjectStore("settings");
        },
      });
      return new PageStorage(db);
    } catch (cause) {
      throw new StorageError(storageProblem(cause), { cause });
    }
  }

  async load(task: TaskName): Promise<Kept | undefined> {
    const kept = await this.db.get("kept", task);
    // Version 0.1 spelled it so.
    const { optimiser } = (kept ?? {}) as { optimiser?: OptimizerState };
    return kept && optimiser ? { ...kept, optimizer: optimiser } : kept;
  }

  save(task: TaskName, kept: Kept): Promise<void> {
    return this.#write("the network was not", ["kept"], function* (stores) {
      yield stores.objectStore("kept").put(kept, task);
    });
  }

  ownExamples(): Promise<OwnRecord[]> {
    return this.db.getAll("own");
  }

  /** Adds examples, all or none; with settings, these as well; where `ends`, the network goes that was trained before them. */
  addOwn(records: readonly OwnRecord[], settings?: OwnSettings, ends = false): Promise<void> {
    return this.#write(`none of the ${records.length} examples was`, ["own", "settings", "kept"], function* (stores) {
      for (const record of records) yield stores.objectStore("own").add(record);
      if (settings) yield stores.objectStore("settings").put(settings, "own");
      if (ends) yield stores.objectStore("kept").delete("own");
    });
  }

  removeOwn(id: string): Promise<void> {
    return this.#write("the change was not", ["own"], function* (stores) {
      yield stores.objectStore("own").delete(id);
    });
  }

  async ownSettings(): Promise<OwnSettings> {
    const found = await this.db.get("settings", "own");
    const { classes = ["", ""], retired = [], modalities } = found ?? {};
    // Version 0.1 spelled it so.
    const { tokenizer = (found as { tokeniser?: unknown } | undefined)?.tokeniser } = found ?? {};
    const named = classes.map((known, id) => (typeof known === "string" ? { id, name: known } : known));
    return { classes: named, retired, tokenizer, modalities };
  }

  /** Saves the settings, and in the same moment the network that goes with them; null where it ends. */
  saveOwn(settings: OwnSettings, kept?: Kept | null): Promise<void> {
    return this.#write("the change was not", ["settings", "kept"], function* (stores) {
      yield stores.objectStore("settings").put(settings, "own");
      if (kept) yield stores.objectStore("kept").put(kept, "own");
      if (kept === null) yield stores.objectStore("kept").delete("own");
    });
  }

  async #write<Name extends "kept" | "own" | "settings">(
    what: string,
    stores: Name[],
    change: Parameters<typeof inOneTransaction<Stores, Name>>[2],
  ): Promise<void> {
    try {
      await inOneTransaction(this.db, stores, change);
    } catch (cause) {
      throw new StorageError(`${what} stored: ${storageProblem(cause)}`, { cause });
    }
  }

  close(): void {
    this.db.close();
  }
}

/**
 * Everything that this page stored, gone. The databases must be closed here; `wait` is called where another tab holds one,
 * which is then waited for.
 */
export async function deleteEverything(wait: () => void): Promise<void> {
  for (const name of [NAME, ...Object.values(logNames)]) {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(new StorageError(storageProblem(request.error)));
      request.onblocked = wait;
    });
  }
}
