import {
  clamp,
  type Engine,
  exp,
  gather,
  logSoftmax,
  mean,
  minimum,
  mul,
  neg,
  sub,
  type Tensor,
} from "../../autograd/index.ts";

/** log π(a_i | x_i) as [N, 1], of logits [N, A] and answers a [N]. */
export const logOf = (engine: Engine, logits: Tensor, actions: readonly number[]): Tensor =>
  gather(logSoftmax(logits), engine.tensor(Int32Array.from(actions), [actions.length, 1]), { axis: 1 });

/** Numbers as a column [N, 1]. */
export const column = (engine: Engine, numbers: readonly number[]): Tensor =>
  engine.tensor(Float32Array.from(numbers), [numbers.length, 1]);

interface Surrogate {
  /** [N] */
  actions: readonly number[];
  /** [N], π_then: the probabilities with which the answers were drawn. */
  then: readonly number[];
  /** [N] */
  advantages: readonly number[];
  /** ε. */
  clip: number;
}

/**
 * The clipped surrogate of PPO (Schulman et al. 2017, eq. 7): with ρ_i = π(a_i | x_i) / π_then(a_i | x_i), advantages A_i
 *   −1/N Σ_i min(ρ_i A_i, clamp(ρ_i, 1 − ε, 1 + ε) A_i).
 * The gradient is that of −ρ A until the policy has moved by ε to the side that A pulls to, and 0 from there on: the
 * judgements of an update can be used for several steps, and none of them tears the policy away from where it was asked.
 *
 * @param logits [N, A] of the policy now.
 */
export function clippedSurrogate(
  engine: Engine,
  logits: Tensor,
  { actions, then, advantages, clip }: Surrogate,
): Tensor {
  const before = then.map((p) => Math.log(Math.max(p, 1e-30)));
  const ratio = exp(sub(logOf(engine, logits, actions), column(engine, before)));
  const A = column(engine, advantages);
  const kept = clamp(ratio, { min: 1 - clip, max: 1 + clip });
  return neg(mean(minimum(mul(ratio, A), mul(kept, A))));
}
