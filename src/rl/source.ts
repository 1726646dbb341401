import type { Batch } from "../model/index.ts";
import type { Account } from "./account.ts";
import { rewarded, rewardedOf } from "./active.ts";
import type { Identified, Judged, Policy, Pool } from "./algorithms/index.ts";
import { probabilitiesOf } from "./algorithms/replay.ts";
import type { Judgement } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";
import { checkRecord } from "./record.ts";

/** What a learner learns from: the judgements of its log, each with the example that it is about. */
export class Source<E extends Identified> {
  readonly #log: FeedbackLog;
  readonly #account: Account;
  readonly #numOutputs: number;
  readonly #find: ((id: string) => E | undefined) | undefined;
  readonly #examples = new Map<string, E>();

  /**
   * @param numOutputs how many actions a judgement must be about.
   * @param find gives examples of earlier runs, by their ids.
   */
  constructor(
    log: FeedbackLog,
    account: Account,
    numOutputs: number,
    find: ((id: string) => E | undefined) | undefined,
  ) {
    this.#log = log;
    this.#account = account;
    this.#numOutputs = numOutputs;
    this.#find = find;
  }

  /** Remembers an example that was answered. */
  add(example: E): void {
    this.#examples.set(example.id, example);
  }

  /**
   * What there is to learn from, each judgement once, with its example.
   *
   * @param said Default: the judgements of the log.
   * @throws RangeError where one is about another number of actions; Error where its example is not to be found.
   */
  judged(said?: readonly Judgement[]): Judged<E>[] {
    const seen = new Set<string>();
    const judged: Judged<E>[] = [];
    for (const j of said ? rewarded(said) : rewardedOf(this.#log.judgements())) {
      if (this.#account.said(j.id) !== j) checkRecord(j);
      // It may have been taken back after the list was made.
      if (seen.has(j.id) || this.#account.isRetracted(j.id)) continue;
      seen.add(j.id);
      if (j.probabilities.length !== this.#numOutputs)
        throw new RangeError(
          `learner.update: judgement ${j.id} is about ${j.probabilities.length} actions, this network has ${this.#numOutputs}. It is of another task.`,
        );
      judged.push({ ...j, example: this.#example(j) });
    }
    return judged;
  }

  #example({ example, id }: Judgement): E {
    const known = this.#examples.get(example) ?? this.#find?.(example);
    if (!known)
      throw new Error(
        `learner: judgement ${id} is about example ${example}, which is not in this data. Give \`find\`.`,
      );
    this.#examples.set(example, known);
    return known;
  }
}

/** Mean over judgements of KL(behavior policy ‖ reference); 0 without a reference. */
export async function meanKl<E>(
  reference: Policy | undefined,
  judged: readonly Judged<E>[],
  batchOf: (examples: readonly E[]) => Batch,
): Promise<number> {
  if (!reference || judged.length === 0) return 0;
  const held = await probabilitiesOf(
    reference,
    judged.map((j) => j.example),
    batchOf,
  );
  const kl = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, x, a) => sum + (x > 0 ? x * Math.log(x / Math.max(q[a]!, 1e-30)) : 0), 0);
  return judged.reduce((sum, j, i) => sum + kl(j.probabilities, held[i]!), 0) / judged.length;
}

/** The ids of so many judgements, the first of a log that can be learned from. */
export const firstJudged = (log: FeedbackLog, n: number): string[] =>
  rewardedOf(log.judgements())
    .slice(0, n)
    .map(({ id }) => id);

/** Where there are no unlabeled examples. */
export const noExamples: Pool<never> = {
  length: 0,
  at: (i) => {
    throw new RangeError(`there is no example ${i}`);
  },
};
