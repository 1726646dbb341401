import { checkOptions } from "../check.ts";
import type { Random } from "../data/random.ts";
import type { Account } from "./account.ts";
import { checkObject } from "./check.ts";
import type { Judgement, Preference, Purpose } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";
import { timeOf } from "./time.ts";

/*
 * What was answered, and what people say of it: each answer keeps how it came about until it is judged, and each verdict
 * goes into the log with all that is needed to learn from it later.
 */

/** What the network answered, before anyone judged it. */
export interface Answer {
  /** Unique in the log; `judge` and `prefer` take it. */
  readonly id: string;
  /** The id of the example. */
  readonly example: string;
  /** The index of the class that was answered. */
  readonly action: number;
  /** A second action, drawn from the rest of the policy, for a person who is to compare the two. */
  readonly alternative: number;
  /** π(· | x), [A], summing to 1. */
  readonly probabilities: readonly number[];
}

/** How an example came to be asked about, for the log: a `Choice` of `choose` is one. */
export interface Query {
  /** The acquisition function that chose it. Default: "uniform". */
  readonly acquisition?: string;
  /** The probability with which it was chosen; null where it is not known, which is the default. */
  readonly inclusionProbability?: number | null;
  /** Default: "training". For "evaluation" the argmax is answered, and its judgements are not learned from. */
  readonly purpose?: Purpose;
}

/** What a person says of one answer. */
export interface Verdict {
  /** From -1 (wrong) to 1 (right); null is a skip. */
  readonly reward: number | null;
  /** Who says so. */
  readonly judge: string;
}

/** Which of an answer's two actions a person prefers. */
export interface PreferenceVerdict {
  /** The answer's action or its alternative. */
  readonly better: number;
  /** Who says so. */
  readonly judge: string;
}

/** What the log will say of an answer, whoever judges it. */
export interface Origin {
  /** Whether the action follows from the probabilities, and was not drawn. */
  readonly greedy: boolean;
  readonly query: Required<Query>;
  /** Of what the network saw of the example, and of the weights that answered. */
  readonly inputHash: string;
  readonly model: string;
}

/** What a judgement and a preference say of the question, beside who said it and when. */
type Asked = Omit<
  Judgement,
  "v" | "kind" | "id" | "time" | "judge" | "reactionMs" | "action" | "reward" | "propensity"
>;

interface Issued {
  /** Without an alternative where it is known from the log alone. */
  readonly answer: Omit<Answer, "alternative"> & { readonly alternative?: number };
  /** The chances of the action, and of its pair with the alternative: one of them where the answer is known from the log alone. */
  readonly propensity: number | undefined;
  readonly pair: number | undefined;
  readonly asked: Asked;
  /** When it was asked, in milliseconds since 1970. */
  readonly since: number;
  /** Whose verdicts are being stored. */
  readonly storing: Set<string>;
}

export class Answers {
  readonly #issued = new Map<string, Issued>();
  /** Ids of records that are being stored. */
  readonly #storing = new Set<string>();
  readonly #log: FeedbackLog;
  readonly #account: Account;
  readonly #session: string;
  readonly #seed: number;

  /** @param session names this run of the program in each record. */
  constructor(log: FeedbackLog, account: Account, session: string, seed: number) {
    this.#log = log;
    this.#account = account;
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
    const { greedy, query, inputHash, model } = origin;
    const stem = `${this.#session}/${update}/${answer.example}`;
    const id = firstFree(
      stem,
      (i) => `${stem}#${i}`,
      (id) => this.#isTaken(id),
    );
    const given = { id, ...answer };
    const { example, probabilities, action } = answer;
    const asked = { session: this.#session, example, inputHash, probabilities, ...query, model, seed: this.#seed };
    const propensity = greedy ? 1 : probabilities[action]!;
    const pair = chanceOfPair(given, greedy);
    this.#issued.set(id, { answer: given, propensity, pair, asked, since: Date.now(), storing: new Set() });
    return given;
  }

  /** As `Learner.judge`. */
  judge(answerId: string, verdict: Verdict): Promise<Judgement> {
    checkObject("judge", "the verdict", verdict, "{ reward, judge }");
    checkOptions("judge", verdict, { reward: true, judge: true });
    return this.#say("judge", answerId, verdict.judge, ({ answer, propensity }, asked) => {
      if (propensity === undefined)
        throw new Error(`judge: of answer ${answerId} of an earlier run the log has a preference alone. Use prefer.`);
      return { ...asked, kind: "judgement", action: answer.action, reward: verdict.reward, propensity };
    });
  }

  /** As `Learner.prefer`. */
  prefer(answerId: string, verdict: PreferenceVerdict): Promise<Preference> {
    checkObject("prefer", "the verdict", verdict, "{ better, judge }");
    checkOptions("prefer", verdict, { better: true, judge: true });
    const { better, judge } = verdict;
    return this.#say("prefer", answerId, judge, ({ answer, pair }, asked) => {
      const { action, alternative } = answer;
      if (alternative === undefined || pair === undefined)
        throw new Error(
          `prefer: the alternative of answer ${answerId} of an earlier run is not in the log. Use judge.`,
        );
      if (better !== action && better !== alternative) {
        throw new Error(
          `prefer: better is ${better}, expected ${action} or ${alternative}, the two actions of the answer.`,
        );
      }
      const rejected = better === action ? alternative : action;
      return { ...asked, kind: "preference", preferred: better, rejected, propensity: pair };
    });
  }

  /** Stores what a judge says of an answer: once, unless it was taken back. */
  async #say<R extends Judgement | Preference>(
    operation: string,
    answerId: string,
    judge: string,
    record: (given: Issued, asked: Omit<Judgement, "kind" | "action" | "reward" | "propensity">) => R,
  ): Promise<R> {
    const given = this.#issued.get(answerId) ?? this.#recalled(answerId);
    if (!given) throw new Error(`${operation}: there is no answer ${answerId} of this learner or in its log.`);
    const { asked, since, storing } = given;
    if (storing.has(judge) || this.#isJudged(given, judge))
      throw new Error(
        `${operation}: ${judge} has judged answer ${answerId} already. To say something else, undo that first.`,
      );
    const id = this.#freeId(given, judge);
    const said = record(given, {
      v: 3,
      id,
      time: new Date().toISOString(),
      judge,
      ...asked,
      reactionMs: Math.max(0, Date.now() - since),
    });
    storing.add(judge);
    this.#storing.add(id);
    try {
      await this.#log.append(said);
    } finally {
      storing.delete(judge);
      this.#storing.delete(id);
    }
    return said;
  }

  /** Whether something that this judge said of the answer still counts, by the log. */
  #isJudged(given: Issued, judge: string): boolean {
    return this.#account
      .about(given.answer.example)
      .some((said) => said.judge === judge && isAbout(said, given) && !this.#account.isRetracted(said.id));
  }

  /**
   * The id of what a judge says. The first record of an answer is called as the answer is; where an earlier run gave the
   * answer, this one's name goes along, since another copy of the log may have gone on from there as well.
   */
  #freeId({ answer, asked }: Issued, judge: string): string {
    const isOwn = asked.session === this.#session;
    if (isOwn && !this.#log.has(answer.id) && !this.#storing.has(answer.id)) return answer.id;
    const stem = isOwn ? `${answer.id} ${judge}` : `${answer.id} ${judge} ${this.#session}`;
    return firstFree(
      stem,
      (i) => `${stem} #${i}`,
      (id) => this.#isTaken(id),
    );
  }

  #isTaken(id: string): boolean {
    return this.#log.has(id) || this.#issued.has(id) || this.#storing.has(id);
  }

  /** An answer of an earlier run, by what the log says of it. */
  #recalled(answerId: string): Issued | undefined {
    const said = this.#account.said(answerId) ?? this.#account.find((id) => id.startsWith(`${answerId} `));
    if (!said) return undefined;
    const {
      session,
      example,
      inputHash,
      probabilities,
      acquisition,
      inclusionProbability,
      purpose,
      model,
      seed,
      propensity,
    } = said;
    const known =
      said.kind === "judgement"
        ? { answer: { action: said.action }, propensity, pair: undefined }
        : { answer: { action: said.preferred, alternative: said.rejected }, propensity: undefined, pair: propensity };
    const given: Issued = {
      ...known,
      answer: { id: answerId, example, probabilities, ...known.answer },
      asked: { session, example, inputHash, probabilities, acquisition, inclusionProbability, purpose, model, seed },
      since: timeOf(said.time)! - said.reactionMs,
      storing: new Set(),
    };
    this.#issued.set(answerId, given);
    return given;
  }
}

/** The chance that these two actions were put side by side. */
function chanceOfPair({ action, alternative, probabilities }: Answer, greedy: boolean): number {
  // Drawn one after the other; where the argmax is not always the first, they could have come in either order.
  const first = (a: number, b: number) => probabilities[a]! * without(probabilities, a)[b]!;
  const chance = greedy
    ? without(probabilities, action)[alternative]!
    : first(action, alternative) + first(alternative, action);
  return Math.min(Math.max(chance, Number.MIN_VALUE), 1);
}

/** Whether a record is about this answer, and not about another one of the same example. */
function isAbout(said: Judgement | Preference, { answer, asked }: Issued): boolean {
  const isNamed = said.id === answer.id || said.id.startsWith(`${answer.id} `);
  const actions = said.kind === "judgement" ? [said.action] : [said.preferred, said.rejected];
  return isNamed && said.session === asked.session && said.model === asked.model && actions.includes(answer.action);
}

/** A name, or the first of its numbered variants, from 2 on, that is not taken. */
function firstFree(name: string, numbered: (i: number) => string, isTaken: (name: string) => boolean): string {
  let found = name;
  for (let i = 2; isTaken(found); i++) found = numbered(i);
  return found;
}

/** An index drawn by its probability. */
export function drawAction(probabilities: readonly number[], random: Random): number {
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
