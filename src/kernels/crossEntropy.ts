import { checkNumber, type Known, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectIds, expectRank, show } from "./checks.ts";
import { checkReduction, type Reduction, reduceLoss, rowScale } from "./loss.ts";
import { allocate, bits, type Op } from "./op.ts";
import { chooseRows, type RowVariant, rowStatistics, sumOfRow, threads } from "./rows.ts";

/*
 * Softmax and cross-entropy in one pass, from logits x [N, A], labels [N] in 0 … A − 1 and a weight u [N] a row:
 *   loss_i = u_i · ((1 − ε) · (log Σ_j e^{x_ij} − x_i,label) + ε/A · Σ_j (log Σ_k e^{x_ik} − x_ij)),  ε label smoothing
 *   dx_ij = u_i · (softmax(x_i)_j − (1 − ε) [j = label] − ε/A)
 * The mean is over rows, whatever their weights: with advantages as weights this is the policy gradient.
 */

const forward = kernel(
  "crossEntropy",
  ({ weights, ...v }: RowVariant & { weights: boolean }) => wgsl`
struct Params { N: u32, A: u32, scale: u32, smoothing: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> labels: array<u32>;
#if ${weights}
@group(0) @binding(_) var<storage, read> weights: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> rows: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${rowStatistics(v)}

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= params.N) { return; }
  let smoothing = bitcast<f32>(params.smoothing);
  let u = bitcast<f32>(params.scale)${weights ? " * weights[row]" : ""};
  let label = labels[row];
  let total = knownOnly(logSumExp_x(row, first), label);
  var loss = select(0.0, (1 - smoothing) * (total.y - (x[row * params.A + min(label, params.A - 1)] - total.x)), first == 0);
  var smoothed = 0.0;
  ${sumOfRow(
    v,
    { smoothed: "select(0.0, smoothing / f32(params.A) * (total.y - (logit - total.x)), smoothing > 0)" },
    "params.A",
    /* wgsl */ `
    let logit = x[row * params.A + j];
    let p = select(exp(logit - total.x - total.y), total.y, isNaN(total.y));
    dx[row * params.A + j] = u * (p - select(0.0, 1 - smoothing, j == label) - smoothing / f32(params.A));`,
  )}
  loss = sumOfThreads(first, loss + smoothed);
  if (first == 0) { rows[row] = u * loss; }
}`,
);

/** How the losses of the rows become one, and how sure labels are. */
export interface CrossEntropyOptions {
  /** "mean" over rows, "sum" or "none". Default "mean". */
  reduction?: Reduction | undefined;
  /** ε, 0 … 1: the share of the label that is spread over all classes. Default 0. */
  labelSmoothing?: number | undefined;
}

export const crossEntropyOptions: Known<CrossEntropyOptions> = { reduction: true, labelSmoothing: true };

/** Inputs: logits, labels, weights (optional). */
export const crossEntropy: Op<CrossEntropyOptions> = (
  r,
  [x, labels, weights],
  { reduction = "mean", labelSmoothing = 0 },
) => {
  expectFloat("crossEntropy", "logits", x!);
  expectRank("crossEntropy", "logits", x!, 2, "[N, A]");
  const [N, A] = x!.shape as [number, number];
  expect(A > 0, "crossEntropy", () => `logits are ${show(x!)}: there are no classes.`);
  expect(
    show(labels!) === show([N]),
    "crossEntropy",
    () => `labels are ${show(labels!)}, expected [${N}] as logits are ${show(x!)}.`,
  );
  expectIds("crossEntropy", "labels", labels!, A);
  expect(
    !weights || (weights.dtype === "f32" && show(weights) === show([N])),
    "crossEntropy",
    () => `weights are ${show(weights!)} ${weights!.dtype}, expected [${N}] f32: one a row.`,
  );
  checkReduction("crossEntropy", reduction);
  checkNumber("crossEntropy", "labelSmoothing", labelSmoothing, number.share);
  const rows = allocate(r, [N]);
  const dx = allocate(r, [N, A]);
  const params = [N, A, bits(rowScale(reduction, N)), bits(labelSmoothing)];
  chooseRows(r, "crossEntropy", { N, D: A }, (v) => forward({ weights: weights !== undefined, ...v }), {
    reads: [x!.slot, labels!.slot, ...(weights ? [weights.slot] : [])],
    writes: [rows.slot, dx.slot],
    params,
  });
  const more = (needs: readonly boolean[]) => {
    if (!needs[2]) return [];
    // A row's loss is its weight times what stands here: the same loss without weights.
    const du = allocate(r, [N]);
    chooseRows(r, "crossEntropy", { N, D: A }, (v) => forward({ weights: false, ...v }), {
      reads: [x!.slot, labels!.slot],
      writes: [du.slot, allocate(r, [N, A]).slot],
      params,
    });
    return [undefined, du];
  };
  return reduceLoss(r, rows, dx, reduction, { more });
};
