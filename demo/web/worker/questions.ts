import { append } from "handgrad/data";
import type { FeedbackLog, Judgement, Learner } from "handgrad/rl";
import type { Question } from "../shared/protocol.ts";
import type { Task, TaskExample } from "./task.ts";

/** Answers prepared ahead, so that the next one is there at once, also while the device is busy learning. */
const AHEAD = 6;

/** What answers: the learner may become another one while questions wait, but not within a turn. */
interface Answering<E extends TaskExample> {
  readonly agent: Learner<E>;
  turn<T>(work: () => Promise<T>): Promise<T>;
}

/** What is asked, and who is asked: both may change while questions wait. */
interface QuestionsOptions<E extends TaskExample> {
  readonly log: FeedbackLog;
  task(): Task<E>;
  readonly network: Answering<E>;
  /** Told where preparing answers ahead failed. */
  failed(error: unknown): void;
}

/** Answers of the network that wait for their judgement: the one that is open, and those prepared ahead. */
export class Questions<E extends TaskExample> {
  readonly #of: QuestionsOptions<E>;
  #open: Question | undefined;
  #ahead: Question[] = [];
  /** By which learner each was answered. */
  readonly #answeredBy = new Map<string, Learner<E>>();
  #filling: Promise<void> | undefined;
  /** Counts the times at which what was prepared was dropped. */
  #round = 0;

  constructor(of: QuestionsOptions<E>) {
    this.#of = of;
  }

  /** The open question, or the next one; null where all were answered. */
  async current(): Promise<Question | null> {
    if (this.#open) return this.#open;
    if (this.#ahead.length === 0) await this.#fill();
    // Another call may have opened one while this one waited, as where a device was lost: what is shown stays what is open.
    this.#open ??= this.#ahead.shift();
    if (this.#open && this.#ahead.length <= AHEAD / 2) this.#fill().catch(this.#of.failed);
    return this.#open ?? null;
  }

  /** Takes the open question, to judge it. Undefined where it is not this one. */
  take(answer: string): Question | undefined {
    const question = this.#open;
    if (question?.answer !== answer) return undefined;
    this.#open = undefined;
    return question;
  }

  /** Puts a question in front; the one that was open comes after it. */
  putBack(question: Question | undefined): void {
    if (this.#open) this.#ahead.unshift(this.#open);
    this.#open = question;
  }

  /** Drops all of them, also those being prepared: they are asked anew. */
  forget(): void {
    this.#open = undefined;
    this.restart();
  }

  /** Goes on with another network: the open question stands, what was prepared ahead or is being prepared does not. */
  restart(): void {
    this.#ahead = [];
    this.#filling = undefined;
    this.#round += 1;
  }

  /** Once no answer is being prepared any more. */
  async idle(): Promise<void> {
    await this.#filling?.catch(() => {});
  }

  /** Has the network answer these. */
  async ask(ids: readonly string[]): Promise<Question[]> {
    const task = this.#of.task();
    const examples = ids.map((id) => task.find(id)).filter((example) => example !== undefined);
    if (examples.length === 0) return [];
    const { network } = this.#of;
    const { agent, answers } = await network.turn(async () => {
      const { agent } = network;
      return { agent, answers: await agent.actOn(examples) };
    });
    return answers.map(({ id, action, probabilities }, i) => {
      this.#answeredBy.set(id, agent);
      return { answer: id, action, probabilities, shown: task.show(examples[i]!) };
    });
  }

  /** Stores what a judge says of an answer, with the learner that gave it. */
  async judge(answer: string, verdict: { reward: number | null; judge: string }): Promise<Judgement> {
    const judgement = await this.#answeredBy.get(answer)!.judge(answer, verdict);
    this.#answeredBy.delete(answer);
    return judgement;
  }

  #fill(): Promise<void> {
    if (this.#filling) return this.#filling;
    const filling = this.#answerAhead().finally(() => {
      if (this.#filling === filling) this.#filling = undefined;
    });
    this.#filling = filling;
    return filling;
  }

  async #answerAhead(): Promise<void> {
    const round = this.#round;
    const taken = new Set([
      ...this.#of.log.judgements().map((j) => j.example),
      ...this.#ahead.map((q) => q.shown.id),
      ...(this.#open ? [this.#open.shown.id] : []),
    ]);
    const ids = [];
    for (const id of this.#of.task().questions) {
      if (this.#ahead.length + ids.length >= AHEAD) break;
      if (!taken.has(id)) ids.push(id);
    }
    const questions = await this.ask(ids);
    // A device may have been lost and replaced meanwhile; what the former network said is then not asked.
    if (round === this.#round) append(this.#ahead, questions);
  }
}
