import { type Engine, gather, mean, softplus, sub, Tensor } from "../autograd/index.ts";
import { checkList, checkNumber, describe, placeIn } from "../check.ts";

/**
 * The negative log-likelihood of comparisons by Bradley and Terry (1952), in the mean:
 *
 * loss = −1/N Σ_n log σ(r[n, a_n] − r[n, b_n])
 *
 * @param engine where the actions are uploaded; to be called in a step.
 * @param rewards r [N, A]
 * @param preferred a [N]
 * @param rejected b [N]
 * @returns a scalar. Differentiable in rewards.
 * @throws TypeError or RangeError where an action is none of the A, or there are not N of both.
 * @example const loss = bradleyTerry(engine, net.forward(batch), [3], [5]);
 */
export function bradleyTerry(
  engine: Engine,
  rewards: Tensor,
  preferred: readonly number[],
  rejected: readonly number[],
): Tensor {
  if (!(rewards instanceof Tensor) || rewards.shape.length !== 2)
    throw new TypeError(
      `bradleyTerry: rewards are ${rewards instanceof Tensor ? rewards : describe(rewards)}, expected a tensor [N, A].`,
    );
  const [N, A] = rewards.shape as [number, number];
  for (const [name, actions] of Object.entries({ preferred, rejected })) {
    checkList("bradleyTerry", name, actions, "a list of actions");
    if (actions.length !== N)
      throw new RangeError(
        `bradleyTerry: ${actions.length} ${name} actions for ${N} rows of rewards, expected as many.`,
      );
    for (let n = 0; n < N; n++) checkNumber("bradleyTerry", `${name}[${n}]`, actions[n], placeIn(A));
  }
  if (N === 0) throw new RangeError("bradleyTerry: there are no comparisons, expected at least one.");
  for (let n = 0; n < N; n++) checkOther("bradleyTerry", `rejected[${n}]`, preferred[n]!, rejected[n]!);
  const of = (actions: readonly number[]) =>
    gather(rewards, engine.tensor(Int32Array.from(actions), [actions.length, 1]), { axis: 1 });
  return mean(softplus(sub(of(rejected), of(preferred))));
}

/** Refuses a comparison of an action with itself, which says nothing. */
export function checkOther(operation: string, what: string, preferred: number, rejected: number): void {
  if (preferred === rejected)
    throw new RangeError(`${operation}: ${what} is ${rejected}, as the preferred action is. Expected another one.`);
}
