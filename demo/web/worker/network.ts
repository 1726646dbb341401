import { cosine, type Engine } from "handgrad";
import {
  decodeSafetensors,
  encodeSafetensors,
  MultimodalNet,
  type Optimizer,
  setWeights,
  weightsOf,
} from "handgrad/model";
import { type FeedbackLog, type Learner, optimisticArgmax, rewarded } from "handgrad/rl";
import { learnerFor, optimizerOf } from "../../learner/learner.ts";
import type { History } from "../shared/protocol.ts";
import type { Kept } from "./storage.ts";
import type { Task, TaskExample } from "./task.ts";

/** Judgements over which the learning rate falls from its first value to a tenth of it. */
const DECAY_JUDGEMENTS = 1000;
const RATE = 1.5e-3;
const SEED = 1;

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
  /** Judgements between two updates. */
  round: number;
}

/** The network of a task: what answers, learns from the log, is measured, and is kept. It outlives a lost device. */
export class TaskNetwork<E extends TaskExample> {
  engine!: Engine;
  net!: MultimodalNet;
  agent!: Learner<E>;
  #task: Task<E>;
  #optimizer!: Optimizer;
  #reference: MultimodalNet | undefined;
  /** What was kept last; its history is as it is now. */
  #kept: Kept;
  readonly #log: FeedbackLog;
  readonly #start: Uint8Array<ArrayBuffer> | undefined;

  constructor({ engine, task, log, kept, start, round }: TaskNetworkOptions<E>) {
    this.#task = task;
    this.#log = log;
    this.#kept = kept;
    this.#start = start;
    this.restart(engine, round);
  }

  /** Goes on, on this engine, with what was last kept. */
  restart(engine: Engine, round: number): void {
    const { weights, optimizer, learner: state, engineSteps } = this.#kept;
    this.engine = engine;
    engine.stepCount = Math.max(engine.stepCount, engineSteps);
    this.net = this.#netWith(weights);
    if (this.#start) this.#reference = this.#netWith(this.#start);
    this.#optimizer = optimizerOf(this.net, RATE);
    if (optimizer) this.#optimizer.restore(optimizer);
    this.agent = this.#agentFor(round);
    if (state) this.agent.restore(state);
  }

  #netWith(weights: Uint8Array): MultimodalNet {
    const net = new MultimodalNet(this.engine, { ...this.#task.config, seed: SEED });
    setWeights(net, decodeSafetensors(weights));
    return net;
  }

  /** A learner that is told of so many judgements at a time. */
  #agentFor(round: number): Learner<E> {
    const task = this.#task;
    return learnerFor<E>(this.net, this.#optimizer, {
      round,
      log: this.#log,
      ...(this.#reference ? { reference: this.#reference } : {}),
      // Without a stream of examples that nobody judges there is nothing to believe of them.
      method: task.unlabeled ? "posterior" : "replay",
      seed: SEED,
      labeled: task.labeled as readonly (E & { label: number })[],
      ...(task.unlabeled ? { unlabeled: task.unlabeled } : {}),
      ...(task.recurring ? { recurring: task.recurring } : {}),
      find: (id) => this.#task.find(id),
      batchOf: (examples) => this.#task.batchOf(examples),
    });
  }

  /** Goes on with a learner for rounds of this size, and of another task where one is given; it remembers what the former did. */
  changeRound(round: number, task: Task<E> = this.#task): void {
    this.#task = task;
    const agent = this.#agentFor(round);
    agent.restore(this.agent.state());
    this.agent = agent;
  }

  /** What became of it: its updates, and how right it was on the held-out examples. */
  get history(): History {
    return this.#kept.history;
  }

  /** Judgements that can be learned from. */
  get #judgements(): number {
    return rewarded(this.#log.judgements()).length;
  }

  /** Learns from the log, as it is now. */
  async update(): Promise<void> {
    const judgements = this.#judgements;
    this.#optimizer.lr = RATE * decayed(Math.min(1, judgements / DECAY_JUDGEMENTS));
    const steps = this.engine.stepCount;
    const start = performance.now();
    const { reward, entropy, kl, loss } = await this.agent.update();
    const stepMs = (performance.now() - start) / Math.max(1, this.engine.stepCount - steps);
    this.history.updates.push({ judgements, reward, entropy, kl, loss, stepMs });
  }

  /** Measures held-out accuracy where so many judgements came since the last time; gives whether it did. */
  async validate(every: number): Promise<boolean> {
    const { heldOut } = this.#task;
    const judgements = this.#judgements;
    const last = this.history.heldOut.at(-1);
    if (last && Math.abs(judgements - last.judgements) < every) return false;
    const said = await this.agent.predict(heldOut);
    const right = heldOut.filter(({ label }, i) => label === optimisticArgmax(said[i]!)).length;
    this.history.heldOut.push({ judgements, accuracy: right / heldOut.length });
    return true;
  }

  /** Measures once more after an import: another network may be there than the last point is of. */
  async validateAnew(): Promise<void> {
    const { heldOut } = this.history;
    const judgements = this.#judgements;
    this.history.heldOut = heldOut.filter((point) => point.judgements < judgements);
    await this.validate(1);
  }

  /** What is to be kept of it, as it is now: `restart` goes on from there. */
  async keep(): Promise<Kept> {
    this.#kept = {
      weights: await this.weights(),
      optimizer: await this.#optimizer.state(),
      learner: this.agent.state(),
      engineSteps: this.engine.stepCount,
      history: this.history,
    };
    return this.#kept;
  }

  /** The weights as a safetensors file. */
  async weights(): Promise<Uint8Array<ArrayBuffer>> {
    return encodeSafetensors(await weightsOf(this.net));
  }

  /** Goes on with weights of a file. @throws WeightsError where they are of another network; nothing has changed then. */
  async useWeights(file: Uint8Array, name: string, round: number): Promise<void> {
    setWeights(this.net, decodeSafetensors(file, name), name);
    this.#kept = { ...this.#kept, weights: await this.weights(), optimizer: undefined };
    this.restart(this.engine, round);
  }

  /** Counts these judgements as learned from: updates replay them, and not as if they had just been said. */
  countAsLearned(ids: readonly string[]): void {
    const state = this.agent.state();
    const learnedFrom = [...(state.learnedFrom ?? []), ...ids];
    this.agent.restore({ ...state, learned: learnedFrom.length, learnedFrom });
  }
}
