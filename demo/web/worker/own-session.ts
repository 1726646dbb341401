import { type Engine, noGrad } from "handgrad";
import { openFeedbackLog } from "handgrad/browser";
import { append } from "handgrad/data";
import { softmaxOf } from "handgrad/model";
import { activeJudgements, type FeedbackLog, FeedbackLogError, optimisticArgmax } from "handgrad/rl";
import type { Answered, OwnClass, OwnTask as OwnState, UserInput, WorkerEvent } from "../shared/protocol.ts";
import { messageOf } from "./errors.ts";
import { isSame, joined, without } from "./own-classes.ts";
import { decodeOwn, encodeOwn } from "./own-file.ts";
import { isAbout, partOf, recordsOf, strangersOf } from "./own-log.ts";
import {
  heldOutOf,
  isTrainable,
  listed,
  modalitiesOf,
  type OwnItem,
  OwnTask,
  recordOf,
  tokenizerOf,
} from "./own-task.ts";
import { trainOwn } from "./own-training.ts";
import { TeachingSession } from "./session.ts";
import { type Kept, logNames, type OwnRecord, type OwnSettings, type PageStorage } from "./storage.ts";

/** What the own task needs of the rest. */
export interface Surroundings {
  /** The engine, once a lost one has been replaced. */
  engine(): Promise<Engine>;
  readonly storage: PageStorage;
  emit(event: WorkerEvent): void;
}

/** The person's own task: their examples, the network that is trained on them, and the session that goes on from there. */
export class OwnTaskSession {
  session: TeachingSession<OwnItem> | undefined;
  #records: OwnRecord[] = [];
  #settings: OwnSettings;
  #training: Promise<OwnState> | undefined;
  readonly #of: Surroundings;
  /** Of all classes that the task ever had. */
  readonly #log: FeedbackLog;

  private constructor(of: Surroundings, log: FeedbackLog, settings: OwnSettings) {
    this.#of = of;
    this.#log = log;
    this.#settings = settings;
  }

  /** What was kept of an earlier visit. */
  static async open(of: Surroundings): Promise<OwnTaskSession> {
    const settings = await of.storage.ownSettings();
    const records = await of.storage.ownExamples();
    const api = new OwnTaskSession(of, await openFeedbackLog(logNames.own), settings);
    api.#records = records.sort((a, b) => (a.id < b.id ? -1 : 1));
    await api.#reopen();
    return api;
  }

  state(): OwnState {
    const held = heldOutOf(this.#records);
    return {
      classes: this.#settings.classes,
      retired: this.#settings.retired,
      examples: this.#records.map((record) => listed(record, held)),
      trainable: isTrainable(this.#settings, this.#records),
      trained: this.session !== undefined,
    };
  }

  /**
   * Sets the classes. Those that are no longer among them are set aside with their examples, and may come back. Other classes
   * make another task: the network ends with it, and what was judged waits for the classes that it is about.
   */
  async setClasses(classes: OwnClass[]): Promise<OwnState> {
    const { classes: before, retired } = this.#settings;
    const settings = { ...this.#settings, classes, retired: without([...retired, ...before], classes) };
    if (isSame(before, classes)) {
      // Known at once, so that whoever asks meanwhile hears the names that were typed.
      this.#settings = settings;
      await this.#of.storage.saveOwn(settings).catch((error) => {
        this.#settings = { ...this.#settings, classes: before };
        throw error;
      });
    } else await this.#change(settings, (settings) => this.#of.storage.saveOwn(settings, null));
    return this.state();
  }

  /** Stores other classes, by `save`, and ends the network that answers with the former ones. */
  async #change(settings: OwnSettings, save: (settings: OwnSettings) => Promise<void>): Promise<void> {
    const anew = { ...settings, tokenizer: undefined, modalities: undefined };
    await save(anew);
    this.#settings = anew;
    const { session } = this;
    this.session = undefined;
    await session?.close();
  }

  /** Adds examples; `label` is the id of their class. */
  async add(inputs: readonly UserInput[], label: number | null): Promise<OwnState> {
    const now = Date.now();
    // Ids sort by the time at which the examples came; two lists that come in one moment are told apart.
    const tail = crypto.randomUUID().slice(0, 8);
    const records = inputs.map((input, i) =>
      recordOf(`own/${now}-${String(i).padStart(4, "0")}-${tail}`, label, input),
    );
    await this.#of.storage.addOwn(records);
    append(this.#records, records);
    await this.#retask();
    return this.state();
  }

  /** Deletes an example. What was judged of it is taken back, which is one more record of the log. */
  async remove(id: string): Promise<OwnState> {
    const about = activeJudgements(this.#log.records()).filter((judgement) => judgement.example === id);
    const retractions = about.map(({ v, id, judge }) => {
      const time = new Date().toISOString();
      return { v, kind: "retraction" as const, id: `undo ${id}`, retracts: id, time, judge };
    });
    // The log first: a judgement of an example that is not here could not be learned from.
    await this.#log.appendAll(retractions);
    await this.session?.log.appendAll(retractions);
    await this.#of.storage.removeOwn(id);
    this.#records = this.#records.filter((record) => record.id !== id);
    await this.#retask();
    return this.state();
  }

  /** Trains a new network on the examples with a name. What was judged so far is learned from again later on. */
  train(): Promise<OwnState> {
    this.#training ??= this.#train().finally(() => {
      this.#training = undefined;
    });
    return this.#training;
  }

  async #train(): Promise<OwnState> {
    if (!isTrainable(this.#settings, this.#records)) throw new Error("there are too few examples to train on.");
    const { classes } = this.#settings;
    const words = { tokenizer: tokenizerOf(this.#records).toJSON(), modalities: modalitiesOf(this.#records) };
    const task = new OwnTask({ ...this.#settings, ...words }, this.#records, words.modalities);
    await this.session?.close();
    this.session = undefined;
    try {
      const kept = await trainOwn(await this.#of.engine(), task, this.#of.emit);
      if (!isSame(classes, this.#settings.classes))
        throw new Error("the classes became others while it trained. Train once more.");
      const settings = { ...this.#settings, ...words };
      await this.#of.storage.saveOwn(settings, kept);
      this.#settings = settings;
      await this.#open(kept);
    } catch (error) {
      await this.#reopen();
      throw error;
    }
    return this.state();
  }

  /** What the network says of something new. */
  async predict(input: UserInput): Promise<Answered | null> {
    const { session } = this;
    if (!session) return null;
    const task = session.task as OwnTask;
    const item = task.item(recordOf("new", null, input));
    const batch = task.batchOf([item]);
    const { engine, net } = session.network;
    const logits = await session.network.turn(() => engine.step(() => noGrad(() => net.forward(batch))));
    const probabilities = softmaxOf((await logits.data()) as Float32Array);
    logits.dispose();
    return { shown: task.show(item), probabilities, action: optimisticArgmax(probabilities) };
  }

  #task(): OwnTask {
    return new OwnTask(this.#settings, this.#records, this.#settings.modalities ?? []);
  }

  /** Goes on with the network that was kept. Where it does not open that is told; all else is here nevertheless. */
  async #reopen(): Promise<void> {
    this.session = undefined;
    try {
      const kept = await this.#of.storage.load("own");
      if (kept && this.#settings.tokenizer !== undefined) await this.#open(kept);
    } catch (error) {
      this.session = undefined;
      this.#of.emit({
        kind: "error",
        message: `the network of your own task does not open; train it anew. ${messageOf(error)}`,
      });
    }
  }

  async #open(kept: Kept): Promise<void> {
    const { emit, storage } = this.#of;
    const engine = await this.#of.engine();
    const task = this.#task();
    const log = partOf(this.#log, this.#settings.classes, (id) => task.find(id) !== undefined);
    const session = new TeachingSession<OwnItem>({ engine, task, log, storage, kept, emit });
    this.session = session;
    await session.validateStart();
    emit({ kind: "progress", task: "own", progress: session.progress() });
    emit({ kind: "measured", task: "own", standing: session.network.standing });
    emit({ kind: "question", task: "own", question: await session.question() });
  }

  /** Goes on with the examples as they now are. */
  async #retask(): Promise<void> {
    await this.session?.retask(this.#task());
  }

  // ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the person judged, of all classes that the task ever had, as JSON lines. */
  log(): string {
    return this.#log
      .records()
      .map((record) => `${JSON.stringify(record)}\n`)
      .join("");
  }

  /** Adds the judgements of a file, all or none; gives how many were new. */
  async addLog(text: string, file: string): Promise<number> {
    const records = recordsOf(text, file, this.#log);
    const { classes, retired } = this.#settings;
    const all = [...classes, ...retired];
    const here = new Set(this.#records.map(({ id }) => id));
    // Of what was taken back the example may be gone.
    const counting = new Set(activeJudgements([...this.#log.records(), ...records]).map(({ id }) => id));
    for (const record of records) {
      if (record.kind === "retraction" || !counting.has(record.id)) continue;
      const strangers = strangersOf(record, all);
      if (!here.has(record.example) || strangers.length > 0)
        throw new FeedbackLogError(
          `judgement "${record.id}" is about ${strangers.length > 0 ? `class ${strangers}` : `example "${record.example}"`}, which is not here. Load the file of that task first`,
          { file },
        );
    }
    const added = await this.#log.appendAll(records);
    await this.session?.addRecords(records.filter((record) => isAbout(record, classes) && counting.has(record.id)));
    return added;
  }

  /** Classes and examples as a file. */
  file(): string {
    return encodeOwn(this.#settings, this.#records);
  }

  /** Adds the classes and examples of such a file, all or none; gives how many examples were new. */
  async addFile(text: string, file: string): Promise<number> {
    const found = decodeOwn(text, file);
    const here = new Map(this.#records.map((record) => [record.id, record]));
    const records = found.records.filter(({ id }) => !here.has(id));
    const settings = { ...this.#settings, ...joined(this.#settings, this.#records, found, file) };
    if (isSame(settings.classes, this.#settings.classes)) {
      await this.#of.storage.addOwn(records, settings);
      this.#settings = settings;
    } else await this.#change(settings, (settings) => this.#of.storage.addOwn(records, settings, true));
    append(this.#records, records);
    this.#records.sort((a, b) => (a.id < b.id ? -1 : 1));
    await this.#retask();
    return records.length;
  }

  async close(): Promise<void> {
    await this.session?.close();
    await this.#log.close();
  }
}
