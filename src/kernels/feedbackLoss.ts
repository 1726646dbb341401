import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectIds, expectRank, show } from "./checks.ts";
import { checkReduction, type Reduction, reduceLoss, rowScale } from "./loss.ts";
import { allocate, bits, grid, type Op } from "./op.ts";
import { rowStatistics } from "./rows.ts";
import { logarithm, sumInRuns } from "./snippets.ts";

/*
 * The likelihood of judgements: logits x [N, A], the answer a [N] that was given, and what was said of it, u [N] (over 0:
 * right, under 0: wrong; its size is the weight). With p = softmax(x)_a and a share ε of judgements that are mistaken:
 *   right: −log((1 − ε) p + ε (1 − p))        wrong: −log((1 − ε)(1 − p) + ε p)
 *   dx_j = |u| · dloss/dp · p · ([j = a] − softmax(x)_j)
 * With ε = 0 these are −log p and −log(1 − p); 1 − p is then summed from the other answers' exponentials, since
 * subtracting would leave nothing of it when p is near 1. Logits that hold NaN, or an infinity as the largest, give NaN; of an
 * answer that is wrong where no other can be, the loss is ∞ and the others' gradient NaN.
 */

const forward = kernel(
  "feedbackLoss",
  () => wgsl`
struct Params { N: u32, A: u32, scale: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> actions: array<u32>;
@group(0) @binding(_) var<storage, read> rewards: array<f32>;
@group(0) @binding(_) var<storage, read> noise: array<f32>;
@group(0) @binding(_) var<storage, read_write> rows: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowStatistics({ rowThreads: 1 })}${logarithm}

@compute @workgroup_size(16)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = groupIndex(group) * 16 + thread;
  if (row >= params.N) { return; }
  let action = actions[row];
  let a = min(action, params.A - 1);
  let base = row * params.A;
  let u = bitcast<f32>(params.scale) * abs(rewards[row]);
  let right = rewards[row] > 0;
  let e = noise[0];
  let total = knownOnly(logSumExp_x(row, 0), action);
  // The other answers: their largest logit and log Σ exp, −∞ where none of them can be.
  var top = -3.4e38;
  for (var j = 0u; j < params.A; j++) { if (j != a) { top = max(top, x[base + j]); } }
  var sum = 0.0;
  ${sumInRuns({ sum: "select(0.0, exp(x[base + j] - top), j != a)" }, { end: "params.A" })}
  let logOthers = logarithm(sum);
  let logP = x[base + a] - total.x - total.y;
  let logQ = (top - total.x) + (logOthers - total.y);
  let p = exp(logP);
  let q = exp(logQ);
  // What each logit's gradient is made of: at a it is own, at the others −own · their share among the others.
  var loss: f32;
  var own: f32;
  if (right) {
    let likely = (1 - e) * p + e * q;
    loss = select(-logP, -log(likely), e > 0);
    own = select(-q, -(1 - 2 * e) * p * q / likely, e > 0);
  } else {
    let likely = (1 - e) * q + e * p;
    loss = select(-logQ, -log(likely), e > 0);
    own = select(p, (1 - 2 * e) * p * q / likely, e > 0);
  }
  // NaN, or an infinity as the largest logit; exp may lose that.
  if (isNaN(total.y)) { loss = total.y; own = total.y; }
  // What nothing was said of is masked, whatever its logits are.
  if (u == 0) { loss = 0; own = 0; }
  for (var j = 0u; j < params.A; j++) {
    dx[base + j] = u * select(select(-own * power(x[base + j] - top - logOthers), 0.0, own == 0), own, j == a);
  }
  rows[row] = u * loss;
}`,
);

/** Inputs: logits, actions, rewards, noise [1]. */
export const feedbackLoss: Op<{ reduction?: Reduction | undefined }> = (
  r,
  [x, actions, rewards, noise],
  { reduction = "mean" },
) => {
  expectFloat("feedbackLoss", "logits", x!);
  expectRank("feedbackLoss", "logits", x!, 2, "[N, A]");
  const [N, A] = x!.shape as [number, number];
  expect(A > 1, "feedbackLoss", () => `logits are ${show(x!)}: right and wrong need at least 2 answers.`);
  expect(
    show(actions!) === show([N]),
    "feedbackLoss",
    () => `actions are ${show(actions!)}, expected [${N}] as logits are ${show(x!)}.`,
  );
  expectIds("feedbackLoss", "actions", actions!, A);
  expect(
    rewards!.dtype === "f32" && show(rewards!) === show([N]),
    "feedbackLoss",
    () => `rewards are ${show(rewards!)} ${rewards!.dtype}, expected [${N}] f32.`,
  );
  checkReduction("feedbackLoss", reduction);
  const rows = allocate(r, [N]);
  const dx = allocate(r, [N, A]);
  r.dispatch({
    kernel: forward({}),
    reads: [x!.slot, actions!.slot, rewards!.slot, noise!.slot],
    writes: [rows.slot, dx.slot],
    params: [N, A, bits(rowScale(reduction, N))],
    grid: grid(N, 16),
  });
  return reduceLoss(r, rows, dx, reduction, { constants: { 2: "rewards", 3: "noise" } });
};
