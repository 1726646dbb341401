import { checkList, checkName, checkNumber, checkOptions, listOf, number } from "../check.ts";
import { batchOf } from "../data/batch.ts";
import { Random } from "../data/random.ts";
import { type Batch, type Modality, modalities } from "../model/index.ts";
import type { Optimizer } from "../optim/index.ts";
import { Account } from "./account.ts";
import { rewardedOf } from "./active.ts";
import {
  type Algorithm,
  createAlgorithms,
  type Identified,
  type Judged,
  type Method,
  methodRecord,
  only,
  type Policy,
  type UpdateContext,
} from "./algorithms/index.ts";
import { countLabels, optimisticArgmax } from "./algorithms/labelCounts.ts";
import { probabilitiesOf } from "./algorithms/replay.ts";
import {
  type Answer,
  Answers,
  drawAction,
  type PreferenceVerdict,
  type Query,
  type Verdict,
  without,
} from "./answers.ts";
import { entropyOf } from "./ask/index.ts";
import { checkObject } from "./check.ts";
import { checkAnswers, GO_ON, hashOfWeights } from "./finite.ts";
import { hashOfBatch } from "./hash.ts";
import type { Judgement, Preference } from "./judgement.ts";
import { Progress } from "./progress.ts";
import { checkLearner, checkQueries, type LearnerOptions, type LearnerState } from "./settings.ts";
import { meanKl, noExamples, Source } from "./source.ts";
import { Turns } from "./turns.ts";

/*
 * The loop: the network answers, a person judges the answer, the network learns. How it learns is in the folder `algorithms`;
 * here is what all algorithms have in common: the answers and their ids, what the log says of them, and which judgements are new.
 */

/** What an update did: means over the judgements it was the first to learn from. */
export interface Updated {
  /** How many judgements were new. */
  judgements: number;
  /** Their mean reward. */
  reward: number;
  /** Mean entropy of the behavior policy, in nats. */
  entropy: number;
  /** Mean KL(behavior policy ‖ reference); 0 without a reference. */
  kl: number;
  /** Of the last algorithm that took a step; 0 where none did. */
  loss: number;
}

/** What `Learner.predict` may use. */
export interface PredictOptions {
  /** The modalities of the examples that it may read. Default: all. */
  readonly modalities?: readonly Modality[];
}

/** What `Learner.distill` does. */
export interface DistillOptions {
  /** Steps of the optimizer. Default 100. */
  readonly steps?: number;
}

/**
 * Learning from people in a loop: `act` answers, `judge` writes a person's judgement to the log, `update` learns from the log.
 * `learner` makes one.
 *
 * @example
 * const agent = learner(net, optimizer, { log, labeled, unlabeled });
 * const answer = await agent.act(example);
 * await agent.judge(answer.id, { reward: 1, judge: "me" });
 * await agent.update();
 */
export class Learner<E extends Identified> {
  /** How it learns. */
  readonly method: Method;
  /** The seed of its answers and algorithms. */
  readonly seed: number;
  readonly #net: Policy;
  readonly #optimizer: Optimizer;
  readonly #options: LearnerOptions<E>;
  readonly #algorithms: readonly Algorithm<E>[];
  readonly #batchOf: (examples: readonly E[]) => Batch;
  readonly #source: Source<E>;
  readonly #answers: Answers;
  readonly #turns = new Turns();
  #model: Promise<string> | undefined;
  readonly #progress: Progress<E>;
  /** While an update runs: the state before it. */
  #before: LearnerState | undefined;
  /** Updates that were asked for and have not ended. */
  #updating = 0;

  /**
   * @param net the policy.
   * @param optimizer of its parameters.
   * @param options log, method, settings and data.
   * @throws TypeError or RangeError naming the option that is not known, missing, or cannot be.
   */
  constructor(net: Policy, optimizer: Optimizer, options: LearnerOptions<E>) {
    checkLearner(net, optimizer, options);
    this.method = options.method ?? "posterior";
    this.seed = options.seed ?? 0;
    this.#net = net;
    this.#optimizer = optimizer;
    this.#options = options;
    this.#algorithms = createAlgorithms(this.method, options, options.recurring);
    this.#progress = new Progress(this.#algorithms, net.numOutputs, this.#countLabels([]));
    const account = new Account(options.log);
    this.#source = new Source(options.log, account, net.numOutputs, options.find);
    this.#answers = new Answers(options.log, account, options.session ?? crypto.randomUUID(), this.seed);
    // Only examples as batchOf takes them come without one of their own: whatever else they are, it refuses by name.
    this.#batchOf = options.batchOf ?? (batchOf as unknown as (examples: readonly E[]) => Batch);
  }

  /**
   * What a checkpoint needs beside weights, optimizer and log; while an update runs, the state before it.
   *
   * @returns a copy fit for JSON, for `restore`.
   */
  state(): LearnerState {
    return this.#before ?? this.#progress.state();
  }

  /**
   * Restores a state, all or nothing.
   *
   * @param given what `state()` returned, also of version 0.1.
   * @throws TypeError or RangeError where it is damaged or of another network; Error while an update runs, or waits to.
   */
  restore(given: LearnerState): void {
    if (this.#updating > 0) throw new Error("learner.restore: an update is running. Await it first.");
    this.#progress.restore(given, this.#options.log);
    // Whoever puts back a state mostly puts back weights as well.
    this.#model = undefined;
  }

  /** How many judgements of the log no update has learned from yet, of those that can be learned from. */
  get waiting(): number {
    return this.#progress.newOf(rewardedOf(this.#options.log.judgements())).length;
  }

  /**
   * Probabilities π(· | x) of examples, by the network and the state of its algorithms. Waits for an update that runs.
   *
   * @param examples N of them.
   * @param options.modalities the parts of the examples that it may use. Default: all.
   * @returns [N][A]
   * @throws TypeError or RangeError naming the example or the modality that cannot be.
   */
  async predict(examples: readonly E[], options: PredictOptions = {}): Promise<number[][]> {
    checkOptions("predict", options, { modalities: true });
    if (options.modalities !== undefined)
      checkList("predict", "modalities", options.modalities, "a list of modalities");
    checkList("predict", "examples", examples, "a list of examples");
    for (const [i, example] of examples.entries()) checkObject("predict", `example ${i}`, example, "an example");
    for (const m of options.modalities ?? []) checkName("predict", "a modality", m, modalities);
    return this.#turns.read(() => this.#predict(examples, options.modalities));
  }

  #predict(examples: readonly E[], given?: readonly Modality[]): Promise<number[][]> {
    const algorithm = this.#algorithms.find((algorithm) => algorithm.predict);
    const context = this.#updateContext([], []);
    if (algorithm?.predict) return algorithm.predict(context, examples, given);
    return probabilitiesOf(this.#net, examples, (some) =>
      given ? only(context, some, () => given) : this.#batchOf(some),
    );
  }

  /**
   * Answers one example: an action sampled from the policy, or its argmax, by the option `answers`. Waits for an update that runs.
   *
   * @param example what to answer.
   * @param query how it was chosen, for the log.
   * @returns the answer; a person judges it by its id.
   * @throws Error where the network's probabilities are no finite numbers.
   */
  async act(example: E, query: Query = {}): Promise<Answer> {
    return (await this.actOn([example], query))[0]!;
  }

  /**
   * Answers several examples as one batch. The same example again is a group of answers, each drawn on its own.
   *
   * @param examples what to answer.
   * @param query of all of them, or a list with one for each.
   * @returns the answers, in the order of the examples.
   * @throws Error where the network's probabilities are no finite numbers.
   * @throws TypeError or RangeError naming the example or the query that cannot be.
   */
  async actOn(examples: readonly E[], query: Query | readonly Query[] = {}): Promise<Answer[]> {
    const asked = checkQueries(examples, query);
    return this.#turns.read(async () => {
      const said = await this.#predict(examples);
      checkAnswers(examples, said);
      this.#model ??= hashOfWeights(this.#net);
      const model = await this.#model;
      const hashes = await Promise.all(examples.map((example) => hashOfBatch(this.#batchOf([example]))));
      return examples.map((example, i) => {
        this.#source.add(example);
        const probabilities = said[i]!;
        // The same example again in one list is a group of answers, each drawn for itself.
        const before = examples.slice(0, i).filter(({ id }) => id === example.id).length;
        const random = new Random(
          "answer",
          this.seed,
          example.id,
          this.#progress.updates,
          ...(before > 0 ? [before] : []),
        );
        const drawn = drawAction(probabilities, random);
        const evaluated = asked[i]!.purpose === "evaluation";
        const greedy = evaluated || this.#isGreedy;
        const action = greedy
          ? optimisticArgmax(probabilities, evaluated ? undefined : this.#progress.labelCounts)
          : drawn;
        const alternative = drawAction(without(probabilities, action), random);
        const answer = { example: example.id, action, alternative, probabilities };
        return this.#answers.give(answer, this.#progress.updates, {
          greedy,
          query: asked[i]!,
          inputHash: hashes[i]!,
          model,
        });
      });
    });
  }

  get #isGreedy(): boolean {
    return (this.#options.answers ?? methodRecord(this.method).answers) === "greedy";
  }

  /**
   * Writes a judgement of an answer to the log; durable when this resolves. Answers and updates may have come between. Several
   * people may judge one answer, each once; after the log's `undo` a person may judge it again. An answer of an earlier run
   * may be judged where the log has a record of it.
   *
   * @param answerId the `id` of an answer.
   * @param verdict.reward from -1 (wrong) to 1 (right); null is a skip.
   * @param verdict.judge who says so.
   * @returns the record in the log.
   * @throws Error where there is no such answer, or this judge has judged it.
   */
  async judge(answerId: string, verdict: Verdict): Promise<Judgement> {
    return this.#answers.judge(answerId, verdict);
  }

  /**
   * Writes a preference between an answer's action and its alternative to the log. As `judge` otherwise.
   *
   * @param answerId the `id` of an answer.
   * @param verdict.better the action or the alternative.
   * @param verdict.judge who says so.
   * @returns the record in the log.
   * @throws Error where `better` is neither.
   */
  async prefer(answerId: string, verdict: PreferenceVerdict): Promise<Preference> {
    return this.#answers.prefer(answerId, verdict);
  }

  /**
   * One update: every algorithm of the method takes its steps on what the log holds now; it never waits for judgements. Skips,
   * judgements for evaluation and retracted ones are left out. Concurrent updates run one after the other, and each judgement
   * is new to one of them.
   *
   * @param said the judgements to learn from. Default: those of the log, when the update begins.
   * @returns means over the new judgements.
   * @throws Error where the loss or the weights are no finite numbers any more; nothing counts as learned then.
   */
  async update(said?: readonly Judgement[]): Promise<Updated> {
    // As they are now: what becomes of the list until the update begins makes no difference.
    const given =
      said === undefined
        ? said
        : [...listOf("learner.update", "said", said, "a list of judgements, or nothing for the log's")];
    this.#updating += 1;
    return this.#turns.change(async () => {
      const before = this.state();
      this.#before = before;
      try {
        return await this.#learn(this.#source.judged(given));
      } catch (error) {
        this.#progress.undo(before);
        // It may have come as far as a step or two.
        this.#model = undefined;
        throw error;
      } finally {
        this.#before = undefined;
        this.#updating -= 1;
      }
    });
  }

  /**
   * Teaches the network what the learner knows beside it, such as how often a recurring part went with which label, so that the
   * network alone, saved or exported, answers as `predict` does: distillation (Hinton et al. 2015). For the end of a run, or before
   * weights are saved. Where the recurring part has a head of its own (`fusion.late`) steps are cheap and what is learned is as good as
   * exact; else the network learns the answers to labeled, judged and unlabeled examples.
   *
   * @param options.steps of the optimizer, at its learning rate. Default 100.
   * @returns the mean loss; undefined where the method knows nothing beside the network.
   * @throws RangeError where the steps cannot be; Error where the loss or the weights are no finite numbers any more.
   */
  async distill(options: DistillOptions = {}): Promise<number | undefined> {
    checkOptions("learner.distill", options, { steps: true });
    const { steps = 100 } = options;
    checkNumber("learner.distill", "steps", steps, number.wholeAtLeast1);
    this.#updating += 1;
    return this.#turns.change(async () => {
      try {
        const context = this.#updateContext(this.#source.judged(undefined), []);
        let loss: number | undefined;
        for (const algorithm of this.#algorithms) loss = (await algorithm.distill?.(context, steps)) ?? loss;
        if (loss !== undefined && !Number.isFinite(loss))
          throw new Error(`learner.distill: the loss is ${loss}. ${GO_ON}`);
        await hashOfWeights(this.#net);
        return loss;
      } finally {
        this.#model = undefined;
        this.#updating -= 1;
      }
    });
  }

  async #learn(judged: readonly Judged<E>[]): Promise<Updated> {
    const newJudgements = this.#progress.newOf(judged);
    this.#progress.labelCounts = this.#countLabels(judged);
    const context = this.#updateContext(judged, newJudgements);
    const kl = await meanKl(this.#options.reference, newJudgements, this.#batchOf);
    let loss = 0;
    for (const algorithm of this.#algorithms) {
      loss = (await algorithm.learn(context)) ?? loss;
      if (!Number.isFinite(loss)) throw new Error(`learner.update: the loss is ${loss}. ${GO_ON}`);
    }
    const model = await hashOfWeights(this.#net);
    this.#progress.count(newJudgements);
    this.#model = Promise.resolve(model);
    const mean = (f: (j: Judged<E>) => number) =>
      newJudgements.reduce((sum, j) => sum + f(j), 0) / Math.max(1, newJudgements.length);
    return {
      judgements: newJudgements.length,
      reward: mean((j) => j.reward),
      entropy: mean((j) => entropyOf(j.probabilities)),
      kl,
      loss,
    };
  }

  #countLabels(judged: readonly Judged<E>[]): number[] {
    return countLabels(this.#options.labeled ?? [], judged, this.#net.numOutputs);
  }

  #updateContext(judged: readonly Judged<E>[], newJudgements: readonly Judged<E>[]): UpdateContext<E> {
    const { reference, labeled = [], unlabeled = noExamples, augment = (example) => example } = this.#options;
    return {
      policy: this.#net,
      optimizer: this.#optimizer,
      reference,
      newJudgements,
      judged,
      labelCounts: this.#progress.labelCounts,
      labeled,
      unlabeled,
      augment,
      batchOf: this.#batchOf,
      random: (purpose) => new Random(purpose, this.seed, this.#progress.updates),
    };
  }
}

/**
 * Makes a learner: a loop of answers, judgements and updates over a network, its optimizer and a feedback log.
 *
 * @param net the policy, such as a `MultimodalNet`: logits [N, A].
 * @param optimizer of its parameters.
 * @param options log, method, settings and data.
 * @returns the learner.
 * @throws TypeError or RangeError naming the option that is not known, missing, or cannot be.
 * @example
 * const agent = learner(net, adam(net.parameters(), { lr: 1e-3 }), { log: memoryLog(), seed: 1 });
 * const answer = await agent.act(example);
 * await agent.judge(answer.id, { reward: 1, judge: "ada" });
 * await agent.update();
 */
export const learner = <E extends Identified>(
  net: Policy,
  optimizer: Optimizer,
  options: LearnerOptions<E>,
): Learner<E> => new Learner(net, optimizer, options);
