import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Modality, OptimiserState } from "../../../src/model/index.ts";
import type { LearnerState } from "../../../src/rl/index.ts";
import type { History, TaskName } from "../shared/protocol.ts";

/*
 * What the page keeps in this browser beside the judgements: for each task the last state of learning, and the examples
 * that the person brought.
 */

/** Enough to go on with a task: weights in a safetensors file, and what is remembered beside them. */
export interface Kept {
  weights: Uint8Array<ArrayBuffer>;
  optimiser: OptimiserState | undefined;
  learner: LearnerState | undefined;
  engineSteps: number;
  history: History;
}

/** An own example as it is stored. */
export interface OwnRecord {
  id: string;
  label: number | null;
  picture: { size: number; rgb: Uint8Array } | null;
  sound: { samples: Float32Array; rate: number } | null;
  text: string;
}

export interface OwnSettings {
  classes: string[];
  /** The words that the trained network knows, as a tokeniser's `toJSON` gives them, and what it takes. */
  tokeniser: unknown;
  modalities: Modality[] | undefined;
}

interface Stores extends DBSchema {
  kept: { key: TaskName; value: Kept };
  own: { key: string; value: OwnRecord };
  settings: { key: "own"; value: OwnSettings };
}

/** Names of the databases of the judgements, one a task. */
export const logNames: Readonly<Record<TaskName, string>> = {
  digits: "handgrad-feedback",
  own: "handgrad-own-feedback",
};
/** Where judgements of an own task are kept whose number of classes is not that of the first log. */
export const ownLogOf = (classes: number): string => `${logNames.own}-${classes}`;
const NAME = "handgrad-page";

/** More than a person can add. */
const MOST_CLASSES = 20;

const strict = { durability: "strict" } as const;

export class Keeper {
  private constructor(readonly db: IDBPDatabase<Stores>) {}

  static async open(): Promise<Keeper> {
    const db = await openDB<Stores>(NAME, 1, {
      upgrade(db) {
        db.createObjectStore("kept");
        db.createObjectStore("own", { keyPath: "id" });
        db.createObjectStore("settings");
      },
    });
    return new Keeper(db);
  }

  load(task: TaskName): Promise<Kept | undefined> {
    return this.db.get("kept", task);
  }

  async save(task: TaskName, kept: Kept): Promise<void> {
    await this.db.put("kept", kept, task);
  }

  async forget(task: TaskName): Promise<void> {
    await this.db.delete("kept", task);
  }

  ownExamples(): Promise<OwnRecord[]> {
    return this.db.getAll("own");
  }

  async addOwn(records: readonly OwnRecord[]): Promise<void> {
    const transaction = this.db.transaction("own", "readwrite", strict);
    await Promise.all([...records.map((record) => transaction.store.put(record)), transaction.done]);
  }

  async removeOwn(id: string): Promise<void> {
    await this.db.delete("own", id);
  }

  async ownSettings(): Promise<OwnSettings> {
    return (await this.db.get("settings", "own")) ?? { classes: ["", ""], tokeniser: undefined, modalities: undefined };
  }

  async saveOwnSettings(settings: OwnSettings): Promise<void> {
    const transaction = this.db.transaction("settings", "readwrite", strict);
    await Promise.all([transaction.store.put(settings, "own"), transaction.done]);
  }

  close(): void {
    this.db.close();
  }
}

/** Everything that this page stored, gone. The databases must be closed. */
export async function deleteEverything(): Promise<void> {
  const sizes = Array.from({ length: MOST_CLASSES + 1 }, (_, classes) => ownLogOf(classes));
  for (const name of [NAME, ...Object.values(logNames), ...sizes]) {
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve();
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error(`database ${name} is open in another tab; close that tab.`));
    });
  }
}
