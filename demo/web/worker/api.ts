import type { Remote } from "comlink";
import type { Engine } from "handgrad";
import { openFeedbackLog } from "handgrad/browser";
import { type FeedbackLog, FeedbackLogError, simulatedPerson } from "handgrad/rl";
import type { TriDigit } from "../../tridigits/tridigits.ts";
import type {
  Answered,
  EngineReport,
  Explanation,
  Insight,
  Opening,
  OwnClass,
  OwnTask,
  Question,
  TaskName,
  UserInput,
  Verdict,
  WorkerEvent,
} from "../shared/protocol.ts";
import { Device } from "./device.ts";
import { digitsTask, fetchBytes, fetchDigits, gunzip } from "./digits.ts";
import { messageOf, startupErrorOf } from "./errors.ts";
import { insightOf } from "./insight.ts";
import { isLost } from "./lost.ts";
import { recordsOf } from "./own-log.ts";
import { OwnTaskSession } from "./own-session.ts";
import { profileOf } from "./profile.ts";
import { TeachingSession } from "./session.ts";
import { deleteEverything, type Kept, keptAtStart, logNames, PageStorage } from "./storage.ts";
import type { Task } from "./task.ts";
import { explain } from "./why.ts";

/** What the page can ask of its worker. */
export type RemoteApi = Remote<WorkerApi>;

const SEED = 1;

/** What the page may ask: one device, and the tasks that are learned on it. */
export class WorkerApi {
  readonly #device = new Device({
    lost: () => this.#emit({ kind: "lost" }),
    replaced: (engine) => this.#goOn(engine),
    failed: (error) => this.#tell(error),
  });
  #storage: PageStorage | undefined;
  #digits: TeachingSession<TriDigit> | undefined;
  #own: OwnTaskSession | undefined;
  #openingOwn: Promise<OwnTaskSession> | undefined;
  #emit: (event: WorkerEvent) => void = () => {};

  /**
   * Opens the device, the data and what was kept, and answers the first question. `base` is the page's folder; by `seed` the
   * questions come in another order, and all that is random is another.
   */
  async open(base: string, emit: (event: WorkerEvent) => void, seed = SEED): Promise<Opening> {
    this.#emit = emit;
    let log: FeedbackLog | undefined;
    try {
      if (!navigator.gpu) return { ok: false, startupError: "no-webgpu", message: "navigator.gpu is missing" };
      const folder = new URL("data/", base);
      const [engine, data, start] = await Promise.all([
        this.#device.open(),
        fetchDigits(folder),
        fetchBytes(new URL("start.safetensors.gz", folder)).then(gunzip),
      ]);
      this.#storage = await PageStorage.open();
      log = await openFeedbackLog(logNames.digits);
      const digits = await this.#openDigits({ engine, task: digitsTask(data, seed), log, start, seed });
      const question = await digits.question();
      void digits.validateStart().catch(() => {}); // It is looked at after the next update again.
      return {
        ok: true,
        opened: {
          adapter: engine.adapter,
          software: /swiftshader|llvmpipe|lavapipe|basic render/i.test(engine.adapter),
          classes: digits.task.classes,
          question,
          progress: digits.progress(),
          standing: digits.network.standing,
        },
      };
    } catch (error) {
      // Whoever tries again begins anew, and another tab is not kept from it.
      this.#digits = undefined;
      await log?.close();
      this.#shut();
      return { ok: false, startupError: startupErrorOf(error), message: messageOf(error) };
    }
  }

  /** The digits with the network that was kept; with the one of the start where that does not open, which is told. */
  async #openDigits(parts: {
    engine: Engine;
    task: Task<TriDigit>;
    log: FeedbackLog;
    start: Uint8Array<ArrayBuffer>;
    seed: number;
  }): Promise<TeachingSession<TriDigit>> {
    const { engine, start } = parts;
    const open = (kept: Kept) => {
      this.#digits = new TeachingSession<TriDigit>({ ...parts, storage: this.#storage!, kept, emit: this.#emit });
      return this.#digits;
    };
    const kept = await this.#storage!.load("digits");
    if (!kept) return open(keptAtStart(start));
    try {
      return open(kept);
    } catch (error) {
      if (await isLost(engine)) throw error;
      const message = `the network kept here does not open (${messageOf(error)}), so it begins anew and learns from your judgements, which are all here.`;
      this.#emit({ kind: "error", message });
      return open(keptAtStart(start));
    }
  }

  /** Lets go of what is open, beside the logs. */
  #shut(): void {
    this.#storage?.close();
    this.#device.close();
  }

  /** Goes on with another device in place of a lost one. */
  #goOn(engine: Engine): void {
    for (const session of this.#sessions()) session.restart(engine);
    this.#emit({ kind: "recovered" });
    for (const { task } of this.#sessions())
      this.#next(task.name)
        .then((question) => this.#emit({ kind: "question", task: task.name, question }))
        .catch((error) => this.#tell(error));
  }

  #tell(error: unknown): void {
    this.#emit({ kind: "error", message: messageOf(error) });
  }

  #sessions(): TeachingSession[] {
    // The two teach different kinds of examples; what they have in common is asked of all sessions.
    return [this.#digits, this.#own?.session].filter(
      (session) => session !== undefined,
    ) as unknown as TeachingSession[];
  }

  #session(name: TaskName): TeachingSession {
    const session = this.#sessions().find(({ task }) => task.name === name);
    if (!session) throw new Error(`there is no task "${name}" yet.`);
    return session;
  }

  /** Takes a judgement, which is stored when this resolves; gives the next question. */
  async judge(task: TaskName, answer: string, verdict: Verdict): Promise<Question | null> {
    await this.#session(task).judge(answer, verdict);
    return this.#next(task);
  }

  /** Takes the person's last judgement back and asks that question again. */
  async undo(task: TaskName): Promise<Question | null> {
    await this.#device.ready();
    await this.#session(task).undo();
    return this.#next(task);
  }

  async #next(task: TaskName): Promise<Question | null> {
    for (;;) {
      const engine = await this.#device.ready();
      try {
        return await this.#session(task).question();
      } catch (error) {
        if (!(await isLost(engine))) throw error;
      }
    }
  }

  /** Lets a simulated person, who knows the right answers, judge until it is stopped. */
  simulate(task: TaskName, labelNoise: number): void {
    this.#session(task)
      .simulate(simulatedPerson({ seed: SEED, labelNoise }))
      .catch((error) => this.#tell(error));
  }

  stop(task: TaskName): void {
    this.#session(task).stop();
  }

  explain(task: TaskName, example: string, action: number): Promise<Explanation> {
    return explain(this.#session(task), example, action);
  }

  inspect(task: TaskName): Promise<Insight> {
    return insightOf(this.#session(task));
  }

  // ── the person's own task ───────────────────────────────────────────────────────────────────────────────────────

  async own(): Promise<OwnTask> {
    return (await this.#ownLab()).state();
  }

  /** Opened once, however many ask for it at the same time. */
  #ownLab(): Promise<OwnTaskSession> {
    const { emit, storage } = { emit: this.#emit, storage: this.#storage! };
    this.#openingOwn ??= OwnTaskSession.open({ engine: () => this.#device.ready(), storage, emit }).then(
      (api) => {
        this.#own = api;
        return api;
      },
      (error) => {
        this.#openingOwn = undefined;
        throw error;
      },
    );
    return this.#openingOwn;
  }

  async ownClasses(classes: OwnClass[]): Promise<OwnTask> {
    return (await this.#ownLab()).setClasses(classes);
  }

  async ownAdd(inputs: readonly UserInput[], label: number | null): Promise<OwnTask> {
    return (await this.#ownLab()).add(inputs, label);
  }

  async ownRemove(id: string): Promise<OwnTask> {
    return (await this.#ownLab()).remove(id);
  }

  async ownTrain(): Promise<OwnTask> {
    return (await this.#ownLab()).train();
  }

  async ownPredict(input: UserInput): Promise<Answered | null> {
    return (await this.#ownLab()).predict(input);
  }

  // ── the engine ──────────────────────────────────────────────────────────────────────────────────────────────────

  profile(): Promise<EngineReport> {
    return profileOf(this.#session("digits"));
  }

  /** Loses the device, as a crash of its driver would, to see that the page goes on. */
  loseDevice(): void {
    this.#device.lose();
  }

  // ── keeping ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The judgements as a file of JSON lines, as the terminal program writes it. */
  async exportLog(task: TaskName): Promise<string> {
    if (task === "own") return (await this.#ownLab()).log();
    const records = this.#session(task).log.records();
    return records.map((record) => `${JSON.stringify(record)}\n`).join("");
  }

  /** The classes and examples of the own task as a file. */
  async exportOwn(): Promise<string> {
    return (await this.#ownLab()).file();
  }

  /** Adds the classes and examples of such a file; gives how many were new. All or none are taken. */
  async importOwn(text: string, name: string): Promise<number> {
    return (await this.#ownLab()).addFile(text, name);
  }

  /** The weights as a safetensors file. */
  exportWeights(task: TaskName): Promise<Uint8Array<ArrayBuffer>> {
    return this.#session(task).weights();
  }

  /** Adds the judgements of a file to the log of the task that they are of; gives how many were new. All or none are taken. */
  async importLog(text: string, name: string): Promise<number> {
    const session = this.#session("digits");
    const records = recordsOf(text, name, session.log);
    const isOwn = records.some((record) => record.kind !== "retraction" && record.example.startsWith("own/"));
    if (isOwn) return (await this.#ownLab()).addLog(text, name);
    const classes = session.task.classes.length;
    for (const record of records) {
      if (record.kind === "retraction") continue;
      const refuse = (what: string) => new FeedbackLogError(`judgement "${record.id}": ${what}`, { file: name });
      if (session.task.find(record.example) === undefined)
        throw refuse(`example "${record.example}" is not of this task`);
      if (record.probabilities.length !== classes)
        throw refuse(`${record.probabilities.length} probabilities, this task has ${classes} classes`);
    }
    return session.addRecords(records);
  }

  importWeights(task: TaskName, file: Uint8Array, name: string): Promise<void> {
    return this.#session(task).useWeights(file, name);
  }

  /** Deletes everything that was stored. Nothing works after it: the page is to be loaded again. */
  async wipe(): Promise<void> {
    const own = await this.#openingOwn?.catch(() => undefined);
    await own?.close();
    await this.#digits?.close();
    this.#shut();
    await deleteEverything(() => this.#emit({ kind: "blocked" }));
  }
}
