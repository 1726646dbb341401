import { checkNumber, type Known, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectIds, expectRank, show } from "./checks.ts";
import { checkReduction, type Reduction, reduceLoss, rowScale } from "./loss.ts";
import { allocate, bits, grid, type Op } from "./op.ts";
import { rowStatistics } from "./rows.ts";
import { sumInRuns } from "./snippets.ts";

/*
 * REINFORCE with an entropy bonus and a KL penalty (Williams 1992), for logits x [N, A], π = softmax(x), answers a [N] that
 * were sampled and their advantages [N]:
 *   loss_i = −advantage_i · log π(a_i) − c · H(π_i) + β · KL(π_i ‖ ρ_i)
 *   dx_j = −advantage · ([j = a] − π_j) + c · π_j (log π_j + H) + β · π_j (log π_j − log ρ_j − KL)
 * ρ, the reference policy, is given by its logits or log-probabilities `referenceLogits` [N, A].
 */

const forward = kernel(
  "policyGradient",
  ({ penalized }: { penalized: boolean }) => wgsl`
struct Params { N: u32, A: u32, scale: u32, entropy: u32, beta: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> actions: array<u32>;
@group(0) @binding(_) var<storage, read> advantages: array<f32>;
#if ${penalized}
@group(0) @binding(_) var<storage, read> reference: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> rows: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowStatistics({ rowThreads: 1 }, penalized ? ["x", "reference"] : ["x"])}

@compute @workgroup_size(16)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = groupIndex(group) * 16 + thread;
  if (row >= params.N) { return; }
  let action = actions[row];
  let a = min(action, params.A - 1);
  let base = row * params.A;
  let scale = bitcast<f32>(params.scale);
  let c = bitcast<f32>(params.entropy);
  let beta = bitcast<f32>(params.beta);
  let total = knownOnly(logSumExp_x(row, 0), action);
#if ${penalized}
  let referenceTotal = logSumExp_reference(row, 0);
#endif
  var entropy = 0.0;
  var kl = 0.0;
  // p log p is 0 where p is, though the logarithm is not finite there.
  ${sumInRuns(
    penalized
      ? {
          entropy: "select(-p * logP, 0.0, p == 0)",
          kl: "select(p * (logP - (reference[base + j] - referenceTotal.x - referenceTotal.y)), 0.0, p == 0)",
        }
      : { entropy: "select(-p * logP, 0.0, p == 0)" },
    { end: "params.A", before: "let logP = x[base + j] - total.x - total.y; let p = power(logP);" },
  )}
  for (var j = 0u; j < params.A; j++) {
    let logP = x[base + j] - total.x - total.y;
    let p = power(logP);
    var d = -advantages[row] * (select(0.0, 1.0, j == a) - p);
    if (p != 0) {
      // A weight of 0 turns its part off, whatever stands there.
      if (c != 0) { d += c * p * (logP + entropy); }
#if ${penalized}
      if (beta != 0) { d += beta * p * (logP - (reference[base + j] - referenceTotal.x - referenceTotal.y) - kl); }
#endif
    }
    dx[base + j] = scale * d;
  }
  var loss = -advantages[row] * (x[base + a] - total.x - total.y);
  if (c != 0) { loss -= c * entropy; }
  if (beta != 0) { loss += beta * kl; }
  rows[row] = scale * loss;
}`,
);

/** Options of `policyGradient`, beside `referenceLogits`. */
export interface PolicyGradientOptions {
  /** c, the weight of the entropy bonus. Default 0. */
  entropyCoef?: number | undefined;
  /** β, the weight of the KL penalty. Default 0. */
  klCoef?: number | undefined;
  /** "mean" over the answers, "sum", or "none": the loss of each answer [N]. Default "mean". */
  reduction?: Reduction | undefined;
}

export const policyGradientOptions: Known<PolicyGradientOptions> = { entropyCoef: true, klCoef: true, reduction: true };

/** Inputs: logits, actions, advantages, referenceLogits (optional). */
export const policyGradient: Op<PolicyGradientOptions> = (
  r,
  [x, actions, advantages, referenceLogits],
  { entropyCoef = 0, klCoef = 0, reduction = "mean" },
) => {
  const op = "policyGradient";
  expectFloat(op, "logits", x!);
  expectRank(op, "logits", x!, 2, "[N, A]");
  const [N, A] = x!.shape as [number, number];
  expect(A > 0, op, () => `logits are ${show(x!)}: there are no actions.`);
  expect(
    show(actions!) === show([N]),
    op,
    () => `actions are ${show(actions!)}, expected [${N}] as logits are ${show(x!)}.`,
  );
  expectIds(op, "actions", actions!, A);
  expect(
    advantages!.dtype === "f32" && show(advantages!) === show([N]),
    op,
    () => `advantages are ${show(advantages!)} ${advantages!.dtype}, expected [${N}] f32.`,
  );
  expect(
    !referenceLogits || show(referenceLogits) === show(x!),
    op,
    () => `referenceLogits is ${show(referenceLogits!)}, expected ${show(x!)} as the logits.`,
  );
  expect(
    klCoef === 0 || referenceLogits !== undefined,
    op,
    () => `klCoef is ${klCoef}, but there is no referenceLogits, the reference policy's logits.`,
  );
  checkReduction(op, reduction);
  checkNumber(op, "entropyCoef", entropyCoef, number.finite);
  checkNumber(op, "klCoef", klCoef, number.finite);
  const rows = allocate(r, [N]);
  const dx = allocate(r, [N, A]);
  r.dispatch({
    kernel: forward({ penalized: referenceLogits !== undefined }),
    reads: [x!.slot, actions!.slot, advantages!.slot, ...(referenceLogits ? [referenceLogits.slot] : [])],
    writes: [rows.slot, dx.slot],
    params: [N, A, bits(rowScale(reduction, N)), bits(entropyCoef), bits(klCoef)],
    grid: grid(N, 16),
  });
  return reduceLoss(r, rows, dx, reduction, { constants: { 2: "advantages", 3: "referenceLogits" } });
};
