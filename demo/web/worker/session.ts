import { cosine, type Engine } from "handgrad";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Modality,
  MultimodalNet,
  type Optimizer,
  setWeights,
  weightsOf,
} from "handgrad/model";
import {
  type FeedbackLog,
  type Judgement,
  type Learner,
  optimisticArgmax,
  rewarded,
  type SimulatedPerson,
} from "handgrad/rl";
import { learnerFor, optimizerOf } from "../../learner/learner.ts";
import type { Counts, Progress, Question, Verdict, WorkerEvent } from "../shared/protocol.ts";
import { isLost } from "./lost.ts";
import { Questions } from "./questions.ts";
import type { Kept, PageStorage } from "./storage.ts";
import type { Task, TaskExample } from "./task.ts";

/** Judgements between two updates, and between two looks at the held-out examples, at a person's pace. */
const ROUND = 5;
const VALIDATE_EVERY = 10;
/** The same where a simulated person judges. */
const SIMULATED_ROUND = 20;
const SIMULATED_VALIDATE_EVERY = 40;
/** Judgements over which the learning rate falls from its first value to a tenth of it. */
const DECAY_JUDGEMENTS = 1000;
const RATE = 1.5e-3;
const SEED = 1;
/** How a right answer that a person gave beside a rejection stands in the log. */
const CORRECTION = "correction";
const PERSON = "me";

const decayed = cosine(1, 1, 0.1);

export interface TeachingSessionOptions<E extends TaskExample> {
  engine: Engine;
  task: Task<E>;
  log: FeedbackLog;
  storage: PageStorage;
  /** The state to go on with. */
  kept: Kept;
  /** Weights that learning began with: how far it has gone from them is told. */
  start?: Uint8Array<ArrayBuffer>;
  emit: (event: WorkerEvent) => void;
}

/**
 * A task being learned: asks, hears judgements, learns from them, and keeps all of it. Judging needs no device, so that
 * nothing said is lost while a lost one is replaced (`restart`).
 */
export class TeachingSession<E extends TaskExample = TaskExample> {
  task: Task<E>;
  readonly log: FeedbackLog;
  net!: MultimodalNet;
  engine!: Engine;
  #optimizer!: Optimizer;
  #agent!: Learner<E>;
  #kept: Kept;
  readonly #start: Uint8Array<ArrayBuffer> | undefined;
  #reference: MultimodalNet | undefined;
  readonly #storage: PageStorage;
  readonly #emit: (event: WorkerEvent) => void;
  readonly #questions: Questions<E>;
  /** The right answer to an example, while the rejection of the network's is being stored. */
  readonly #corrections = new Map<string, number>();
  #learning: Promise<void> | undefined;
  #simulating = false;
  #simulation: Promise<void> | undefined;
  #closed = false;

  constructor({ engine, task, log, storage, kept, start, emit }: TeachingSessionOptions<E>) {
    this.task = task;
    this.log = log;
    this.#storage = storage;
    this.#kept = kept;
    this.#start = start;
    this.#emit = emit;
    this.#questions = new Questions({
      log,
      task: () => this.task,
      agent: () => this.#agent,
      failed: this.#failed,
    });
    this.restart(engine);
  }

  /** Goes on, on this engine, with what was last kept. */
  restart(engine: Engine): void {
    const { weights, optimizer, learner: state, engineSteps } = this.#kept;
    this.engine = engine;
    engine.stepCount = Math.max(engine.stepCount, engineSteps);
    this.net = new MultimodalNet(engine, { ...this.task.config, seed: SEED });
    setWeights(this.net, decodeSafetensors(weights));
    if (this.#start) {
      this.#reference = new MultimodalNet(engine, { ...this.task.config, seed: SEED });
      setWeights(this.#reference, decodeSafetensors(this.#start));
    }
    this.#optimizer = optimizerOf(this.net, RATE);
    if (optimizer) this.#optimizer.restore(optimizer);
    this.#agent = this.#agentFor(ROUND);
    if (state) this.#agent.restore(state);
    this.#questions.restart();
    this.#learning = undefined;
  }

  /** A learner that is told of so many judgements at a time. */
  #agentFor(round: number): Learner<E> {
    const { task, log } = this;
    return learnerFor<E>(this.net, this.#optimizer, {
      round,
      log: {
        ...log,
        append: async (record) => {
          const label = record.kind === "judgement" ? this.#corrections.get(record.example) : undefined;
          // Both halves of what the person said are stored, or neither.
          await log.appendAll(label === undefined ? [record] : [record, correctionOf(record as Judgement, label)]);
        },
      },
      ...(this.#reference ? { reference: this.#reference } : {}),
      // Without a stream of examples that nobody judges there is nothing to believe of them.
      method: task.unlabeled ? "posterior" : "replay",
      seed: SEED,
      labeled: task.labeled as readonly (E & { label: number })[],
      ...(task.unlabeled ? { unlabeled: task.unlabeled } : {}),
      ...(task.recurring ? { recurring: task.recurring } : {}),
      find: (id) => this.task.find(id),
      batchOf: (examples) => this.task.batchOf(examples),
    });
  }

  /** Goes on with a learner for rounds of this size, which remembers what the former one did. */
  #changeRound(round: number): void {
    const agent = this.#agentFor(round);
    agent.restore(this.#agent.state());
    this.#agent = agent;
  }

  /** What is answered to examples, [N][A]: probabilities, from these modalities alone or from all. */
  predict(examples: readonly E[], modalities?: readonly Modality[]): Promise<number[][]> {
    return this.#agent.predict(examples, modalities ? { modalities } : {});
  }

  /** Goes on with other examples, on the same network. */
  async retask(task: Task<E>): Promise<void> {
    await this.#rest();
    this.task = task;
    this.#changeRound(ROUND);
    this.#report();
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
    const { id } = question.shown;
    if (corrected) this.#corrections.set(id, verdict.label!);
    try {
      await this.#questions.judge(answer, { reward, judge: PERSON });
    } catch (error) {
      this.#questions.putBack(question);
      throw error;
    } finally {
      this.#corrections.delete(id);
    }
    this.#report();
    this.#learn();
  }

  /** Takes the person's last judgement back and asks again. */
  async undo(): Promise<boolean> {
    let undone = await this.log.undo(PERSON);
    if (!undone) return false;
    if (undone.acquisition === CORRECTION) undone = await this.log.undo(PERSON);
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
      this.#changeRound(SIMULATED_ROUND);
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
      this.#changeRound(ROUND);
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
    if (this.#learning || this.#simulating || this.#waiting() < ROUND) return;
    this.#emit({ kind: "learning", task: this.task.name, on: true });
    const learning = (async () => {
      while (this.#waiting() >= ROUND && !this.#closed) {
        await this.#update();
        await this.#validate(VALIDATE_EVERY);
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

  #waiting(): number {
    return this.#agent.waiting;
  }

  async #update(): Promise<void> {
    const judgements = rewarded(this.log.judgements()).length;
    this.#optimizer.lr = RATE * decayed(Math.min(1, judgements / DECAY_JUDGEMENTS));
    const steps = this.engine.stepCount;
    const start = performance.now();
    const { reward, entropy, kl, loss } = await this.#agent.update();
    const stepMs = (performance.now() - start) / Math.max(1, this.engine.stepCount - steps);
    this.#kept.history.updates.push({ judgements, reward, entropy, kl, loss, stepMs });
    this.#report();
  }

  /** Measures held-out accuracy where so many judgements came since the last time. */
  async #validate(every: number): Promise<void> {
    const { heldOut } = this.#kept.history;
    const judgements = rewarded(this.log.judgements()).length;
    const last = heldOut.at(-1);
    if (last && Math.abs(judgements - last.judgements) < every) return;
    const said = await this.predict(this.task.heldOut);
    const right = this.task.heldOut.filter(({ label }, i) => label === optimisticArgmax(said[i]!)).length;
    heldOut.push({ judgements, accuracy: right / this.task.heldOut.length });
    this.#report();
  }

  /** The first point of the chart, before anything was judged. */
  async validateStart(): Promise<void> {
    if (this.#kept.history.heldOut.length === 0 && this.task.heldOut.length > 0) await this.#validate(1);
  }

  async #keep(): Promise<void> {
    if (this.#closed) return;
    this.#kept = {
      weights: encodeSafetensors(await weightsOf(this.net)),
      optimizer: await this.#optimizer.state(),
      learner: this.#agent.state(),
      engineSteps: this.engine.stepCount,
      history: this.#kept.history,
    };
    await this.#storage.save(this.task.name, this.#kept);
  }

  // ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  progress(): Progress {
    return { counts: this.#counts(), ...this.#kept.history };
  }

  #counts(): Counts {
    const all = this.log.judgements().filter((j) => j.acquisition !== CORRECTION);
    const count = (holds: (j: Judgement) => boolean) => all.filter(holds).length;
    return {
      judged: count((j) => j.reward !== null),
      right: count((j) => j.reward !== null && j.reward > 0),
      wrong: count((j) => j.reward !== null && j.reward <= 0),
      skipped: count((j) => j.reward === null),
      simulated: count((j) => j.reward !== null && j.judge.startsWith("simulated")),
      waiting: this.#waiting(),
    };
  }

  #report(): void {
    if (!this.#closed) this.#emit({ kind: "progress", task: this.task.name, progress: this.progress() });
  }

  /** A lost device is dealt with elsewhere; anything else is told. */
  readonly #failed = async (error: unknown): Promise<void> => {
    if (this.#closed || (await isLost(this.engine))) return;
    this.#emit({ kind: "error", message: error instanceof Error ? error.message : String(error) });
  };

  // ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async weights(): Promise<Uint8Array<ArrayBuffer>> {
    return encodeSafetensors(await weightsOf(this.net));
  }

  /** Goes on with weights of a file. @throws WeightsError where they are of another network; nothing has changed then. */
  async useWeights(file: Uint8Array, name: string): Promise<void> {
    await this.#rest();
    setWeights(this.net, decodeSafetensors(file, name), name);
    this.#kept = { ...this.#kept, weights: await this.weights(), optimizer: undefined };
    this.restart(this.engine);
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
    const state = this.#agent.state();
    const learnedFrom = [...(state.learnedFrom ?? []), ...imported.map(({ id }) => id)];
    this.#agent.restore({ ...state, learned: learnedFrom.length, learnedFrom });
    await this.#afterImport();
    return added;
  }

  /** What follows an import may fail, as by a lost device; the import itself is stored by then. */
  async #afterImport(): Promise<void> {
    try {
      const { heldOut } = this.#kept.history;
      // Another network may be there than the last point is of.
      const judgements = rewarded(this.log.judgements()).length;
      this.#kept.history.heldOut = heldOut.filter((point) => point.judgements < judgements);
      await this.#validate(1);
      await this.#keep();
    } catch (error) {
      await this.#failed(error);
    }
    this.#report();
    await this.#askAnew();
  }
}

/** The right answer, as one more judgement: approval of the label that the person named. */
function correctionOf(judgement: Judgement, label: number): Judgement {
  return {
    ...judgement,
    id: `${judgement.id} corrected`,
    action: label,
    // It was not drawn at all; what the policy would have drawn it with is the nearest true thing.
    propensity: Math.max(judgement.probabilities[label]!, 1e-6),
    acquisition: CORRECTION,
    inclusionProbability: null,
    reward: 1,
  };
}
