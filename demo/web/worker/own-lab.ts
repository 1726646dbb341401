import { openFeedbackLog } from "../../../src/browser.ts";
import { Random } from "../../../src/data/index.ts";
import { adam, cosine, type Engine, noGrad } from "../../../src/index.ts";
import { encodeSafetensors, MultimodalNet, softmaxOf, trainStep, weightsOf } from "../../../src/model/index.ts";
import { append } from "../../../src/numbers.ts";
import { type FeedbackLog, type FeedbackRecord, likeliest } from "../../../src/rl/index.ts";
import type { Answered, Happening, Material, OwnTask as OwnState } from "../shared/protocol.ts";
import { Course } from "./course.ts";
import { type Keeper, logNames, type OwnRecord, type OwnSettings, ownLogOf } from "./keep.ts";
import {
  heldOutOf,
  isTrainable,
  listed,
  modalitiesOf,
  type OwnItem,
  OwnTask,
  recordOf,
  tokeniserOf,
} from "./own-task.ts";

const STEPS = 120;
const BATCH = 16;
const RATE = 1.5e-3;
const SEED = 1;
const cooled = cosine(1, 1, 0.05);

/** The person's own task: their examples, the network that is trained on them, and the course that goes on from there. */
export class OwnLab {
  course: Course<OwnItem> | undefined;
  #records: OwnRecord[] = [];
  #settings!: OwnSettings;
  /** The database of the course's log. */
  #openName = "";

  private constructor(
    readonly engine: () => Engine,
    readonly keeper: Keeper,
    readonly emit: (happening: Happening) => void,
  ) {}

  /** What was kept of an earlier visit. */
  static async open(engine: () => Engine, keeper: Keeper, emit: (happening: Happening) => void): Promise<OwnLab> {
    const lab = new OwnLab(engine, keeper, emit);
    lab.#settings = await keeper.ownSettings();
    lab.#records = (await keeper.ownExamples()).sort((a, b) => (a.id < b.id ? -1 : 1));
    const kept = await keeper.load("own");
    if (kept && lab.#settings.tokeniser !== undefined) await lab.#open(kept);
    return lab;
  }

  state(): OwnState {
    const held = heldOutOf(this.#records);
    return {
      classes: this.#settings.classes,
      examples: this.#records.map((record) => listed(record, held)),
      trainable: isTrainable(this.#settings, this.#records),
      trained: this.course !== undefined,
    };
  }

  /** Names the classes. Another number of them makes another task: the network ends with it; judgements stay. */
  async setClasses(classes: string[]): Promise<OwnState> {
    const removed = this.#settings.classes.length !== classes.length;
    if (removed) await this.#forget();
    this.#settings = { ...this.#settings, classes };
    await this.keeper.saveOwnSettings(this.#settings);
    if (removed) {
      const outside = this.#records.filter(({ label }) => label !== null && label >= classes.length);
      for (const { id } of outside) await this.keeper.removeOwn(id);
      this.#records = this.#records.filter((record) => !outside.includes(record));
    }
    return this.state();
  }

  async add(materials: readonly Material[], label: number | null): Promise<OwnState> {
    const now = Date.now();
    // Ids sort by the time at which the examples came.
    const records = materials.map((material, i) =>
      recordOf(`own/${now}-${String(i).padStart(4, "0")}`, label, material),
    );
    await this.keeper.addOwn(records);
    append(this.#records, records);
    await this.#retask();
    return this.state();
  }

  async remove(id: string): Promise<OwnState> {
    await this.keeper.removeOwn(id);
    this.#records = this.#records.filter((record) => record.id !== id);
    const log = this.course?.log;
    const about = log?.judgements().filter((judgement) => judgement.example === id) ?? [];
    for (const judgement of about)
      await log!.append({
        v: judgement.v,
        kind: "retraction",
        id: `undo ${judgement.id}`,
        retracts: judgement.id,
        time: new Date().toISOString(),
        judge: judgement.judge,
      });
    await this.#retask();
    return this.state();
  }

  /** Trains a new network on the examples with a name. What was judged so far is learned from again later on. */
  async train(): Promise<OwnState> {
    const engine = this.engine();
    await this.course?.close();
    this.course = undefined;
    this.#settings = {
      ...this.#settings,
      tokeniser: tokeniserOf(this.#records).toJSON(),
      modalities: modalitiesOf(this.#records),
    };
    const task = this.#task();
    const net = new MultimodalNet(engine, { ...task.config, seed: SEED });
    const optimiser = adam(net.parameters(), { lr: RATE, clipNorm: 1 });
    const random = new Random("own", SEED);
    for (let step = 0; step < STEPS; step++) {
      const items = Array.from({ length: BATCH }, () => random.choice(task.labelled));
      optimiser.lr = RATE * cooled(step / STEPS);
      const { loss } = await trainStep(net, optimiser, task.batchOf(items, step));
      if (step % 5 === 4) this.emit({ kind: "training", done: step + 1, of: STEPS, loss });
    }
    const kept = {
      weights: encodeSafetensors(await weightsOf(net)),
      optimiser: undefined,
      learner: undefined,
      engineSteps: engine.gpu.steps,
      history: { updates: [], heldOut: [] },
    };
    optimiser.dispose();
    for (const parameter of Object.values(net.parameters())) parameter.dispose();
    await this.keeper.saveOwnSettings(this.#settings);
    await this.keeper.save("own", kept);
    await this.#open(kept);
    return this.state();
  }

  /** What the network says of something new. */
  async predict(material: Material): Promise<Answered | null> {
    const { course } = this;
    if (!course) return null;
    const task = course.task as OwnTask;
    const item = task.item(recordOf("new", null, material));
    const batch = task.batchOf([item]);
    const logits = await course.net.engine.step(() => noGrad(() => course.net.forward(batch)));
    const probabilities = softmaxOf((await logits.data()) as Float32Array);
    logits.dispose();
    return { shown: task.show(item), probabilities, action: likeliest(probabilities) };
  }

  #task(): OwnTask {
    return new OwnTask(this.#settings, this.#records, this.#settings.modalities ?? []);
  }

  async #open(kept: NonNullable<Awaited<ReturnType<Keeper["load"]>>>): Promise<void> {
    const log = await this.#openLog();
    const { emit, keeper } = this;
    this.course = new Course<OwnItem>({ engine: this.engine(), task: this.#task(), log, keeper, kept, emit });
    await this.course.lookAtStart();
    emit({ kind: "progress", task: "own", progress: this.course.progress() });
    emit({ kind: "question", task: "own", question: await this.course.question() });
  }

  /**
   * The log of the task with this number of classes. The first has the plain name, which may hold a log of another number
   * from before, so it is looked into.
   */
  async #openLog(): Promise<FeedbackLog> {
    const { length } = this.#settings.classes;
    this.#openName = logNames.own;
    const log = await openFeedbackLog(logNames.own);
    const records = log.records().filter((record) => record.kind !== "retraction");
    if (records.every(({ probabilities }) => probabilities.length === length)) return log;
    await log.close();
    this.#openName = ownLogOf(length);
    return openFeedbackLog(this.#openName);
  }

  /** What the person judged of their own task, of every number of classes that it ever had. */
  async records(): Promise<FeedbackRecord[]> {
    const open = this.course?.log;
    const found = [...(open?.records() ?? [])];
    const there = (await indexedDB.databases()).map(({ name }) => name ?? "");
    for (const name of there.filter((name) => name.startsWith(logNames.own)).sort()) {
      if (open && name === this.#openName) continue;
      const log = await openFeedbackLog(name);
      for (const record of log.records()) found.push(record);
      await log.close();
    }
    return found;
  }

  /** Goes on with the examples as they now are. */
  async #retask(): Promise<void> {
    if (!this.course) return;
    await this.course.retask(this.#task());
  }

  /** Ends the network. What the person judged is kept: answers among so many classes have a log of their own. */
  async #forget(): Promise<void> {
    await this.course?.close();
    this.course = undefined;
    this.#settings = { ...this.#settings, tokeniser: undefined, modalities: undefined };
    await this.keeper.forget("own");
  }
}
