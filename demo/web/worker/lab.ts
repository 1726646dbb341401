import type { Remote } from "comlink";
import { openFeedbackLog } from "../../../src/browser.ts";
import { DataError, type TriDigit } from "../../../src/data/index.ts";
import { createEngine, type Engine } from "../../../src/index.ts";
import { FeedbackLogError, parseRecord, simulatedPerson } from "../../../src/rl/index.ts";
import type {
  Answered,
  EngineReport,
  Explanation,
  Happening,
  Insight,
  Material,
  Opening,
  OwnTask,
  Question,
  TaskName,
  Verdict,
} from "../shared/protocol.ts";
import { Course } from "./course.ts";
import { digitsTask, fetchBytes, fetchDigits, gunzip } from "./digits.ts";
import { insightOf } from "./insight.ts";
import { deleteEverything, Keeper, logNames } from "./keep.ts";
import { OwnLab } from "./own-lab.ts";
import { profileOf } from "./profile.ts";
import { explain } from "./why.ts";

/** What the page can ask of its worker. */
export type RemoteLab = Remote<Lab>;

const SEED = 1;

/** One device and the tasks that are learned on it. Replaces the device when it is lost. */
export class Lab {
  #engine!: Engine;
  #keeper!: Keeper;
  #digits!: Course<TriDigit>;
  #own: OwnLab | undefined;
  #emit: (happening: Happening) => void = () => {};
  #recovering: Promise<void> = Promise.resolve();

  /** Opens the device, the data and what was kept, and answers the first question. `base` is the page's folder. */
  async open(base: string, emit: (happening: Happening) => void): Promise<Opening> {
    this.#emit = emit;
    const fail = (obstacle: Extract<Opening, { ok: false }>["obstacle"], error: unknown): Opening => ({
      ok: false,
      obstacle,
      message: error instanceof Error ? error.message : String(error),
    });
    if (!navigator.gpu) return fail("no-webgpu", "navigator.gpu is missing");
    try {
      const folder = new URL("data/", base);
      const [engine, data, start] = await Promise.all([
        this.#openEngine(),
        fetchDigits(folder),
        fetchBytes(new URL("start.safetensors.gz", folder)).then(gunzip),
      ]);
      this.#keeper = await Keeper.open();
      const log = await openFeedbackLog(logNames.digits);
      const kept = (await this.#keeper.load("digits")) ?? {
        weights: start,
        optimiser: undefined,
        learner: undefined,
        engineSteps: 0,
        history: { updates: [], heldOut: [] },
      };
      const task = digitsTask(data);
      this.#digits = new Course<TriDigit>({ engine, task, log, keeper: this.#keeper, kept, start, emit });
      const question = await this.#digits.question();
      void this.#digits.lookAtStart().catch(() => {});
      return {
        ok: true,
        opened: {
          adapter: engine.adapter,
          software: /swiftshader|llvmpipe|lavapipe|basic render/i.test(engine.adapter),
          classes: this.#digits.task.classes,
          question,
          progress: this.#digits.progress(),
        },
      };
    } catch (error) {
      if (error instanceof FeedbackLogError && /another tab/.test(error.message)) return fail("other-tab", error);
      if (error instanceof DataError) return fail("data", error);
      return fail(/no adapter/.test(String(error)) ? "no-adapter" : "other", error);
    }
  }

  /** An engine that is replaced when its device is lost: by a crash of the driver, sleep, or too long a step. */
  async #openEngine(): Promise<Engine> {
    const engine = await createEngine({ seed: SEED });
    void engine.gpu.device.lost.then(() => {
      if (this.#engine !== engine) return;
      this.#emit({ kind: "lost" });
      this.#recovering = this.#recover().catch((error) => this.#emit({ kind: "error", message: String(error) }));
    });
    this.#engine = engine;
    return engine;
  }

  async #recover(): Promise<void> {
    const engine = await this.#openEngine();
    for (const course of this.#courses()) course.restart(engine);
    this.#emit({ kind: "recovered" });
    for (const course of this.#courses()) {
      this.#emit({ kind: "question", task: course.task.name, question: await course.question() });
    }
  }

  #courses(): Course[] {
    return [this.#digits, this.#own?.course].filter((course) => course !== undefined) as unknown as Course[];
  }

  #course(name: TaskName): Course {
    const course = this.#courses().find(({ task }) => task.name === name);
    if (!course) throw new Error(`there is no task "${name}" yet.`);
    return course;
  }

  /** Takes a judgement, which is stored when this resolves; gives the next question. */
  async judge(task: TaskName, answer: string, verdict: Verdict): Promise<Question | null> {
    await this.#course(task).judge(answer, verdict);
    return this.#next(task);
  }

  /** Takes the person's last judgement back and asks that question again. */
  async undo(task: TaskName): Promise<Question | null> {
    await this.#recovering;
    await this.#course(task).undo();
    return this.#next(task);
  }

  async #next(task: TaskName): Promise<Question | null> {
    for (;;) {
      await this.#recovering;
      const engine = this.#engine;
      try {
        return await this.#course(task).question();
      } catch (error) {
        // Where the device went in the middle of it, its loss is told at about the same time.
        const lost = await Promise.race([
          engine.gpu.device.lost.then(() => true),
          new Promise<false>((resolve) => setTimeout(() => resolve(false), 1000)),
        ]);
        if (!lost) throw error;
      }
    }
  }

  /** Lets a simulated person, who knows the right answers, judge until it is stopped. */
  simulate(task: TaskName, noise: number): void {
    void this.#course(task).simulate(simulatedPerson({ seed: SEED, noise }));
  }

  stop(task: TaskName): void {
    this.#course(task).stop();
  }

  explain(task: TaskName, example: string, action: number): Promise<Explanation> {
    return explain(this.#course(task), example, action);
  }

  inspect(task: TaskName): Promise<Insight> {
    return insightOf(this.#course(task));
  }

  // ── the person's own task ───────────────────────────────────────────────────────────────────────────────────────

  async own(): Promise<OwnTask> {
    this.#own ??= await OwnLab.open(() => this.#engine, this.#keeper, this.#emit);
    return this.#own.state();
  }

  ownClasses(classes: string[]): Promise<OwnTask> {
    return this.#own!.setClasses(classes);
  }

  ownAdd(materials: readonly Material[], label: number | null): Promise<OwnTask> {
    return this.#own!.add(materials, label);
  }

  ownRemove(id: string): Promise<OwnTask> {
    return this.#own!.remove(id);
  }

  ownTrain(): Promise<OwnTask> {
    return this.#own!.train();
  }

  ownPredict(material: Material): Promise<Answered | null> {
    return this.#own!.predict(material);
  }

  // ── the engine ──────────────────────────────────────────────────────────────────────────────────────────────────

  profile(): Promise<EngineReport> {
    return profileOf(this.#course("digits"));
  }

  /** Destroys the device, as a crash of its driver would, to see that the page goes on. */
  loseDevice(): void {
    this.#engine.gpu.device.destroy();
  }

  // ── keeping ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The judgements as a file of JSON lines, as the terminal program writes it. */
  async exportLog(task: TaskName): Promise<string> {
    if (task === "own") await this.own();
    const records = task === "own" ? await this.#own!.records() : this.#course(task).log.records();
    return records.map((record) => `${JSON.stringify(record)}\n`).join("");
  }

  /** The weights as a safetensors file. */
  exportWeights(task: TaskName): Promise<Uint8Array<ArrayBuffer>> {
    return this.#course(task).weights();
  }

  /** Adds the judgements of a file to the log; gives how many were new. All or none are taken. */
  async importLog(task: TaskName, text: string, name: string): Promise<number> {
    const course = this.#course(task);
    const records = text.split("\n").flatMap((line, i) => (line.trim() === "" ? [] : [parseRecord(line, i + 1, name)]));
    const byId = new Map(course.log.records().map((record) => [record.id, JSON.stringify(record)]));
    for (const [i, record] of records.entries()) {
      const stored = byId.get(record.id);
      if (stored !== undefined && stored !== JSON.stringify(record))
        throw new FeedbackLogError(`another record is called "${record.id}" already`, { file: name, line: i + 1 });
      if (record.kind !== "retraction" && course.task.find(record.example) === undefined)
        throw new FeedbackLogError(`example "${record.example}" is not of this task`, { file: name, line: i + 1 });
      if (record.kind !== "retraction" && record.probabilities.length !== course.task.classes.length)
        throw new FeedbackLogError(
          `${record.probabilities.length} probabilities, this task has ${course.task.classes.length} classes`,
          { file: name, line: i + 1, field: "probabilities" },
        );
    }
    return course.addRecords(records);
  }

  importWeights(task: TaskName, file: Uint8Array, name: string): Promise<void> {
    return this.#course(task).useWeights(file, name);
  }

  /** Deletes everything that was stored. Nothing works after it: the page is to be loaded again. */
  async wipe(): Promise<void> {
    await Promise.all(this.#courses().map((course) => course.close()));
    this.#keeper.close();
    await deleteEverything();
    this.#engine.destroy();
  }
}
