import { checkFunction, checkList, checkNumber, checkText, type NumberRule, number, placeIn } from "../../check.ts";
import { rewardedOf } from "../active.ts";
import { checkObject, checkProbabilities } from "../check.ts";
import type { Judgement } from "../judgement.ts";
import { checkJudgements } from "../record.ts";

/** One judgement, beside the probabilities of the policy that is being estimated (the target). */
export interface LoggedAction {
  /** The id of the example. */
  readonly example: string;
  /** The judged action, an index into `logged` and `target`. */
  readonly action: number;
  /** From -1 to 1. */
  readonly reward: number;
  /** μ: probability with which the action was drawn when it was judged. */
  readonly propensity: number;
  /** Probabilities of the policy that answered then, [A]. */
  readonly logged: readonly number[];
  /** π: probabilities of the policy that is being estimated, [A]. */
  readonly target: readonly number[];
  /** How many examples this one stands for: 1 / its inclusion probability. */
  readonly weight: number;
}

/**
 * Rows for off-policy estimation from a log: its judgements for training that are no skips, in order. Each is weighted by 1 /
 * inclusion probability where all of those are known; else all weigh 1.
 *
 * @param judgements such as `log.judgements()`.
 * @param target π(· | x) [A] of the policy that is being estimated, by example id; undefined leaves the example out.
 * @returns a row for each judgement used.
 * @throws FeedbackLogError naming a judgement's field that cannot be.
 * @throws RangeError where `target` gives no probabilities, or of another number of actions than the log's.
 * @example const estimate = snips(rowsOf(log.judgements(), (id) => probabilities.get(id)));
 */
export function rowsOf(
  judgements: Iterable<Judgement>,
  target: (example: string) => readonly number[] | undefined,
): LoggedAction[] {
  checkFunction("rowsOf", "target", target, "a function that gives the policy's probabilities for an example");
  const learnable = rewardedOf(
    checkJudgements("rowsOf", judgements, [
      "example",
      "reward",
      "propensity",
      "probabilities",
      "action",
      "inclusionProbability",
      "purpose",
    ]),
  );
  const known = learnable.every(({ inclusionProbability }) => inclusionProbability !== null);
  return learnable.flatMap(({ example, action, reward, propensity, probabilities, inclusionProbability }) => {
    const p = target(example);
    if (p === undefined) return [];
    checkList("rowsOf", `what target gave for example ${example}`, p, "a list of probabilities, or undefined");
    if (p.length !== probabilities.length) {
      throw new RangeError(
        `rowsOf: the policy has ${p.length} actions for example ${example}, the log has ${probabilities.length}.`,
      );
    }
    checkProbabilities("rowsOf", `the policy's probabilities for example ${example}`, p);
    const weight = known ? 1 / inclusionProbability! : 1;
    return [{ example, action, reward, propensity, logged: probabilities, target: p, weight }];
  });
}

const REWARD: NumberRule = { holds: (x) => x >= -1 && x <= 1, expected: "a number from -1 to 1" };
const DRAWN: NumberRule = { holds: (x) => x > 0 && x <= 1, expected: "a number above 0 and at most 1" };

/** Refuses what are no rows, such as those with rewards, chances or weights that cannot be. */
export function checkRows(operation: string, rows: readonly LoggedAction[]): void {
  checkList(operation, "rows", rows, "a list of rows, such as rowsOf gives");
  for (let i = 0; i < rows.length; i++) checkRow(operation, i, rows[i]!);
}

function checkRow(operation: string, i: number, row: LoggedAction): void {
  checkObject(operation, `row ${i}`, row, "a row, such as rowsOf gives");
  const { example, action, reward, propensity, logged, target, weight } = row;
  checkText(operation, `the example of row ${i}`, example);
  checkProbabilities(operation, `logged of row ${i}`, logged);
  checkProbabilities(operation, `target of row ${i}`, target, logged.length);
  checkNumber(operation, `the action of row ${i}`, action, placeIn(logged.length));
  checkNumber(operation, `the reward of row ${i}`, reward, REWARD);
  checkNumber(operation, `the propensity of row ${i}`, propensity, DRAWN);
  checkNumber(operation, `the weight of row ${i}`, weight, number.atLeast0);
  checkNumber(operation, `π / μ of row ${i}, whose propensity is ${propensity},`, ratio(row), number.finite);
}

/** w = π(a) / μ(a): how much likelier the action is under the policy that is being estimated. */
export const ratio = ({ target, action, propensity }: LoggedAction): number => target[action]! / propensity;

/** The rows of each example. */
export function groupRowsByExample(rows: readonly LoggedAction[]): LoggedAction[][] {
  const groups = new Map<string, LoggedAction[]>();
  for (const row of rows) {
    const group = groups.get(row.example);
    if (group) group.push(row);
    else groups.set(row.example, [row]);
  }
  return [...groups.values()];
}
