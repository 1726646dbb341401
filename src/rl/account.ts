import type { FeedbackRecord, Judgement, Preference } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";

type Said = Judgement | Preference;

/**
 * What a log says, by id and by example. The log is the only account of what people said, so nothing of that is kept
 * elsewhere: this reads on where it stopped, since a log only grows.
 */
export class Account {
  readonly #log: FeedbackLog;
  readonly #byId = new Map<string, Said>();
  readonly #byExample = new Map<string, Said[]>();
  readonly #retracted = new Set<string>();
  #read = 0;

  constructor(log: FeedbackLog) {
    this.#log = log;
  }

  /** What was said under this id, whether it still counts or not. */
  said(id: string): Said | undefined {
    this.#readOn();
    return this.#byId.get(id);
  }

  /** The first that was said under such an id. */
  find(isMeant: (id: string) => boolean): Said | undefined {
    this.#readOn();
    for (const [id, said] of this.#byId) if (isMeant(id)) return said;
    return undefined;
  }

  /** All that was said of an example, whether it still counts or not. */
  about(example: string): readonly Said[] {
    this.#readOn();
    return this.#byExample.get(example) ?? [];
  }

  isRetracted(id: string): boolean {
    this.#readOn();
    return this.#retracted.has(id);
  }

  #readOn(): void {
    const records = this.#log.records();
    for (; this.#read < records.length; this.#read++) this.#take(records[this.#read]!);
  }

  #take(record: FeedbackRecord): void {
    if (record.kind === "retraction") {
      this.#retracted.add(record.retracts);
      return;
    }
    // Of one id the first counts, as everywhere.
    if (this.#byId.has(record.id)) return;
    this.#byId.set(record.id, record);
    const about = this.#byExample.get(record.example);
    if (about) about.push(record);
    else this.#byExample.set(record.example, [record]);
  }
}
