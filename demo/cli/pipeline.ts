import { batches, largest, Random } from "handgrad/data";
import { evaluateByModality, MultimodalNet, type Optimizer, trainEpoch } from "handgrad/model";
import { cosine, createEngine, type Engine, openFeedbackLog } from "handgrad/node";
import { type FeedbackLog, type Learner, memoryLog, methodRecord, rewarded, simulatedPerson } from "handgrad/rl";
import { distilled, optimizerOf } from "../learner/learner.ts";
import { loadTriDigits } from "../tridigits/load.ts";
import type { TriDigit, TriDigits } from "../tridigits/tridigits.ts";
import { agentOf, networkOf, roundOf, shifted } from "./agent.ts";
import { answersOf, figuresOf, type HeldOut, type TestResult, testOn } from "./held-out.ts";
import { humanJudge, type Judge, judgeAll, Quit, simulatedJudge } from "./judges.ts";
import { percent, progress, say } from "./progress.ts";
import { renderReport } from "./report.ts";
import type { RunResult } from "./result.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Settings } from "./settings.ts";
import type { Progress } from "./stage.ts";

/*
 * One run, from data to report: train on the labels, evaluate, learn from judgements, evaluate again. A checkpoint is
 * kept after every few seconds of work; everything random follows from the seed and the place in the run, so that a
 * resumed run computes the same bits as one that was never stopped.
 */

const BATCH = 32;
/** What is left of the learning rate for policy gradients: with more, ten judgements undo what hundreds of labels taught. */
const SMALL_STEPS = 0.1;
/** Judgements between two looks at the validation set; a person sees the result, and is asked less between two. */
const VALIDATE_EVERY = { simulated: 120, human: 20 };
/** Updates after the last judgement, while the learning rate cools down, as a share of those before. */
const SETTLING = 0.15;

/** Thrown to leave a run that was asked to stop, after its state was saved. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

export class Run {
  readonly #folder: RunFolder;
  readonly #settings: Settings;
  readonly #data: TriDigits;
  readonly #engine: Engine;
  readonly #net: MultimodalNet;
  readonly #optimizer: Optimizer;
  readonly #start = performance.now();
  readonly #stepTimes: number[] = [];
  #step = { dispatches: 0, submits: 0 };
  #progress: Progress = { stage: "train", epochs: 0, asked: 0, engineSteps: 0, learner: null, before: null };
  #stopping = false;

  private constructor(folder: RunFolder, data: TriDigits, engine: Engine) {
    this.#folder = folder;
    this.#settings = folder.settings;
    this.#data = data;
    this.#engine = engine;
    this.#net = networkOf(this.#settings, engine, data);
    this.#optimizer = optimizerOf(this.#net, this.#settings.lr);
  }

  /** Opens data and device, and picks up a run that was stopped. Nothing is written before all of that went well. */
  static async open(make: () => RunFolder | Promise<RunFolder>): Promise<Run> {
    const data = loadTriDigits();
    const folder = await make();
    await folder.lock();
    try {
      return await Run.#in(folder, data);
    } catch (error) {
      folder.unlock();
      throw error;
    }
  }

  static async #in(folder: RunFolder, data: TriDigits): Promise<Run> {
    const engine = await createEngine({ seed: folder.settings.seed, software: folder.settings.software });
    const run = new Run(folder, data, engine);
    const found = folder.loadCheckpoint(run.#net, run.#optimizer);
    if (found) {
      run.#progress = found;
      engine.stepCount = found.engineSteps;
    }
    say(`device: ${engine.adapter}`);
    say(
      `run: ${folder.path}${found ? ` (resumed in stage "${found.stage}" after ${found.epochs} epochs and ${found.asked} questions)` : ""}`,
    );
    return run;
  }

  /** Asks the run to save its state and end. */
  stop(): void {
    this.#stopping = true;
  }

  get path(): string {
    return this.#folder.path;
  }

  async run(): Promise<RunResult> {
    try {
      await this.#train();
      if (this.#settings.judgements > 0) await this.#learn();
      return await this.#finish();
    } catch (error) {
      if (error instanceof Error && /device was lost/.test(error.message))
        throw new Error(
          `${error.message} Go on with: handgrad ${this.#settings.command} --resume ${this.#folder.path}`,
          {
            cause: error,
          },
        );
      throw error;
    } finally {
      this.#engine.destroy();
      this.#folder.unlock();
    }
  }

  async #save(): Promise<void> {
    this.#progress.engineSteps = this.#engine.stepCount;
    await this.#folder.saveCheckpoint(this.#net, this.#optimizer, this.#progress);
  }

  async #pause({ save = true } = {}): Promise<void> {
    if (!this.#stopping) return;
    if (save) await this.#save();
    throw new Stopped(`stopped. Go on with: handgrad ${this.#settings.command} --resume ${this.#folder.path}`);
  }

  async #train(): Promise<void> {
    const { set, labels, seed, epochs } = this.#settings;
    if (this.#progress.stage !== "train") return;
    const examples = this.#data.set(set, seed, labels);
    const steps = Math.ceil(examples.length / BATCH);
    if (examples.length > 0 && this.#progress.epochs < epochs) {
      say(`training on the ${examples.length} labels of "${set}" for ${epochs} epochs of ${steps} steps`);
      const bar = progress("training", epochs * steps, { unit: "steps" });
      while (this.#progress.epochs < epochs) {
        const epoch = this.#progress.epochs;
        this.#optimizer.lr = this.#settings.lr * decayed(epoch / epochs);
        const moves = new Random("moved", seed, epoch);
        const moved = { length: examples.length, at: (i: number) => shifted(examples.at(i), moves) };
        const batch = batches(moved, BATCH, new Random("epoch", seed, epoch));
        let done = epoch * steps;
        const loss = await trainEpoch(this.#net, this.#optimizer, this.#timed(batch), {
          onStep: ({ loss }) => bar.at(++done, `loss ${loss.toFixed(3)}`),
        });
        await this.#folder.record({ kind: "train", epoch: epoch + 1, loss });
        this.#progress.epochs = epoch + 1;
        // An epoch of few steps is quickly done again.
        if (steps > 50 || (epoch + 1) % 10 === 0) {
          await this.#validate({ epoch: epoch + 1 });
          await this.#save();
        }
        await this.#pause();
      }
      bar.done();
    }
    this.#progress.stage = this.#settings.judgements > 0 ? "learn" : "done";
    if (this.#settings.judgements > 0) {
      const before = await this.#test({ subsets: false });
      const short = ({ accuracy, calibration }: TestResult) => ({ accuracy, ece: calibration.ece });
      this.#progress.before = { unseen: short(before.unseen), seen: short(before.seen) };
      say(
        `before any judgement: accuracy ${percent(before.unseen.accuracy)} on unseen speakers, ${percent(before.seen.accuracy)} on seen speakers`,
      );
      await this.#folder.saveModel(this.#net);
    }
    await this.#save();
  }

  /** Keeps the time of each step, from one batch to the next, and what the last one dispatched. */
  *#timed<T>(items: Iterable<T>): Generator<T> {
    let last = performance.now();
    for (const item of items) {
      yield item;
      const now = performance.now();
      this.#stepTimes.push(now - last);
      last = now;
      this.#step = this.#engine.stats().step;
    }
  }

  /** How good it is on the validation set: the network, or what a learner makes of it. */
  async #validate(at: { epoch?: number; judgements?: number }, agent?: Learner<TriDigit>): Promise<number> {
    const set = this.#data.set(this.#settings.validateOn ?? "validation", this.#settings.seed);
    const { accuracy, loss } = agent
      ? figuresOf(await answersOf(agent, set))
      : await evaluateByModality(this.#net, batches(set, 100), { subsets: false });
    await this.#folder.record({ kind: "validation", ...at, loss, accuracy });
    return accuracy;
  }

  async #learn(): Promise<void> {
    const { seed, judgements, target, method, human, labelNoise } = this.#settings;
    const round = roundOf(this.#settings);
    if (this.#progress.stage !== "learn") return;
    const log = await openFeedbackLog(this.#folder.file("feedback.jsonl"), { onNotice: say });
    const stream = this.#data.set("stream", seed);
    const order = new Random("questions", seed).shuffle(Array.from({ length: stream.length }, (_, i) => i));
    const agent = this.#agent(log);
    const judge: Judge = human ? humanJudge(log) : simulatedJudge(simulatedPerson({ seed, labelNoise }));
    const kind = human ? "human" : "simulated";
    say(
      `${judgements} judgements of a ${kind} person, ${round} between two updates (${method})${human ? ": y right, n wrong, s skip, u undo, p play, q quit" : ""}`,
    );
    const bar = human ? undefined : progress("learning", judgements, { unit: "judgements" });
    let rounds = 0;
    try {
      for (;;) {
        // What was answered about the examples asked so far: a log that is ahead of the checkpoint is used as asked.
        const asked = new Set(order.slice(0, this.#progress.asked).map((i) => stream.idAt(i)));
        const given = rewarded(log.judgements()).filter((j) => asked.has(j.example)).length;
        if (given >= judgements || this.#progress.asked >= stream.length) break;
        const rate = this.#settings.lr * (methodRecord(method).onPolicy ? SMALL_STEPS : 1);
        this.#optimizer.lr = rate * decayed(given / judgements / (1 + SETTLING));
        const size = Math.min(round, judgements - given);
        const questions = order.slice(this.#progress.asked, this.#progress.asked + size).map((i) => stream.at(i));
        await judgeAll(agent, questions, { log, judge });
        this.#progress.asked += questions.length;
        for (const { id } of questions) asked.add(id);
        const heard = log.judgements().filter((j) => asked.has(j.example));
        const updated = await agent.update(heard);
        this.#progress.learner = agent.state();
        const count = rewarded(heard).length;
        await this.#folder.record({ kind: "learn", ...updated, judgements: count });
        bar?.at(count, `reward ${updated.reward.toFixed(2)}`);
        rounds += 1;
        if (rounds % Math.ceil(VALIDATE_EVERY[kind] / round) === 0) {
          const accuracy = await this.#validate({ judgements: count }, agent);
          await this.#save();
          if (human) say(`after ${count} judgements: accuracy ${percent(accuracy)} on validation`);
          if (target !== null && accuracy >= target) {
            say(`the target of ${percent(target)} on validation is reached after ${count} judgements`);
            break;
          }
        }
        await this.#pause();
      }
      await this.#settle(agent, log);
    } catch (error) {
      if (error instanceof Quit) {
        this.#stopping = true;
        await this.#pause();
      }
      throw error;
    } finally {
      bar?.done();
      await log.close();
    }
    this.#progress.stage = "done";
    await this.#save();
  }

  /** Updates without new judgements. A run that is stopped here begins at the first of them again. */
  async #settle(agent: Learner<TriDigit>, log: FeedbackLog): Promise<void> {
    if (methodRecord(agent.method).onPolicy) return;
    const { judgements, lr } = this.#settings;
    await this.#save();
    const updates = Math.ceil((SETTLING * judgements) / roundOf(this.#settings));
    for (let i = 0; i < updates; i++) {
      this.#optimizer.lr = lr * decayed((1 + (SETTLING * i) / updates) / (1 + SETTLING));
      await agent.update(log.judgements());
      await this.#pause({ save: false });
    }
    this.#progress.learner = agent.state();
    // What is saved is the network: it is to answer alone as the learner does.
    await distilled(this.#net, agent, this.#optimizer);
    await this.#validate({ judgements: rewarded(log.judgements()).length }, agent);
  }

  #agent(log: FeedbackLog): Learner<TriDigit> {
    // the KL penalty holds to the policy that learning begins with, which is the model of the run until it is done.
    const reference = new MultimodalNet(this.#engine, this.#net.config);
    this.#folder.loadModel(reference);
    const state = this.#progress.learner;
    return agentOf(this.#net, this.#optimizer, {
      settings: this.#settings,
      data: this.#data,
      log,
      state,
      from: this.#folder.file("checkpoint.safetensors"),
      reference,
    });
  }

  #test(options: { subsets: boolean }, agent?: Learner<TriDigit>): Promise<Record<HeldOut, TestResult>> {
    const on = { net: this.#net, data: this.#data, seed: this.#settings.seed };
    return testOn({ ...on, ...(agent ? { agent } : {}) }, options);
  }

  async #finish(): Promise<RunResult> {
    const learned = this.#progress.learner && this.#agent(memoryLog());
    const after = await this.#test({ subsets: true }, learned ?? undefined);
    await this.#folder.saveModel(this.#net);
    const metrics = this.#folder.metrics();
    const result: RunResult = {
      adapter: this.#engine.adapter,
      parameters: this.#net.size,
      labels: this.#data.set(this.#settings.set, this.#settings.seed, this.#settings.labels).length,
      judgements: Math.max(0, largest(metrics.map((m) => (m.kind === "learn" ? m.judgements : 0)))),
      before: this.#progress.before ?? undefined,
      after,
      stepMs: median(this.#stepTimes),
      dispatchesPerStep: this.#step.dispatches,
      submitsPerStep: this.#step.submits,
      seconds: (performance.now() - this.#start) / 1000,
      folder: this.#folder.path,
    };
    await this.#folder.replace("report.html", renderReport({ settings: this.#settings, metrics, result }));
    return result;
  }
}

/** What is left of the learning rate after a share of the work: half a cosine from 1 to 0.05. */
const decayed = cosine(1, 1, 0.05);

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
