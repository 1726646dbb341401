import { add, mean, mul, neg, noGrad, policyGradient, softmax, sum } from "../autograd/index.ts";
import { checkFunction, checkList, checkNumber, checkOptions, describe, type Known, number } from "../check.ts";
import type { Batch } from "../model/index.ts";
import { checkOptimizer, type Optimizer } from "../optim/index.ts";
import { checkPolicy, type Identified, type Policy } from "./algorithms/algorithm.ts";
import { PreferenceModel } from "./preferenceModel.ts";

/** What `learnFromRewards` learns from, and the terms of its loss. */
export interface RewardedOptions<E extends Identified> {
  /** The rewards. */
  model: PreferenceModel<E>;
  /** N examples, in one batch. */
  examples: readonly E[];
  /** Turns examples into a batch of the policy. */
  toBatch: (examples: readonly E[]) => Batch;
  /**
   * λ: standard deviations of the ensemble that are subtracted from a reward, against reward hacking where nobody was asked. Default 1.
   */
  caution?: number;
  /** c, the weight of the entropy bonus. Default 0.01. */
  entropyCoef?: number;
  /** β, the weight of the KL penalty to `reference`. Default 0.02. */
  klCoef?: number;
  /** The policy of the KL penalty. Default: no penalty. */
  reference?: Policy;
}

const REWARDED: Known<RewardedOptions<Identified>> = {
  model: true,
  examples: true,
  toBatch: true,
  caution: true,
  entropyCoef: true,
  klCoef: true,
  reference: true,
};

/**
 * One step of a policy on the rewards of a model, for examples that nobody judged:
 *
 * loss = −1/N Σ_n Σ_a π(a | x_n) (r̄(x_n, a) − λ · deviation(x_n, a)) − c · H(π) + β · KL(π ‖ reference)
 *
 * The expectation over actions is exact, since the model rewards all of them.
 *
 * @param policy the network that learns.
 * @param optimizer of its parameters.
 * @param options model, examples and their batch; the weights of the terms, and the reference.
 * @returns the loss.
 * @throws TypeError or RangeError naming the option that cannot be; Error where the loss is no finite number.
 * @example await learnFromRewards(net, optimizer, { model, examples, toBatch, caution: 1 });
 */
export async function learnFromRewards<E extends Identified>(
  policy: Policy,
  optimizer: Optimizer,
  options: RewardedOptions<E>,
): Promise<number> {
  const operation = "learnFromRewards";
  if (options === undefined)
    throw new TypeError(`${operation}: there are no options, expected { model, examples, toBatch } at least.`);
  checkOptions<RewardedOptions<Identified>>(operation, options as never, REWARDED);
  const { model, examples, toBatch } = options;
  const { caution = 1, entropyCoef = 0.01, klCoef = 0.02, reference } = options;
  for (const [name, value] of Object.entries({ caution, entropyCoef, klCoef }))
    checkNumber(operation, name, value, number.finite);
  checkPolicy(operation, "the policy", policy);
  if (reference !== undefined) checkPolicy(operation, "reference", reference, policy.numOutputs);
  checkOptimizer(operation, optimizer);
  if (!(model instanceof PreferenceModel))
    throw new TypeError(`${operation}: the model is ${describe(model)}, expected a PreferenceModel.`);
  checkFunction(operation, "toBatch", toBatch, "a function that turns examples into a batch");
  checkList(operation, "examples", examples, "a list of examples");
  if (examples.length === 0) throw new RangeError(`${operation}: there are no examples, expected at least one.`);
  const { mean: expected, deviation } = await model.rewards(examples);
  const worth = Float32Array.from(expected.flatMap((row, n) => row.map((r, a) => r - caution * deviation[n]![a]!)));
  const none = examples.map(() => 0);
  const batch = toBatch(examples);
  const loss = await policy.engine.step(() => {
    const logits = policy.forward(batch, { training: true });
    const reward = sum(mul(softmax(logits), policy.engine.tensor(worth, logits.shape)), { axis: 1 });
    const held = reference && { referenceLogits: noGrad(() => reference.forward(batch)), klCoef };
    const loss = add(neg(mean(reward)), policyGradient(logits, none, none, { entropyCoef, ...held }));
    optimizer.update(loss.backward());
    return loss;
  });
  const found = await loss.item();
  if (!Number.isFinite(found))
    throw new Error(`${operation}: the loss is ${found}. Go on from weights of before, with a lower learning rate.`);
  return found;
}
