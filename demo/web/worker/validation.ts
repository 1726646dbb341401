import { mcnemar, optimisticArgmax, wilson } from "handgrad/rl";
import type { Accuracy, Comparison, Displayed, Standing } from "../shared/protocol.ts";
import type { Task, TaskExample } from "./task.ts";

/*
 * What the page says of accuracy, and by what a network is shown or held back: answers to the same held-out examples, compared
 * one by one (McNemar's test), as a share of few examples moves by itself.
 */

/** What chance alone brings in one of twenty cases is not called a difference. */
const LEVEL = 0.05;
/** Held-out examples that stay in view. */
const DISPLAYED = 20;

/** What a network answered to the held-out examples. */
export interface Validation {
  /** How many judgements there were by then. */
  readonly judgements: number;
  readonly ids: readonly string[];
  /** The answer to each, and whether it is right. */
  readonly answers: readonly number[];
  readonly right: readonly boolean[];
}

/** The networks that were measured: the first, the best that was shown, the one that is shown, and the one held back. */
export interface Measured {
  readonly first: Validation;
  readonly best: Validation;
  readonly shown: Validation;
  readonly held?: Validation | undefined;
}

/** @param said [N][A], probabilities. */
export function validationOf(
  judgements: number,
  examples: readonly TaskExample[],
  said: readonly (readonly number[])[],
): Validation {
  const answers = said.map((probabilities) => optimisticArgmax(probabilities));
  return {
    judgements,
    ids: examples.map(({ id }) => id),
    answers,
    right: examples.map(({ label }, i) => label === answers[i]),
  };
}

const rightOf = ({ right }: Validation) => right.filter(Boolean).length;

export function accuracyOf(validation: Validation): Accuracy {
  const [right, of] = [rightOf(validation), validation.right.length];
  return { right, of, ...wilson(right, of) };
}

/** Over the examples that both were measured by. */
export function compare(before: Validation, after: Validation): Comparison {
  const wasRight = new Map(before.ids.map((id, i) => [id, before.right[i]!]));
  let [gained, lost] = [0, 0];
  for (const [i, id] of after.ids.entries()) {
    const was = wasRight.get(id);
    if (was === false && after.right[i]) gained += 1;
    if (was === true && !after.right[i]) lost += 1;
  }
  const verdict = mcnemar(gained, lost) >= LEVEL ? "same" : gained > lost ? "better" : "worse";
  return { gained, lost, verdict };
}

/**
 * What is known once another network was measured. It is shown, unless it is worse than the one that is shown, or than the best
 * that was: a little worse many times would be much worse.
 */
export function measuredWith(found: Validation, known: Measured | undefined): Measured {
  if (!known) return { first: found, best: found, shown: found };
  const { first, best, shown } = known;
  const isWorse = [shown, best].some((other) => compare(other, found).verdict === "worse");
  if (isWorse) return { first, best, shown, held: found };
  return { first, best: rightOf(found) >= rightOf(best) ? found : best, shown: found };
}

/** What the page is told. `before`: what the network said that answered before. */
export function standingOf<E extends TaskExample>(
  { first, shown, held }: Measured,
  before: Validation | undefined,
  task: Task<E>,
): Standing {
  return {
    accuracy: accuracyOf(shown),
    judgements: shown.judgements,
    progress: first === shown ? null : { ...compare(first, shown), judgements: first.judgements },
    change: before ? compare(before, shown) : null,
    held: held ? { accuracy: accuracyOf(held), judgements: held.judgements } : null,
    display: task.heldOut.slice(0, DISPLAYED).flatMap((example): Displayed[] => {
      const answer = answerOf(shown, example.id);
      if (answer === null) return [];
      const { id, picture, words } = task.show(example);
      return [{ id, label: example.label, picture, words, answer, before: before ? answerOf(before, id) : null }];
    }),
  };
}

const answerOf = ({ ids, answers }: Validation, id: string): number | null => answers[ids.indexOf(id)] ?? null;
