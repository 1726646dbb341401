import { cosine, type Engine } from "handgrad";
import { append } from "handgrad/data";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Modality,
  MultimodalNet,
  type Optimizer,
  setWeights,
  weightsOf,
} from "handgrad/model";
import { type FeedbackLog, type Judgement, type Learner, rewarded } from "handgrad/rl";
import { learnerFor, optimizerOf } from "../../learner/learner.ts";
import type { Effect, History, Standing } from "../shared/protocol.ts";
import { isCorrection } from "./corrections.ts";
import { type Kept, keptAtStart } from "./storage.ts";
import type { Task, TaskExample } from "./task.ts";
import { Turns } from "./turns.ts";
import { accuracyOf, type Measured, measuredWith, standingOf, type Validation, validationOf } from "./validation.ts";

/** Judgements over which the learning rate falls from its first value to a tenth of it. */
const DECAY_JUDGEMENTS = 1000;
const RATE = 1.5e-3;
const SEED = 1;
/** Held-out examples that are answered at a time, so that a question or an update waits for no more of them. */
const PIECE = 100;

const decayed = cosine(1, 1, 0.1);

interface TaskNetworkOptions<E extends TaskExample> {
  engine: Engine;
  task: Task<E>;
  /** What it learns from, and what the judgements of its answers are written to. */
  log: FeedbackLog;
  /** The state to go on with. */
  kept: Kept;
  /** Weights that learning began with: how far it has gone from them is told. */
  start: Uint8Array<ArrayBuffer> | undefined;
  /** Judgements that an update learns from. */
  round: number;
  /** Of all that is random. */
  seed?: number | undefined;
}

/**
 * The network of a task, twice: one learns from the log; the other answers, and is what is kept and saved. It takes over what the
 * first learned once that was found no worse on the held-out examples. It outlives a lost device.
 *
 * What is learned follows from the seed and from the judgements in the order of the log, whatever is answered meanwhile and
 * however fast they come.
 */
export class TaskNetwork<E extends TaskExample> {
  engine!: Engine;
  /** The network that answers, and its learner, which only answers. */
  net!: MultimodalNet;
  agent!: Learner<E>;
  /** The network that learns. */
  #learning!: { readonly net: MultimodalNet; agent: Learner<E> };
  /** Whether the one that answers is what the other has learned so far. */
  #isShown = true;
  #task: Task<E>;
  #round: number;
  #optimizer!: Optimizer;
  #reference: MultimodalNet | undefined;
  /** Steps of the engine that learning took: dropout follows from their number. */
  #steps = 0;
  #measured: Measured | undefined;
  /** What the network that answered before this one said. */
  #before: Validation | undefined;
  #turns = new Turns();
  /** What was kept last; its history is as it is now. */
  #kept: Kept;
  readonly #log: FeedbackLog;
  readonly #start: Uint8Array<ArrayBuffer> | undefined;
  readonly #seed: number;

  constructor({ engine, task, log, kept, start, round, seed = SEED }: TaskNetworkOptions<E>) {
    this.#task = task;
    this.#log = log;
    this.#kept = kept;
    this.#start = start;
    this.#round = round;
    this.#seed = seed;
    this.restart(engine, round);
  }

  /** Goes on, on this engine, with what was last kept. */
  restart(engine: Engine, round: number): void {
    const { weights, learner, learning, optimizer, engineSteps, measured } = this.#kept;
    this.engine = engine;
    this.#turns = new Turns();
    this.#round = round;
    this.#steps = engineSteps;
    this.#measured = measured;
    this.#before = undefined;
    this.#isShown = learning === undefined;
    if (this.#start) this.#reference = this.#netWith(this.#start);
    this.net = this.#netWith(weights);
    const net = this.#netWith((learning ?? this.#kept).weights);
    this.#optimizer = optimizerOf(net, RATE);
    if (optimizer) this.#optimizer.restore(optimizer);
    this.agent = this.#agentOf(this.net, learner);
    this.#learning = { net, agent: this.#agentOf(net, (learning ?? this.#kept).learner) };
  }

  /** @throws WeightsError where a file is of another network. */
  #netWith(weights: Uint8Array, name?: string): MultimodalNet {
    const found = decodeSafetensors(weights, name);
    const config = this.#task.configOf?.(found) ?? this.#task.config;
    const net = new MultimodalNet(this.engine, { ...config, seed: SEED });
    setWeights(net, found, name);
    return net;
  }

  #agentOf(net: MultimodalNet, state: Kept["learner"]): Learner<E> {
    const task = this.#task;
    const agent = learnerFor<E>(net, this.#optimizer, {
      round: this.#round,
      log: this.#log,
      ...(this.#reference ? { reference: this.#reference } : {}),
      // Without a stream of examples that nobody judges there is nothing to believe of them.
      method: task.unlabeled ? "posterior" : "replay",
      seed: this.#seed,
      labeled: task.labeled as readonly (E & { label: number })[],
      ...(task.unlabeled ? { unlabeled: task.unlabeled } : {}),
      ...(task.recurring ? { recurring: task.recurring } : {}),
      find: (id) => this.#task.find(id),
      batchOf: (examples) => this.#task.batchOf(examples),
    });
    if (state) agent.restore(state);
    return agent;
  }

  /** Goes on with rounds of this size, and another task where one is given; it remembers what it did. */
  changeRound(round: number, task: Task<E> = this.#task): void {
    this.#task = task;
    this.#round = round;
    const { net, agent } = this.#learning;
    this.#learning = { net, agent: this.#agentOf(net, agent.state()) };
    this.agent = this.#agentOf(this.net, this.agent.state());
  }

  /** Works with the network that answers, which is not changed meanwhile, and nothing learns. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(work);
  }

  /** What is answered to examples, [N][A]: probabilities, from these modalities alone or from all. */
  predict(examples: readonly E[], modalities?: readonly Modality[]): Promise<number[][]> {
    return this.turn(() => this.agent.predict(examples, modalities ? { modalities } : {}));
  }

  /** What became of it: its updates, and how right it was on the held-out examples. */
  get history(): History {
    return this.#kept.history;
  }

  /** How good it is; null before it was measured. */
  get standing(): Standing | null {
    return this.#measured ? standingOf(this.#measured, this.#before, this.#task) : null;
  }

  // ── learning ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Judgements that can be learned from: those that were, and those that are new. */
  get #judgements(): { learned: Judgement[]; fresh: Judgement[] } {
    const ids = new Set(this.#learning.agent.state().learnedFrom);
    const all = rewarded(this.#log.judgements());
    return { learned: all.filter(({ id }) => ids.has(id)), fresh: all.filter(({ id }) => !ids.has(id)) };
  }

  /** How many examples were judged that nothing was learned from yet. */
  get waiting(): number {
    return new Set(this.#judgements.fresh.map(({ example }) => example)).size;
  }

  /** How many judgements were learned from. */
  get learned(): number {
    return this.#judgements.learned.filter((judgement) => !isCorrection(judgement)).length;
  }

  /** Learns from the oldest judgements that are new, one round of them. With `told` it gives what that did to their answers. */
  async update({ told }: { told: boolean }): Promise<Effect[]> {
    const { learned, fresh } = this.#judgements;
    const examples = [...new Set(fresh.map(({ example }) => example))].slice(0, this.#round);
    const round = fresh.filter(({ example }) => examples.includes(example));
    const said = [...learned, ...round];
    return this.#turns.take(async () => {
      const before = told ? await this.#probabilities(examples) : [];
      this.#isShown = false;
      await this.#learn(said);
      if (!told) return [];
      const after = await this.#probabilities(examples);
      return examples.map((example, i): Effect => {
        // A correction comes after the rejection that it belongs to.
        const { action, reward } = round.findLast((judgement) => judgement.example === example)!;
        return {
          example,
          class: action,
          approved: reward! > 0,
          before: before[i]![action]!,
          after: after[i]![action]!,
        };
      });
    });
  }

  #probabilities(ids: readonly string[]): Promise<number[][]> {
    return this.#learning.agent.predict(ids.map((id) => this.#task.find(id)!));
  }

  async #learn(said: readonly Judgement[]): Promise<void> {
    const { engine } = this;
    this.#optimizer.lr = RATE * decayed(Math.min(1, said.length / DECAY_JUDGEMENTS));
    engine.stepCount = this.#steps;
    const start = performance.now();
    const { reward, entropy, kl, loss } = await this.#learning.agent.update(said);
    const stepMs = (performance.now() - start) / Math.max(1, engine.stepCount - this.#steps);
    this.#steps = engine.stepCount;
    this.history.updates.push({ judgements: this.learned, reward, entropy, kl, loss, stepMs });
  }

  /**
   * Measures what was learned, and has it answer from now on unless it is worse. False where that was not wanted any more
   * before all held-out examples were answered.
   */
  async validate(isWanted: () => boolean = () => true): Promise<boolean> {
    const { heldOut } = this.#task;
    const { agent } = this.#learning;
    const judgements = this.learned;
    const said: number[][] = [];
    for (let i = 0; i < heldOut.length; i += PIECE) {
      if (!isWanted()) return false;
      append(said, await this.#turns.take(() => agent.predict(heldOut.slice(i, i + PIECE))));
    }
    if (heldOut.length > 0) {
      const found = validationOf(judgements, heldOut, said);
      const known = this.#measured;
      this.#measured = measuredWith(found, known);
      if (this.#measured.held) return true;
      this.#before = known?.shown;
      const { right, of, low, high } = accuracyOf(found);
      this.history.heldOut.push({ judgements, accuracy: right / of, low, high });
    }
    await this.#show();
    return true;
  }

  async #show(): Promise<void> {
    if (this.#isShown) return;
    await this.#turns.take(async () => {
      setWeights(this.net, await weightsOf(this.#learning.net));
      this.agent.restore(this.#learning.agent.state());
      this.#isShown = true;
    });
  }

  /** Measures once more after an import: another network may be there than the last point is of. */
  async validateAnew(): Promise<void> {
    const { heldOut } = this.history;
    const { learned } = this;
    this.history.heldOut = heldOut.filter((point) => point.judgements < learned);
    await this.validate();
  }

  // ── keeping ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What is to be kept of it, as it is now: `restart` goes on from there. */
  async keep(): Promise<Kept> {
    const { net, agent } = this.#learning;
    const learning = { weights: await fileOf(net), learner: agent.state() };
    const shown = this.#isShown ? learning : { weights: await this.weights(), learner: this.agent.state(), learning };
    this.#kept = {
      ...shown,
      optimizer: await this.#optimizer.state(),
      engineSteps: this.#steps,
      history: this.history,
      measured: this.#measured,
    };
    return this.#kept;
  }

  /** The weights as a safetensors file: of the network that answers. */
  weights(): Promise<Uint8Array<ArrayBuffer>> {
    return fileOf(this.net);
  }

  /** Goes on with weights of a file. @throws WeightsError where they are of another network; nothing has changed then. */
  async useWeights(file: Uint8Array, name: string, round: number): Promise<void> {
    const net = this.#netWith(file, name);
    const weights = await fileOf(net);
    for (const p of Object.values(net.parameters())) p.dispose();
    const { learner, engineSteps, history } = this.#kept;
    this.#kept = { ...keptAtStart(weights, engineSteps), learner, history };
    this.restart(this.engine, round);
  }

  /** Counts these judgements as learned from: updates replay them, and not as if they had just been said. */
  countAsLearned(ids: readonly string[]): void {
    const { agent } = this.#learning;
    const state = agent.state();
    const learnedFrom = [...(state.learnedFrom ?? []), ...ids];
    agent.restore({ ...state, learned: learnedFrom.length, learnedFrom });
  }
}

const fileOf = async (net: MultimodalNet) => encodeSafetensors(await weightsOf(net));
