import { checkNumber, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { checkReduction, type Reduction, reduceLoss, rowScale } from "./loss.ts";
import { bits, count, expect, expectFloat, fresh, grid, type Op, show } from "./op.ts";

/*
 * Losses that compare x with a target t number by number, with their gradients in the same pass:
 *   mse                            (x − t)²                            dx = 2 (x − t)
 *   binaryCrossEntropyWithLogits   max(x, 0) − x·t + log(1 + e^{−|x|})  dx = σ(x) − t
 *   huber                          d²/2 where |d| ≤ δ, else δ (|d| − δ/2), d = x − t;  dx = d kept within ±δ (Huber 1964)
 *   klDivergence                   t (log t − x), x log-probabilities and t probabilities;  dx = −t
 */

const functions = {
  mse: { name: "mse", value: "(x - t) * (x - t)", slope: "2 * (x - t)" },
  binaryCrossEntropy: {
    name: "binaryCrossEntropyWithLogits",
    value: "max(x, 0.0) - x * t + log(1 + exp(-abs(x)))",
    // σ(x) by the exponential that does not overflow.
    slope: "select(exp(x) / (1 + exp(x)), 1 / (1 + exp(-x)), x > 0) - t",
  },
  huber: {
    name: "huber",
    value: "select(p * (abs(x - t) - 0.5 * p), 0.5 * (x - t) * (x - t), abs(x - t) <= p)",
    slope: "clamp(x - t, -p, p)",
  },
  // 0 · log 0 is 0.
  klDivergence: { name: "klDivergence", value: "select(0.0, t * (log(t) - x), t > 0)", slope: "-t" },
} as const;
export type Regression = keyof typeof functions;

const forward = kernel(
  "regression",
  ({ kind }: { kind: Regression }) => wgsl`
struct Sizes { n: u32, scale: u32, p: u32 }
@group(0) @binding(0) var<storage, read> x_in: array<f32>;
@group(0) @binding(1) var<storage, read> t_in: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= s.n) { return; }
  let x = x_in[at];
  let t = t_in[at];
  let p = bitcast<f32>(s.p);
  y[at] = bitcast<f32>(s.scale) * (${functions[kind].value});
  dx[at] = bitcast<f32>(s.scale) * (${functions[kind].slope});
}`,
);

/** Inputs: x, target, which has no gradient. */
export const regression: Op<{ kind: Regression; reduction?: Reduction | undefined; delta?: number | undefined }> = (
  r,
  [x, t],
  { kind, reduction = "mean", delta = 1 },
) => {
  const { name } = functions[kind];
  expectFloat(name, "x", x!);
  expectFloat(name, "target", t!);
  expect(show(x!) === show(t!), name, () => `x is ${show(x!)} and target ${show(t!)}, expected equal shapes.`);
  checkReduction(name, reduction);
  checkNumber(name, "delta", delta, number.positive);
  const n = count(x!.shape);
  const y = fresh(r, x!.shape);
  const dx = fresh(r, x!.shape);
  r.dispatch({
    kernel: forward({ kind }),
    reads: [x!.slot, t!.slot],
    writes: [y.slot, dx.slot],
    sizes: [n, bits(rowScale(reduction, n)), bits(delta)],
    grid: grid(n, 64),
  });
  return reduceLoss(r, y, dx, reduction);
};
