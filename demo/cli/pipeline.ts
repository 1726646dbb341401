import {
  batches,
  channelsFirst,
  fromChannelsFirst,
  Random,
  randomShift,
  type SetName,
  type TriDigit,
  type TriDigits,
  triDigitsShape,
} from "../../src/data/index.ts";
import {
  evaluateByModality,
  type ModalityEvaluation,
  MultimodalNet,
  type Optimiser,
  trainEpoch,
} from "../../src/model/index.ts";
import { openFeedbackLog } from "../../src/node/feedback-log.ts";
import { adam, cosine, createEngine, type Engine } from "../../src/node.ts";
import {
  type FeedbackLog,
  type Learner,
  learner,
  type Method,
  memoryLog,
  rewarded,
  simulatedPerson,
} from "../../src/rl/index.ts";
import { humanJudge, type Judge, Quit, simulatedJudge } from "./judges.ts";
import { progress, say } from "./progress.ts";
import { renderReport } from "./report.ts";
import type { Progress, RunFolder } from "./run-folder.ts";
import type { Settings } from "./settings.ts";
import { loadTriDigits } from "./tridigits.ts";

/*
 * One run, from data to report: train on the labels, evaluate, learn from judgements, evaluate again. A checkpoint is
 * kept after every few seconds of work; everything random follows from the seed and the place in the run, so that a
 * resumed run computes the same bits as one that was never stopped.
 */

const BATCH = 32;
/** Examples judged between two updates: a simulated person is asked in larger rounds. */
const ROUND = { simulated: 40, human: 5 };
/** Policy gradients use a judgement once, and do better with many small updates. */
const SMALL_ROUND = 10;
/** What is left of the learning rate for them: with more, ten judgements undo what hundreds of labels taught. */
const SMALL_STEPS = 0.1;
/** Judgements between two looks at the validation set; a person sees the result, and is asked less between two. */
const LOOK = { simulated: 120, human: 20 };
/** Steps for each judgement, and unlabelled examples that are looked at for each. */
const STEPS = 1.1;
const SCANNED = 8;
/** Updates after the last judgement, while the learning rate cools down, as a share of those before. */
const SETTLING = 0.15;
const TESTS = { strangers: "test-strangers", met: "test-met" } as const;
type Test = keyof typeof TESTS;

/** Thrown to leave a run that was asked to stop, after its state was saved. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

/** Accuracy by speaker is known here alone: the network does not know who spoke. */
export type TestResult = ModalityEvaluation & {
  bySpeaker: Record<string, { accuracy: number; count: number }>;
  /** Accuracy of the network alone, without what a learner remembers beside it. */
  network: number;
};

export interface RunResult {
  adapter: string;
  parameters: number;
  labels: number;
  judgements: number;
  before: Record<Test, number> | undefined;
  after: Record<Test, TestResult>;
  stepMs: number;
  dispatchesPerStep: number;
  submitsPerStep: number;
  seconds: number;
  folder: string;
}

export class Run {
  readonly #folder: RunFolder;
  readonly #settings: Settings;
  readonly #data: TriDigits;
  readonly #engine: Engine;
  readonly #net: MultimodalNet;
  readonly #optimiser: Optimiser;
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
    const { image, bands, classes } = triDigitsShape;
    const { fusion, seed, lr } = this.#settings;
    const sizes = { image, vocabulary: data.tokeniser.size, audio: bands, classes };
    this.#net = new MultimodalNet(engine, { ...sizes, fusion, dropout: 0.3, modalityDropout: 0.15, seed });
    this.#optimiser = adam(this.#net.parameters(), { lr, clipNorm: 1 });
  }

  /** Opens data and device, and picks up a run that was stopped. Nothing is written before all of that went well. */
  static async open(make: () => RunFolder): Promise<Run> {
    const data = loadTriDigits();
    const folder = make();
    const engine = await createEngine({ seed: folder.settings.seed, software: folder.settings.software });
    const run = new Run(folder, data, engine);
    const found = folder.loadCheckpoint(run.#net, run.#optimiser);
    if (found) {
      run.#progress = found;
      engine.gpu.steps = found.engineSteps;
    }
    say(`device: ${engine.adapter}`);
    say(
      `run: ${folder.path}${found ? ` (resumed in stage "${found.stage}" after ${found.epochs} epochs and ${found.asked} questions)` : ""}`,
    );
    return run;
  }

  /** Judgements between two updates. */
  get #round(): number {
    const { human, method } = this.#settings;
    if (human) return ROUND.human;
    return onPolicy(method) ? SMALL_ROUND : ROUND.simulated;
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
    } finally {
      this.#engine.destroy();
    }
  }

  async #save(): Promise<void> {
    this.#progress.engineSteps = this.#engine.gpu.steps;
    await this.#folder.saveCheckpoint(this.#net, this.#optimiser, this.#progress);
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
        this.#optimiser.lr = this.#settings.lr * cooled(epoch / epochs);
        const batch = batches(examples, BATCH, new Random("epoch", seed, epoch));
        let done = epoch * steps;
        const loss = await trainEpoch(this.#net, this.#optimiser, this.#timed(batch), {
          onStep: ({ loss }) => bar.at(++done, `loss ${loss.toFixed(3)}`),
        });
        this.#folder.record({ kind: "train", epoch: epoch + 1, loss });
        this.#progress.epochs = epoch + 1;
        // An epoch of few steps is quickly done again.
        if (steps > 50 || (epoch + 1) % 10 === 0) {
          await this.#look({ epoch: epoch + 1 });
          await this.#save();
        }
        await this.#pause();
      }
      bar.done();
    }
    this.#progress.stage = this.#settings.judgements > 0 ? "learn" : "done";
    if (this.#settings.judgements > 0) {
      const before = await this.#test({ subsets: false });
      this.#progress.before = { strangers: before.strangers.accuracy, met: before.met.accuracy };
      say(
        `before any judgement: accuracy ${percent(before.strangers.accuracy)} on strangers' voices, ${percent(before.met.accuracy)} on voices met`,
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
  async #look(at: { epoch?: number; judgements?: number }, agent?: Learner<TriDigit>): Promise<number> {
    const set = this.#data.set(this.#settings.look ?? "validation", this.#settings.seed);
    const { accuracy, loss } = agent
      ? scored(await agent.predict([...set]), [...set])
      : await evaluateByModality(this.#net, batches(set, 100), { subsets: false });
    this.#folder.record({ kind: "validation", ...at, loss, accuracy });
    return accuracy;
  }

  async #learn(): Promise<void> {
    const { seed, judgements, target, method, human, noise } = this.#settings;
    if (this.#progress.stage !== "learn") return;
    const log = await openFeedbackLog(this.#folder.file("feedback.jsonl"), { onNotice: say });
    const stream = this.#data.set("stream", seed);
    const order = new Random("questions", seed).shuffle(Array.from({ length: stream.length }, (_, i) => i));
    const agent = this.#agent(log);
    const judge: Judge = human ? humanJudge(log) : simulatedJudge(simulatedPerson({ seed, noise }));
    const kind = human ? "human" : "simulated";
    say(
      `${judgements} judgements of a ${kind} person, ${this.#round} between two updates (${method})${human ? ": y right, n wrong, s skip, u undo, p play, q quit" : ""}`,
    );
    const bar = human ? undefined : progress("learning", judgements, { unit: "judgements" });
    let rounds = 0;
    try {
      for (;;) {
        // What was answered about the examples asked so far: a log that is ahead of the checkpoint is used as asked.
        const asked = new Set(order.slice(0, this.#progress.asked).map((i) => idAt(stream, i)));
        const given = rewarded(log.judgements()).filter((j) => asked.has(j.example)).length;
        if (given >= judgements || this.#progress.asked >= stream.length) break;
        const rate = this.#settings.lr * (onPolicy(method) ? SMALL_STEPS : 1);
        this.#optimiser.lr = rate * cooled(given / judgements / (1 + SETTLING));
        const size = Math.min(this.#round, judgements - given);
        const questions = order.slice(this.#progress.asked, this.#progress.asked + size).map((i) => stream.at(i));
        const answers = new Map((await agent.actOn(questions)).map((answer) => [answer.example, answer]));
        const isOpen = ({ id }: TriDigit) => !log.judgements().some((j) => j.example === id);
        // Until each has its judgement: one that is taken back is asked again.
        for (let example = questions.find(isOpen); example; example = questions.find(isOpen)) {
          const answer = answers.get(example.id) ?? (await agent.act(example));
          answers.delete(example.id);
          await judge(agent, example, answer);
        }
        this.#progress.asked += questions.length;
        for (const { id } of questions) asked.add(id);
        const heard = log.judgements().filter((j) => asked.has(j.example));
        const updated = await agent.update(heard);
        this.#progress.learner = agent.state();
        const count = rewarded(heard).length;
        this.#folder.record({ kind: "learn", ...updated, judgements: count });
        bar?.at(count, `reward ${updated.reward.toFixed(2)}`);
        rounds += 1;
        if (rounds % Math.ceil(LOOK[kind] / this.#round) === 0) {
          const accuracy = await this.#look({ judgements: count }, agent);
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
    if (onPolicy(agent.method)) return;
    const { judgements, lr } = this.#settings;
    await this.#save();
    const updates = Math.ceil((SETTLING * judgements) / this.#round);
    for (let i = 0; i < updates; i++) {
      this.#optimiser.lr = lr * cooled((1 + (SETTLING * i) / updates) / (1 + SETTLING));
      await agent.update(log.judgements());
      await this.#pause({ save: false });
    }
    this.#progress.learner = agent.state();
    await this.#look({ judgements: rewarded(log.judgements()).length }, agent);
  }

  /** The network with what it may learn from: labels, judgements, and the stream without labels. */
  #agent(log: FeedbackLog): Learner<TriDigit> {
    const { seed, labels, set, method } = this.#settings;
    const stream = this.#data.set("stream", seed);
    const byId = new Map(stream.places.map((_, i) => [idAt(stream, i), i]));
    // The leash holds to the policy that learning begins with, which is the model of the run until it is done.
    const reference = new MultimodalNet(this.#engine, this.#net.config);
    this.#folder.loadModel(reference);
    const agent = learner<TriDigit>(this.#net, this.#optimiser, {
      log,
      reference,
      method,
      seed,
      labelled: [...this.#data.set(set, seed, labels)],
      unlabelled: stream,
      recurring: { key: ({ words }) => words.join(" "), rest: ["image", "audio"] },
      vary: shifted,
      find: (id) => (byId.has(id) ? stream.at(byId.get(id)!) : undefined),
      replays: Math.round(STEPS * this.#round),
      scanned: SCANNED * this.#round,
    });
    if (this.#progress.learner) agent.restore(this.#progress.learner);
    return agent;
  }

  /** Both test sets: the answers are those of the learner where one is given, the figures by modality the network's. */
  async #test(options: { subsets: boolean }, agent?: Learner<TriDigit>): Promise<Record<Test, TestResult>> {
    const which = ["strangers", "met"] as const;
    const results: Partial<Record<Test, TestResult>> = {};
    const sizes = which.map((test) => this.#data.set(TESTS[test], this.#settings.seed).length);
    const bar = progress(
      "evaluating",
      sizes.reduce((a, b) => a + b, 0),
      { unit: "examples" },
    );
    let done = 0;
    for (const test of which) {
      const set = this.#data.set(TESTS[test] satisfies SetName, this.#settings.seed);
      const counted = function* () {
        for (const batch of batches(set, 100)) {
          yield batch;
          done += batch.label.length;
          bar.at(done);
        }
      };
      const network = await evaluateByModality(this.#net, counted(), options);
      const result = agent ? { ...network, ...scored(await agent.predict([...set]), [...set]) } : network;
      results[test] = { ...result, network: network.accuracy, bySpeaker: bySpeaker([...set], result.answers) };
    }
    bar.done();
    return results as Record<Test, TestResult>;
  }

  async #finish(): Promise<RunResult> {
    const learned = this.#progress.learner && this.#agent(memoryLog());
    const after = await this.#test({ subsets: true }, learned ?? undefined);
    await this.#folder.saveModel(this.#net);
    const metrics = this.#folder.metrics();
    const { before } = this.#progress;
    const result: RunResult = {
      adapter: this.#engine.adapter,
      parameters: this.#net.size,
      labels: this.#data.set(this.#settings.set, this.#settings.seed, this.#settings.labels).length,
      judgements: Math.max(0, ...metrics.map((m) => (m.kind === "learn" ? m.judgements : 0))),
      before: before ? { strangers: before.strangers!, met: before.met! } : undefined,
      after,
      stepMs: median(this.#stepTimes),
      dispatchesPerStep: this.#step.dispatches,
      submitsPerStep: this.#step.submits,
      seconds: (performance.now() - this.#start) / 1000,
      folder: this.#folder.path,
    };
    this.#folder.replace("report.html", renderReport({ settings: this.#settings, metrics, result }));
    return result;
  }
}

/** Whether a method learns from the newest judgements alone, and has nothing to do without them. */
const onPolicy = (method: Method) => method === "reinforce" || method === "ppo" || method === "grpo";

/** The picture moved by up to a pixel each way: the same digit. */
const move = randomShift(1);
const shifted = (example: TriDigit, random: Random): TriDigit => {
  const moved = move(fromChannelsFirst(example.image, [...triDigitsShape.image]), random);
  return { ...example, image: channelsFirst(moved) };
};

const idAt = (set: { name: string; places: readonly { label: number; index: number }[] }, i: number): string =>
  `${set.name}/${set.places[i]!.label}/${set.places[i]!.index}`;

/** Probabilities [N][A] against the labels. */
function scored(said: readonly (readonly number[])[], examples: readonly TriDigit[]) {
  const classes = triDigitsShape.classes;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const answers = said.map((p) => p.indexOf(Math.max(...p)));
  let [right, loss] = [0, 0];
  examples.forEach(({ label }, i) => {
    confusion[label]![answers[i]!]! += 1;
    right += Number(answers[i] === label);
    loss -= Math.log(Math.max(said[i]![label]!, Number.MIN_VALUE));
  });
  return { accuracy: right / examples.length, loss: loss / examples.length, confusion, answers };
}

function bySpeaker(examples: readonly TriDigit[], answers: readonly number[]): TestResult["bySpeaker"] {
  const speakers: TestResult["bySpeaker"] = {};
  examples.forEach(({ speaker, label }, i) => {
    speakers[speaker] ??= { accuracy: 0, count: 0 };
    const entry = speakers[speaker];
    entry.accuracy = (entry.accuracy * entry.count + (answers[i] === label ? 1 : 0)) / (entry.count + 1);
    entry.count += 1;
  });
  return speakers;
}

/** What is left of the learning rate after a share of the work: half a cosine from 1 to 0.05. */
const cooled = cosine(1, 1, 0.05);

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
