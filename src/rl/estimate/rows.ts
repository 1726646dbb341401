import type { Judgement } from "../judgement.ts";
import { rewarded } from "../judgement.ts";

/** One judgement, beside what the policy that is being estimated would have done there. */
export interface Row {
  readonly example: string;
  readonly action: number;
  /** From -1 to 1. */
  readonly reward: number;
  /** μ: probability with which the action was drawn when it was judged. */
  readonly propensity: number;
  /** Probabilities of the policy that answered then, [A]. */
  readonly logged: readonly number[];
  /** π: probabilities of the policy that is being estimated, [A]. */
  readonly target: readonly number[];
  /** How many examples this one stands for: 1 / the chance of being asked about. */
  readonly weight: number;
}

/**
 * Rows from a log: its judgements for training that are no skips, in order. An example that was asked about by a chance
 * counts as many as it stands for, where all of the chances are known; else all count alike.
 *
 * @param target probabilities [A] of the policy that is being estimated, by example; undefined leaves the example out.
 * @throws RangeError where they are of another number of actions than the log's.
 */
export function rowsOf(
  judgements: Iterable<Judgement>,
  target: (example: string) => readonly number[] | undefined,
): Row[] {
  const learnable = rewarded(judgements);
  const known = learnable.every(({ chosenWith }) => chosenWith !== null);
  return learnable.flatMap(({ example, action, reward, propensity, probabilities, chosenWith }) => {
    const p = target(example);
    if (!p) return [];
    if (p.length !== probabilities.length) {
      throw new RangeError(
        `rowsOf: the policy has ${p.length} actions for example ${example}, the log has ${probabilities.length}.`,
      );
    }
    const weight = known ? 1 / chosenWith! : 1;
    return [{ example, action, reward, propensity, logged: probabilities, target: p, weight }];
  });
}

/** w = π(a) / μ(a): how much likelier the action is under the policy that is being estimated. */
export const ratio = ({ target, action, propensity }: Row): number => target[action]! / propensity;

/** The rows of each example. */
export function byExample(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.example);
    if (group) group.push(row);
    else groups.set(row.example, [row]);
  }
  return [...groups.values()];
}
