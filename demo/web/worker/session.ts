import type { Engine } from "handgrad";
import type { Modality } from "handgrad/model";
import { type FeedbackLog, type Judgement, rewarded, type SimulatedPerson } from "handgrad/rl";
import type { Counts, Progress, Question, Verdict, WorkerEvent } from "../shared/protocol.ts";
import { Corrections, isCorrection } from "./corrections.ts";
import { messageOf } from "./errors.ts";
import { isLost } from "./lost.ts";
import { TaskNetwork } from "./network.ts";
import { Questions } from "./questions.ts";
import type { Kept, PageStorage } from "./storage.ts";
import type { Task, TaskExample } from "./task.ts";

/** Judgements that an update learns from, and the most that are learned from between two looks at the held-out examples. */
const ROUND = 5;
const VALIDATE_EVERY = 10;
/** The same where a simulated person judges. */
const SIMULATED_ROUND = 20;
const SIMULATED_VALIDATE_EVERY = 40;
const PERSON = "me";

export interface TeachingSessionOptions<E extends TaskExample> {
  engine: Engine;
  task: Task<E>;
  log: FeedbackLog;
  storage: PageStorage;
  /** The state to go on with. */
  kept: Kept;
  /** Weights that learning began with: how far it has gone from them is told. */
  start?: Uint8Array<ArrayBuffer>;
  /** Of all that is random. */
  seed?: number;
  emit: (event: WorkerEvent) => void;
}

/**
 * A task being learned: asks, hears judgements, learns from them, and keeps all of it. Judging needs no device, so that
 * nothing said is lost while a lost one is replaced (`restart`).
 */
export class TeachingSession<E extends TaskExample = TaskExample> {
  task: Task<E>;
  readonly log: FeedbackLog;
  readonly network: TaskNetwork<E>;
  readonly #storage: PageStorage;
  readonly #emit: (event: WorkerEvent) => void;
  readonly #questions: Questions<E>;
  readonly #corrections: Corrections;
  #learning: Promise<void> | undefined;
  #measuringStart: Promise<void> | undefined;
  /** How many judgements were learned from when it was measured last. */
  #validatedAt = 0;
  #simulating = false;
  #simulation: Promise<void> | undefined;
  #closed = false;

  constructor({ engine, task, log, storage, kept, start, seed, emit }: TeachingSessionOptions<E>) {
    this.task = task;
    this.log = log;
    this.#storage = storage;
    this.#emit = emit;
    this.#corrections = new Corrections(log);
    this.network = new TaskNetwork({ engine, task, log: this.#corrections.log, kept, start, round: ROUND, seed });
    this.#questions = new Questions({
      log,
      task: () => this.task,
      network: this.network,
      failed: this.#failed,
    });
  }

  /** Goes on, on this engine, with what was last kept. */
  restart(engine: Engine): void {
    this.network.restart(engine, ROUND);
    this.#goOn();
  }

  /** Goes on with the network as it now is: what runs on the former one is of no use any more. */
  #goOn(): void {
    this.#questions.restart();
    this.#learning = undefined;
  }

  /** What is answered to examples, [N][A]: probabilities, from these modalities alone or from all. */
  predict(examples: readonly E[], modalities?: readonly Modality[]): Promise<number[][]> {
    return this.network.predict(examples, modalities);
  }

  /** Goes on with other examples, on the same network. */
  async retask(task: Task<E>): Promise<void> {
    await this.#rest();
    this.task = task;
    this.network.changeRound(ROUND, task);
    this.#report();
    this.#tellStanding();
    await this.#askAnew();
  }

  /** Ends the loops; what runs is finished first. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#questions.idle();
    await this.#rest();
    await this.log.close();
  }

  /** Once nothing learns here and nobody judges in the person's place. */
  async #rest(): Promise<void> {
    this.#simulating = false;
    await this.#simulation;
    await this.#learning;
  }

  /** Asks once more, of the network and the examples as they now are. What was stored stays stored where this fails. */
  async #askAnew(): Promise<void> {
    this.#questions.forget();
    if (this.#closed) return;
    try {
      this.#emit({ kind: "question", task: this.task.name, question: await this.question() });
    } catch (error) {
      await this.#failed(error);
    }
  }

  /** The open question, or the next one; null where all were answered. */
  question(): Promise<Question | null> {
    return this.#questions.current();
  }

  // ── judging ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a person's judgement of the open question. It is stored when this resolves. */
  async judge(answer: string, verdict: Verdict): Promise<void> {
    const question = this.#questions.take(answer);
    if (!question) return; // Pressed twice: it has been judged.
    const corrected = verdict.label !== undefined && verdict.label !== question.action;
    const reward = verdict.label === undefined ? verdict.reward : corrected ? -1 : 1;
    const label = corrected ? verdict.label : undefined;
    try {
      await this.#corrections.store(question.shown.id, label, () =>
        this.#questions.judge(answer, { reward, judge: PERSON }),
      );
    } catch (error) {
      this.#questions.putBack(question);
      throw error;
    }
    this.#report();
    this.#learn();
  }

  /** Takes the person's last judgement back and asks again. */
  async undo(): Promise<boolean> {
    let undone = await this.log.undo(PERSON);
    if (!undone) return false;
    if (isCorrection(undone)) undone = await this.log.undo(PERSON);
    this.#report();
    this.#questions.putBack((await this.#questions.ask([undone!.example]))[0]);
    return true;
  }

  /** Lets a simulated person judge until `stop` is called, or nothing is left to ask. */
  simulate(person: SimulatedPerson): Promise<void> {
    this.#simulation ??= this.#simulate(person).finally(() => {
      this.#simulation = undefined;
    });
    return this.#simulation;
  }

  async #simulate(person: SimulatedPerson): Promise<void> {
    this.#simulating = true;
    this.#emit({ kind: "simulated", on: true });
    try {
      await this.#learning;
      this.network.changeRound(SIMULATED_ROUND);
      while (this.#simulating) {
        const done = new Set(this.log.judgements().map((j) => j.example));
        const ids = this.task.questions.filter((id) => !done.has(id)).slice(0, SIMULATED_ROUND);
        if (ids.length === 0) break;
        for (const { answer, shown, action } of await this.#questions.ask(ids)) {
          const verdict = person.judge({ id: shown.id, label: shown.label! }, action);
          const reward = "skip" in verdict ? null : verdict.reward;
          await this.#questions.judge(answer, { reward, judge: person.name });
        }
        this.#report();
        await this.#update();
        await this.#validate(SIMULATED_VALIDATE_EVERY);
        await this.#keep();
      }
      await this.#validate(1);
      await this.#keep();
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#simulating = false;
      this.network.changeRound(ROUND);
      if (!this.#closed) this.#emit({ kind: "simulated", on: false });
      await this.#askAnew();
    }
  }

  stop(): void {
    this.#simulating = false;
  }

  // ── learning ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Learns from what is new, if it is enough; a person goes on judging meanwhile. */
  #learn(): void {
    if (this.#learning || this.#simulating || this.network.waiting < ROUND) return;
    this.#emit({ kind: "learning", task: this.task.name, on: true });
    const learning = (async () => {
      await this.#measuringStart;
      while (this.network.waiting >= ROUND && !this.#closed) {
        await this.#update();
        // While nothing waits to be learned from there is time to look; where a person is faster, it is not each time.
        await this.#validate(VALIDATE_EVERY, () => this.network.waiting < ROUND);
        await this.#keep();
      }
    })()
      .catch(this.#failed)
      .finally(() => {
        if (this.#learning === learning) this.#learning = undefined;
        this.#emit({ kind: "learning", task: this.task.name, on: false });
      });
    this.#learning = learning;
  }

  async #update(): Promise<void> {
    const effects = await this.network.update({ told: !this.#simulating });
    this.#report();
    if (effects.length > 0) this.#emit({ kind: "learned", task: this.task.name, effects });
  }

  /**
   * Measures what was learned, and answers by it from then on unless it is worse: where so many judgements were learned from
   * since the last time, and also before as long as there is time.
   */
  async #validate(every: number, isTime: () => boolean = () => false): Promise<void> {
    const isDue = Math.abs(this.network.learned - this.#validatedAt) >= every;
    if (!(await this.network.validate(() => isDue || isTime()))) return;
    this.#validatedAt = this.network.learned;
    this.#report();
    this.#tellStanding();
  }

  /** The first point of the chart, before anything was judged; what is learned is compared with it. */
  validateStart(): Promise<void> {
    const { network, task } = this;
    if (network.standing !== null || task.heldOut.length === 0) return Promise.resolve();
    const measuring = this.#validate(0);
    this.#measuringStart = measuring.catch(() => {});
    return measuring;
  }

  async #keep(): Promise<void> {
    if (this.#closed) return;
    await this.#storage.save(this.task.name, await this.network.keep());
  }

  // ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  progress(): Progress {
    return { counts: this.#counts(), ...this.network.history };
  }

  #counts(): Counts {
    const all = this.log.judgements().filter((j) => !isCorrection(j));
    const count = (holds: (j: Judgement) => boolean) => all.filter(holds).length;
    return {
      judged: count((j) => j.reward !== null),
      right: count((j) => j.reward !== null && j.reward > 0),
      wrong: count((j) => j.reward !== null && j.reward <= 0),
      skipped: count((j) => j.reward === null),
      simulated: count((j) => j.reward !== null && j.judge.startsWith("simulated")),
      waiting: this.network.waiting,
    };
  }

  #report(): void {
    if (!this.#closed) this.#emit({ kind: "progress", task: this.task.name, progress: this.progress() });
  }

  #tellStanding(): void {
    if (!this.#closed) this.#emit({ kind: "measured", task: this.task.name, standing: this.network.standing });
  }

  /** A lost device is dealt with elsewhere; anything else is told. */
  readonly #failed = async (error: unknown): Promise<void> => {
    if (this.#closed || (await isLost(this.network.engine))) return;
    this.#emit({ kind: "error", message: messageOf(error) });
  };

  // ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

  weights(): Promise<Uint8Array<ArrayBuffer>> {
    return this.network.weights();
  }

  /** Goes on with weights of a file. @throws WeightsError where they are of another network; nothing has changed then. */
  async useWeights(file: Uint8Array, name: string): Promise<void> {
    await this.#rest();
    await this.network.useWeights(file, name, ROUND);
    this.#goOn();
    await this.#keep();
    await this.#afterImport();
  }

  /** Adds the records that are new, all or none. All of them have been checked. */
  async addRecords(records: Parameters<FeedbackLog["append"]>[0][]): Promise<number> {
    await this.#rest();
    const before = new Set(this.log.records().map(({ id }) => id));
    const added = await this.log.appendAll(records);
    // What is imported is learned from by replay, and not once more as if it had just been said; what waited waits on.
    const imported = rewarded(this.log.judgements()).filter(({ id }) => !before.has(id));
    this.network.countAsLearned(imported.map(({ id }) => id));
    await this.#afterImport();
    return added;
  }

  /** What follows an import may fail, as by a lost device; the import itself is stored by then. */
  async #afterImport(): Promise<void> {
    try {
      await this.network.validateAnew();
      await this.#keep();
    } catch (error) {
      await this.#failed(error);
    }
    this.#report();
    this.#tellStanding();
    await this.#askAnew();
  }
}
