import { judged, noGrad, policyGradient, type Tensor } from "../autograd/index.ts";
import { batchOf } from "../data/batch.ts";
import { Random } from "../data/random.ts";
import { type Batch, type MultimodalNet, type Optimiser, softmaxOf, weightsOf } from "../model/index.ts";
import type { Judgement, Preference, Purpose, RewardedJudgement } from "./judgement.ts";
import { rewarded } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";

/*
 * The loop: the network answers, a person judges the answer, the network learns.
 *
 * REINFORCE (Williams 1992) learns from the judgements since the last update: the gradient of
 *   −(reward − baseline) · log π(answer) − c · H(π) + β · KL(π ‖ a reference policy),
 * the baseline a moving average of rewards. Each judgement is used once, while the policy is still the one it is about.
 *
 * Replay learns again and again from the whole log, by what a judgement says about the label: right means that the
 * answer is the label, −log p; wrong means that it is another, −log(1 − p). It needs no baseline, and a judgement is
 * never used up. Labelled examples join in as answers that are known to be right.
 */

export interface LearnerSettings {
  /** "replay": REINFORCE and replay; "reinforce": the textbook alone. */
  method: "replay" | "reinforce";
  /** Of the answers that are sampled and of the order of replay. */
  seed: number;
  /** c, the weight of the entropy bonus. */
  entropy: number;
  /** β, the weight of the leash. */
  leash: number;
  /** How much of the baseline is kept at each judgement. */
  baselineDecay: number;
  /** Replay steps in an update, and examples in each. */
  replays: number;
  batch: number;
  /** The share of judgements taken to be mistaken, from 0 to under 0.5. */
  noise: number;
}

export interface LearnerOptions<E extends Example> extends Partial<LearnerSettings> {
  log: FeedbackLog;
  /** The policy that the leash holds to. Default: what the network itself said when it answered, as the log has it. */
  reference?: MultimodalNet;
  /** Turns examples into a batch of the network. Default: that of `handgrad/data`, for examples as it makes them. */
  batchOf?: (examples: readonly E[]) => Batch;
  /** Finds an example that a log of an earlier session speaks of. */
  find?: (id: string) => E | undefined;
  /** Examples whose label is known. */
  labelled?: readonly (E & { label: number })[];
  /** A name for this run of the program, written with every judgement and part of its id. Default: a new one. */
  session?: string;
}

export interface Example {
  readonly id: string;
}

/** What the network answered, before anyone judged it. */
export interface Answer {
  readonly id: string;
  readonly example: string;
  readonly action: number;
  /** Another action, drawn from what is left of the policy, for a person who is to prefer one of the two. */
  readonly rival: number;
  readonly probabilities: readonly number[];
}

/** How an example came to be asked about, for the log. `choose` of the folder ask gives it. */
export interface Asking {
  /** Default: "uniform". */
  readonly chosenBy?: string;
  /** Default: not known. */
  readonly chosenWith?: number | null;
  /** Default: "training". For "evaluation" the likeliest action is taken, and what is said of it is not learned from. */
  readonly purpose?: Purpose;
}

/** An answer, and what the log will say of it. */
interface Given {
  readonly answer: Answer;
  readonly asking: Required<Asking>;
  readonly hash: string;
  readonly model: string;
  readonly asked: number;
  /** Who judged it. */
  readonly judges: Set<string>;
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
  baseline: number;
  /** The judgements that REINFORCE has used. */
  learned: number;
}

const defaults: LearnerSettings = {
  method: "replay",
  seed: 0,
  entropy: 0.01,
  leash: 0.02,
  baselineDecay: 0.95,
  replays: 8,
  batch: 32,
  noise: 0,
};

export class Learner<E extends Example> {
  readonly settings: LearnerSettings;
  readonly #net: MultimodalNet;
  readonly #optimiser: Optimiser;
  readonly #options: LearnerOptions<E>;
  readonly #batchOf: (examples: readonly E[]) => Batch;
  readonly #examples = new Map<string, E>();
  readonly #given = new Map<string, Given>();
  readonly #session: string;
  #model: Promise<string> | undefined;
  #state: LearnerState = { updates: 0, baseline: 0, learned: 0 };

  constructor(net: MultimodalNet, optimiser: Optimiser, options: LearnerOptions<E>) {
    const { log: _, reference: __, batchOf: ___, find: ____, labelled: _____, session: ______, ...settings } = options;
    this.settings = { ...defaults, ...settings };
    this.#net = net;
    this.#optimiser = optimiser;
    this.#options = options;
    this.#session = options.session ?? crypto.randomUUID();
    this.#batchOf = options.batchOf ?? (batchOf as unknown as (examples: readonly E[]) => Batch);
  }

  state(): LearnerState {
    return { ...this.#state };
  }

  restore(state: LearnerState): void {
    this.#state = { ...state };
  }

  /** Answers one example: samples a label from the policy. */
  async act(example: E, asking: Asking = {}): Promise<Answer> {
    return (await this.actOn([example], asking))[0]!;
  }

  /** Answers several examples at once. `asking` is about all of them, or a list with one for each. */
  async actOn(examples: readonly E[], asking: Asking | readonly Asking[] = {}): Promise<Answer[]> {
    const batch = this.#batchOf(examples);
    const logits = await this.#rowsOf(await this.#net.engine.step(() => noGrad(() => this.#net.forward(batch))));
    this.#model ??= this.#hashOfWeights();
    const model = await this.#model;
    return Promise.all(
      examples.map(async (example, i) => {
        this.#examples.set(example.id, example);
        const probabilities = softmaxOf(logits[i]!);
        const random = new Random("answer", this.settings.seed, example.id, this.#state.updates);
        const how = { chosenBy: "uniform", chosenWith: null, purpose: "training" as const, ...of(asking, i) };
        const drawn = sample(probabilities, random);
        const action = how.purpose === "evaluation" ? probabilities.indexOf(Math.max(...probabilities)) : drawn;
        const rival = sample(without(probabilities, action), random);
        const { image, words, audio } = this.#batchOf([example]);
        const hash = await hashOf([image, words, audio] as Float32Array[]);
        const id = this.#freshId(`${this.#session}/${this.#state.updates}/${example.id}`);
        const answer = { id, example: example.id, action, rival, probabilities };
        this.#given.set(id, { answer, asking: how, hash, model, asked: Date.now(), judges: new Set() });
        return answer;
      }),
    );
  }

  /** An answer may be given again, after an undo; its id is then another one. */
  #freshId(stem: string): string {
    let id = stem;
    for (let i = 2; this.#options.log.has(id) || this.#given.has(id); i++) id = `${stem}#${i}`;
    return id;
  }

  /**
   * Takes a judgement of an answer. On disk when this resolves. It may come late: other answers and updates may have
   * come between. Several people may judge one answer, each of them once.
   *
   * @param verdict.reward from -1 (wrong) to 1 (right); null is a skip.
   * @throws Error where there is no such answer, or this judge has judged it.
   */
  async judge(answerId: string, verdict: { reward: number | null; judge: string }): Promise<Judgement> {
    return this.#say(answerId, verdict.judge, ({ answer, asking }, asked) => ({
      ...asked,
      kind: "judgement",
      action: answer.action,
      reward: verdict.reward,
      propensity: asking.purpose === "evaluation" ? 1 : answer.probabilities[answer.action]!,
    }));
  }

  /**
   * Takes a preference between an answer's action and its rival: `better` is the one or the other. As `judge` otherwise.
   *
   * @throws Error where `better` is neither.
   */
  async prefer(answerId: string, { better, judge }: { better: number; judge: string }): Promise<Preference> {
    return this.#say(answerId, judge, ({ answer, asking }, asked) => {
      const { action, rival, probabilities } = answer;
      if (better !== action && better !== rival) {
        throw new Error(`prefer: better is ${better}, expected ${action} or ${rival}, the two actions of the answer.`);
      }
      // Drawn one after the other; where the likeliest is not always the first, they could have come in either order.
      const first = (a: number, b: number) => probabilities[a]! * without(probabilities, a)[b]!;
      const sampled = first(action, rival) + first(rival, action);
      const propensity = asking.purpose === "evaluation" ? without(probabilities, action)[rival]! : sampled;
      return {
        ...asked,
        kind: "preference",
        preferred: better,
        rejected: better === action ? rival : action,
        propensity: Math.min(Math.max(propensity, Number.MIN_VALUE), 1),
      };
    });
  }

  /** Stores what a judge says of an answer, once. */
  async #say<R extends Judgement | Preference>(
    answerId: string,
    judge: string,
    record: (given: Given, asked: Omit<Judgement, "kind" | "action" | "reward" | "propensity">) => R,
  ): Promise<R> {
    const given = this.#given.get(answerId);
    if (!given) throw new Error(`judge: there is no answer ${answerId} of this learner.`);
    const { answer, asking, judges } = given;
    if (judges.has(judge)) throw new Error(`judge: ${judge} has judged answer ${answerId} already.`);
    const said = record(given, {
      v: 2,
      // The first judge's record is called as the answer is.
      id: judges.size === 0 ? answerId : `${answerId} ${judge}`,
      time: new Date().toISOString(),
      session: this.#session,
      judge,
      example: answer.example,
      inputHash: given.hash,
      probabilities: answer.probabilities,
      ...asking,
      model: given.model,
      reactionMs: Date.now() - given.asked,
      seed: this.settings.seed,
    });
    judges.add(judge);
    try {
      await this.#options.log.append(said);
    } catch (error) {
      judges.delete(judge);
      throw error;
    }
    return said;
  }

  /**
   * Learns from what was judged since the last update and, with "replay", again from everything.
   *
   * @param judgements those that are known of. Default: the whole log.
   */
  async update(judgements: readonly Judgement[] = this.#options.log.judgements()): Promise<Updated> {
    const all = rewarded(judgements);
    // After an undo there may be fewer than were learned from.
    const fresh = all.slice(Math.min(this.#state.learned, all.length));
    const result =
      fresh.length > 0 ? await this.#reinforce(fresh) : { judgements: 0, reward: 0, entropy: 0, kl: 0, loss: 0 };
    this.#state.learned = all.length;
    if (this.settings.method === "replay") result.loss = await this.#replay(all);
    this.#state.updates += 1;
    this.#model = undefined;
    return result;
  }

  async #reinforce(fresh: readonly RewardedJudgement[]): Promise<Updated> {
    const { entropy, leash, baselineDecay } = this.settings;
    const advantages = fresh.map(({ reward }) => {
      const advantage = reward - this.#state.baseline;
      this.#state.baseline = baselineDecay * this.#state.baseline + (1 - baselineDecay) * reward;
      return advantage;
    });
    const batch = this.#batchOf(fresh.map((j) => this.#example(j)));
    const { reference } = this.#options;
    const { loss, held } = await this.#net.engine.step(() => {
      const held = reference
        ? noGrad(() => reference.forward(batch))
        : this.#net.engine.tensor(
            fresh.flatMap((j) => j.probabilities.map((p) => Math.log(Math.max(p, 1e-30)))),
            [fresh.length, this.#net.config.classes],
          );
      const logits = this.#net.forward(batch, { training: true });
      const loss = policyGradient(
        logits,
        fresh.map((j) => j.action),
        advantages,
        { entropy, beta: leash, klTo: held },
      );
      this.#optimiser.update(loss.backward());
      return { loss, held };
    });
    const references = await this.#rowsOf(held);
    const mean = (f: (j: RewardedJudgement, i: number) => number) =>
      fresh.reduce((sum, j, i) => sum + f(j, i), 0) / fresh.length;
    const information = (p: readonly number[], q: readonly number[]) =>
      p.reduce((sum, x, i) => sum + (x > 0 ? x * Math.log(x / q[i]!) : 0), 0);
    return {
      judgements: fresh.length,
      reward: mean((j) => j.reward),
      entropy: mean(
        (j) =>
          -information(
            j.probabilities,
            j.probabilities.map(() => 1),
          ),
      ),
      kl: mean((j, i) => information(j.probabilities, softmaxOf(references[i]!))),
      loss: await loss.item(),
    };
  }

  async #replay(all: readonly RewardedJudgement[]): Promise<number> {
    const pool = [
      ...(this.#options.labelled ?? []).map((example) => ({ example: example as E, action: example.label, reward: 1 })),
      ...all.map((j) => ({ example: this.#example(j), action: j.action, reward: j.reward })),
    ];
    if (pool.length === 0) return 0;
    const random = new Random("replay", this.settings.seed, this.#state.updates);
    let sum = 0;
    for (let i = 0; i < this.settings.replays; i++) {
      const rows = Array.from({ length: this.settings.batch }, () => random.choice(pool));
      const batch = this.#batchOf(rows.map((row) => row.example));
      const loss = await this.#net.engine.step(() => {
        const logits = this.#net.forward(batch, { training: true });
        const loss = judged(
          logits,
          rows.map((row) => row.action),
          rows.map((row) => row.reward),
          { noise: this.settings.noise },
        );
        this.#optimiser.update(loss.backward());
        return loss;
      });
      sum += await loss.item();
    }
    return sum / this.settings.replays;
  }

  #example({ example, id }: Judgement): E {
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

  async #rowsOf(logits: Tensor): Promise<Float32Array[]> {
    const all = (await logits.data()) as Float32Array;
    logits.dispose();
    const { classes } = this.#net.config;
    return Array.from({ length: all.length / classes }, (_, i) => all.slice(i * classes, (i + 1) * classes));
  }

  async #hashOfWeights(): Promise<string> {
    const { tensors } = await weightsOf(this.#net);
    return hashOf([...tensors.values()].map(({ data }) => data));
  }
}

/** A learner over a network, an optimiser of its parameters and a feedback log. */
export const learner = <E extends Example>(
  net: MultimodalNet,
  optimiser: Optimiser,
  options: LearnerOptions<E>,
): Learner<E> => new Learner(net, optimiser, options);

const of = <T>(one: T | readonly T[], i: number): T | undefined => (Array.isArray(one) ? one[i] : (one as T));

/** The probabilities of the other actions, given that it is not this one. */
function without(probabilities: readonly number[], action: number): number[] {
  const rest = probabilities.map((p, a) => (a === action ? 0 : p));
  const sum = rest.reduce((a, b) => a + b, 0);
  // Where nothing is left of the policy, all others are alike.
  return rest.map((p, a) => (sum > 0 ? p / sum : a === action ? 0 : 1 / (rest.length - 1)));
}

/** An index drawn by its probability. */
export function sample(probabilities: readonly number[], random: Random): number {
  let left = random.uniform();
  for (const [i, p] of probabilities.entries()) {
    left -= p;
    if (left < 0) return i;
  }
  // What rounding leaves over.
  return probabilities.findLastIndex((p) => p > 0);
}

/** SHA-256 of arrays' bytes, in hex, cut to 16 digits: a name, not a seal. */
async function hashOf(arrays: readonly ArrayBufferView[]): Promise<string> {
  const bytes = new Uint8Array(arrays.reduce((n, a) => n + a.byteLength, 0));
  let at = 0;
  for (const a of arrays) {
    bytes.set(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), at);
    at += a.byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join("");
}
