import type { Random } from "../data/random.ts";
import type { Judgement, Preference, Purpose } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";

/*
 * What was answered, and what people say of it: each answer keeps how it came about until it is judged, and each verdict
 * goes into the log with all that is needed to learn from it later.
 */

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

/** What the log will say of an answer, whoever judges it. */
export interface Origin {
  /** Whether the action follows from the probabilities, and was not drawn. */
  readonly certain: boolean;
  readonly asking: Required<Asking>;
  /** Of the example's arrays, and of the weights that answered. */
  readonly inputHash: string;
  readonly model: string;
}

interface Given extends Origin {
  readonly answer: Answer;
  readonly asked: number;
  /** Who judged it. */
  readonly judges: Set<string>;
}

export class Answers {
  readonly #given = new Map<string, Given>();
  readonly #log: FeedbackLog;
  readonly #session: string;
  readonly #seed: number;

  /** @param session names this run of the program in each record. */
  constructor(log: FeedbackLog, session: string, seed: number) {
    this.#log = log;
    this.#session = session;
    this.#seed = seed;
  }

  /**
   * Keeps an answer until it is judged, and gives it an id.
   *
   * @param update how many updates there were before it. The same example may be answered again after an undo; the id is
   * then another one.
   */
  give(answer: Omit<Answer, "id">, update: number, origin: Origin): Answer {
    const stem = `${this.#session}/${update}/${answer.example}`;
    let id = stem;
    for (let i = 2; this.#log.has(id) || this.#given.has(id); i++) id = `${stem}#${i}`;
    const given = { id, ...answer };
    this.#given.set(id, { ...origin, answer: given, asked: Date.now(), judges: new Set() });
    return given;
  }

  /** As `Learner.judge`. */
  judge(answerId: string, verdict: { reward: number | null; judge: string }): Promise<Judgement> {
    return this.#say(answerId, verdict.judge, ({ answer, certain }, asked) => ({
      ...asked,
      kind: "judgement",
      action: answer.action,
      reward: verdict.reward,
      propensity: certain ? 1 : answer.probabilities[answer.action]!,
    }));
  }

  /** As `Learner.prefer`. */
  prefer(answerId: string, { better, judge }: { better: number; judge: string }): Promise<Preference> {
    return this.#say(answerId, judge, ({ answer, certain }, asked) => {
      const { action, rival, probabilities } = answer;
      if (better !== action && better !== rival) {
        throw new Error(`prefer: better is ${better}, expected ${action} or ${rival}, the two actions of the answer.`);
      }
      // Drawn one after the other; where the likeliest is not always the first, they could have come in either order.
      const first = (a: number, b: number) => probabilities[a]! * without(probabilities, a)[b]!;
      const sampled = first(action, rival) + first(rival, action);
      const propensity = certain ? without(probabilities, action)[rival]! : sampled;
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
      inputHash: given.inputHash,
      probabilities: answer.probabilities,
      ...asking,
      model: given.model,
      reactionMs: Date.now() - given.asked,
      seed: this.#seed,
    });
    judges.add(judge);
    try {
      await this.#log.append(said);
    } catch (error) {
      judges.delete(judge);
      throw error;
    }
    return said;
  }
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

/** The probabilities of the other actions, given that it is not this one. */
export function without(probabilities: readonly number[], action: number): number[] {
  const rest = probabilities.map((p, a) => (a === action ? 0 : p));
  const sum = rest.reduce((a, b) => a + b, 0);
  // Where nothing is left of the policy, all others are alike.
  return rest.map((p, a) => (sum > 0 ? p / sum : a === action ? 0 : 1 / (rest.length - 1)));
}
