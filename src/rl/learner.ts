import { batchOf } from "../data/batch.ts";
import { Random } from "../data/random.ts";
import { type Batch, type Modality, type Optimiser, weightsOf } from "../model/index.ts";
import { type Answer, Answers, type Asking, sample, without } from "./answers.ts";
import { entropyOf } from "./ask/index.ts";
import { hashOf } from "./hash.ts";
import type { Judgement, Preference, RewardedJudgement } from "./judgement.ts";
import { rewarded } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";
import { confirmations, likeliest } from "./rules/confirmed.ts";
import {
  type Judged,
  type Lesson,
  type Memory,
  type Method,
  only,
  type Policy,
  type Pool,
  type Recurring,
  type Rule,
  type RuleSettings,
  rulesOf,
} from "./rules/index.ts";
import { probabilitiesOf } from "./rules/replay.ts";

/*
 * The loop: the network answers, a person judges the answer, the network learns. How it learns is in the folder `rules`;
 * here is what all rules have in common: whom an answer was given to, what the log says of it, and what was learned from.
 */

export interface LearnerSettings extends RuleSettings {
  /** How to learn. Default: "beliefs". */
  method?: Method;
  /** Of the answers that are sampled and of everything random in the rules. Default 0. */
  seed?: number;
  /**
   * "sampled": by the policy's probabilities, as policy gradients need it; "likeliest": the most judgements then are
   * "right", and say which label it is; what was hardly ever confirmed has the benefit of the doubt (`rules/confirmed.ts`). Default: the likeliest for "beliefs", else sampled.
   */
  answers?: "sampled" | "likeliest";
}

export interface LearnerOptions<E extends Example> extends LearnerSettings {
  log: FeedbackLog;
  /** The policy that the leash holds to. Default: what the network itself said when it answered, as the log has it. */
  reference?: Policy;
  /** Turns examples into a batch of the network. Default: that of `handgrad/data`, for examples as it makes them. */
  batchOf?: (examples: readonly E[]) => Batch;
  /** Finds an example that a log of an earlier session speaks of. */
  find?: (id: string) => E | undefined;
  /** Examples whose label is known. */
  labelled?: readonly (E & { label: number })[];
  /** Examples that may be learned from though nobody judges them, such as all that came in so far. */
  unlabelled?: Pool<E>;
  /** A part of examples that comes again word for word, such as a hint. */
  recurring?: Recurring<E>;
  /** Changes an example a little before it is learned from, such that its label stays. Default: not. */
  vary?: (example: E, random: Random) => E;
  /** A name for this run of the program, written with every judgement and part of its id. Default: a new one. */
  session?: string;
}

export interface Example {
  readonly id: string;
}

/** What an update did: means over the judgements it was the first to learn from. */
export interface Updated {
  judgements: number;
  reward: number;
  entropy: number;
  kl: number;
  loss: number;
}

/** What a learner remembers beside the weights and the log, to go on exactly. */
export interface LearnerState {
  updates: number;
  /** The judgements that were learned from. */
  learned: number;
  /** How often each action had been confirmed by then. */
  confirmed?: readonly number[];
  /** What each rule remembers. */
  memories: readonly Memory[];
}

export class Learner<E extends Example> {
  readonly method: Method;
  readonly seed: number;
  readonly #net: Policy;
  readonly #optimiser: Optimiser;
  readonly #options: LearnerOptions<E>;
  readonly #rules: readonly Rule<E>[];
  readonly #batchOf: (examples: readonly E[]) => Batch;
  readonly #examples = new Map<string, E>();
  readonly #answers: Answers;
  #model: Promise<string> | undefined;
  #updates = 0;
  #learned = 0;
  #confirmed: readonly number[];

  constructor(net: Policy, optimiser: Optimiser, options: LearnerOptions<E>) {
    this.method = options.method ?? "beliefs";
    this.seed = options.seed ?? 0;
    this.#net = net;
    this.#optimiser = optimiser;
    this.#options = options;
    this.#rules = rulesOf(this.method, options, options.recurring);
    this.#confirmed = this.#confirmations([]);
    this.#answers = new Answers(options.log, options.session ?? crypto.randomUUID(), this.seed);
    this.#batchOf = options.batchOf ?? (batchOf as unknown as (examples: readonly E[]) => Batch);
  }

  state(): LearnerState {
    return {
      updates: this.#updates,
      learned: this.#learned,
      confirmed: this.#confirmed,
      memories: this.#rules.map((rule) => rule.memory?.() ?? {}),
    };
  }

  restore({ updates, learned, confirmed, memories = [] }: LearnerState): void {
    this.#updates = updates;
    this.#learned = learned;
    this.#confirmed = confirmed ?? this.#confirmed;
    for (const [i, rule] of this.#rules.entries()) rule.recall?.(memories[i] ?? {});
  }

  /**
   * What it would answer to examples, [N][A]: probabilities. The network says so, and what a rule remembers beside it.
   *
   * @param options.modalities the parts of the examples that it may use. Default: all.
   */
  async predict(examples: readonly E[], options: { modalities?: readonly Modality[] } = {}): Promise<number[][]> {
    const rule = this.#rules.find((rule) => rule.predict);
    const lesson = this.#lesson([], []);
    if (rule?.predict) return rule.predict(lesson, examples, options.modalities);
    const { modalities } = options;
    return probabilitiesOf(this.#net, examples, (some) =>
      modalities ? only(lesson, some, () => modalities) : this.#batchOf(some),
    );
  }

  /** Answers one example: samples a label from the policy. */
  async act(example: E, asking: Asking = {}): Promise<Answer> {
    return (await this.actOn([example], asking))[0]!;
  }

  /** Answers several examples at once. `asking` is about all of them, or a list with one for each. */
  async actOn(examples: readonly E[], asking: Asking | readonly Asking[] = {}): Promise<Answer[]> {
    const said = await this.predict(examples);
    const answers = this.#options.answers ?? (this.method === "beliefs" ? "likeliest" : "sampled");
    this.#model ??= this.#hashOfWeights();
    const model = await this.#model;
    return Promise.all(
      examples.map(async (example, i) => {
        this.#examples.set(example.id, example);
        const probabilities = said[i]!;
        // The same example again in one list is a group of answers, each drawn for itself.
        const before = examples.slice(0, i).filter(({ id }) => id === example.id).length;
        const random = new Random("answer", this.seed, example.id, this.#updates, ...(before > 0 ? [before] : []));
        const how = { chosenBy: "uniform", chosenWith: null, purpose: "training" as const, ...of(asking, i) };
        const drawn = sample(probabilities, random);
        const evaluated = how.purpose === "evaluation";
        const certain = evaluated || answers === "likeliest";
        const action = certain ? likeliest(probabilities, evaluated ? undefined : this.#confirmed) : drawn;
        const rival = sample(without(probabilities, action), random);
        const { image, words, audio } = this.#batchOf([example]);
        const inputHash = await hashOf([image, words, audio] as Float32Array[]);
        const answer = { example: example.id, action, rival, probabilities };
        return this.#answers.give(answer, this.#updates, { certain, asking: how, inputHash, model });
      }),
    );
  }

  /**
   * Takes a judgement of an answer. On disk when this resolves. It may come late: other answers and updates may have
   * come between. Several people may judge one answer, each of them once.
   *
   * @param verdict.reward from -1 (wrong) to 1 (right); null is a skip.
   * @throws Error where there is no such answer, or this judge has judged it.
   */
  judge(answerId: string, verdict: { reward: number | null; judge: string }): Promise<Judgement> {
    return this.#answers.judge(answerId, verdict);
  }

  /**
   * Takes a preference between an answer's action and its rival: `better` is the one or the other. As `judge` otherwise.
   *
   * @throws Error where `better` is neither.
   */
  prefer(answerId: string, verdict: { better: number; judge: string }): Promise<Preference> {
    return this.#answers.prefer(answerId, verdict);
  }

  /**
   * Learns, by its rules, from what is known now; it never waits for judgements. Skips, judgements for evaluation and what
   * was taken back are not learned from.
   *
   * @param said what is known of. Default: the whole log.
   */
  async update(said: readonly Judgement[] = this.#options.log.judgements()): Promise<Updated> {
    const judged = rewarded(said).map((j) => ({ ...j, example: this.#example(j) }));
    // After an undo there may be fewer than were learned from.
    const fresh = judged.slice(Math.min(this.#learned, judged.length));
    this.#confirmed = this.#confirmations(judged);
    const lesson = this.#lesson(judged, fresh);
    const kl = await this.#distance(fresh);
    let loss = 0;
    for (const rule of this.#rules) loss = (await rule.learn(lesson)) ?? loss;
    this.#learned = judged.length;
    this.#updates += 1;
    this.#model = undefined;
    const mean = (f: (j: Judged<E>) => number) => fresh.reduce((sum, j) => sum + f(j), 0) / Math.max(1, fresh.length);
    return {
      judgements: fresh.length,
      reward: mean((j) => j.reward),
      entropy: mean((j) => entropyOf(j.probabilities)),
      kl,
      loss,
    };
  }

  /** KL of what the policy said from what the reference says, in the mean over judgements. */
  async #distance(judged: readonly Judged<E>[]): Promise<number> {
    const { reference } = this.#options;
    if (!reference || judged.length === 0) return 0;
    const held = await probabilitiesOf(
      reference,
      judged.map((j) => j.example),
      this.#batchOf,
    );
    const kl = (p: readonly number[], q: readonly number[]) =>
      p.reduce((sum, x, a) => sum + (x > 0 ? x * Math.log(x / Math.max(q[a]!, 1e-30)) : 0), 0);
    return judged.reduce((sum, j, i) => sum + kl(j.probabilities, held[i]!), 0) / judged.length;
  }

  #confirmations(judged: readonly Judged<E>[]): number[] {
    return confirmations(this.#options.labelled ?? [], judged, this.#net.config.classes);
  }

  #lesson(judged: readonly Judged<E>[], fresh: readonly Judged<E>[]): Lesson<E> {
    const { reference, labelled = [], unlabelled = NONE, vary = (example) => example } = this.#options;
    return {
      policy: this.#net,
      optimiser: this.#optimiser,
      reference,
      fresh,
      judged,
      confirmed: this.#confirmed,
      labelled,
      unlabelled,
      vary,
      batchOf: this.#batchOf,
      random: (purpose) => new Random(purpose, this.seed, this.#updates),
    };
  }

  #example({ example, id }: RewardedJudgement): E {
    let found = this.#examples.get(example);
    if (!found) {
      found = this.#options.find?.(example);
      if (!found)
        throw new Error(
          `learner: judgement ${id} is about example ${example}, which is not in this data. Give \`find\`.`,
        );
      this.#examples.set(example, found);
    }
    return found;
  }

  async #hashOfWeights(): Promise<string> {
    const { tensors } = await weightsOf(this.#net);
    return hashOf([...tensors.values()].map(({ data }) => data));
  }
}

const NONE: Pool<never> = {
  length: 0,
  at: (i) => {
    throw new RangeError(`there is no example ${i}`);
  },
};

/** A learner over a network, an optimiser of its parameters and a feedback log. */
export const learner = <E extends Example>(net: Policy, optimiser: Optimiser, options: LearnerOptions<E>): Learner<E> =>
  new Learner(net, optimiser, options);

const of = <T>(one: T | readonly T[], i: number): T | undefined => (Array.isArray(one) ? one[i] : (one as T));
