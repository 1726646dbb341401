import { checkNumber, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { checkReduction, type Reduction, reduceLoss, rowScale } from "./loss.ts";
import { allocate, bits, count, grid, type Op } from "./op.ts";
import { infinite, log1p, logarithm, logistic, nanTest } from "./snippets.ts";

/*
 * Losses that compare x with a target t number by number, with the gradient by x in the same pass, and that by t where wanted:
 *   mse                            (x − t)²                            dx = 2 (x − t), dt = −dx
 *   binaryCrossEntropyWithLogits   (1 − t) max(x, 0) + t max(−x, 0) + log1p(e^{−|x|})   dx = σ(x) − t, dt = −x
 *   huber                          d²/2 where |d| ≤ δ, else δ (|d| − δ/2), d = x − t;  dx = d kept within ±δ, dt = −dx
 *                                  (Huber 1964)
 *   klDivergence                   t log t − t x, x log-probabilities and t probabilities, 0 log 0 being 0;
 *                                  dx = −t, dt = log t + t / t − x, NaN where t is 0, as PyTorch has it
 * NaN in x or t gives NaN, and infinities go as in PyTorch: of the binary cross-entropy (1 − t) x − log σ(x) is taken as it stands.
 */

const functions = {
  mse: { name: "mse", value: "(x - t) * (x - t)", slope: "2 * (x - t)", byTarget: "2 * (t - x)" },
  binaryCrossEntropy: {
    name: "binaryCrossEntropyWithLogits",
    value: `select(select((1 - t) * max(x, 0.0) + t * max(-x, 0.0) + log1p(exp(-abs(x))), (1 - t) * x - min(x, 0.0), ${infinite("x")}), x + t, isNaN(x) || isNaN(t))`,
    slope: "logistic(x) - t",
    byTarget: "-x",
  },
  huber: {
    name: "huber",
    value: "select(select(p * (abs(x - t) - 0.5 * p), 0.5 * (x - t) * (x - t), abs(x - t) <= p), x - t, isNaN(x - t))",
    slope: "select(clamp(x - t, -p, p), x - t, isNaN(x - t))",
    byTarget: "select(clamp(t - x, -p, p), t - x, isNaN(t - x))",
  },
  klDivergence: {
    name: "klDivergence",
    value: "select(t * logarithm(t), 0.0, t == 0) - t * x",
    slope: "-t",
    byTarget: "logarithm(t) + t / t - x",
  },
} as const;
export type ElementwiseLoss = keyof typeof functions;

const forward = kernel(
  "elementwiseLoss",
  ({ kind }: { kind: ElementwiseLoss }) => wgsl`
struct Params { n: u32, scale: u32, p: u32 }
@group(0) @binding(_) var<storage, read> x_in: array<f32>;
@group(0) @binding(_) var<storage, read> t_in: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${nanTest}${log1p}${logistic}${logarithm}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let x = x_in[at];
  let t = t_in[at];
  let p = bitcast<f32>(params.p);
  y[at] = bitcast<f32>(params.scale) * (${functions[kind].value});
  dx[at] = bitcast<f32>(params.scale) * (${functions[kind].slope});
}`,
);

const byTarget = kernel(
  "elementwiseLoss.byTarget",
  ({ kind }: { kind: ElementwiseLoss }) => wgsl`
struct Params { n: u32, scale: u32, p: u32 }
@group(0) @binding(_) var<storage, read> x_in: array<f32>;
@group(0) @binding(_) var<storage, read> t_in: array<f32>;
@group(0) @binding(_) var<storage, read_write> dt: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${nanTest}${logarithm}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let x = x_in[at];
  let t = t_in[at];
  let p = bitcast<f32>(params.p);
  dt[at] = bitcast<f32>(params.scale) * (${functions[kind].byTarget});
}`,
);

/** Inputs: x, target. */
export const elementwiseLoss: Op<{
  kind: ElementwiseLoss;
  reduction?: Reduction | undefined;
  delta?: number | undefined;
}> = (r, [x, t], { kind, reduction = "mean", delta = 1 }) => {
  const { name } = functions[kind];
  expectFloat(name, "x", x!);
  expectFloat(name, "target", t!);
  expect(show(x!) === show(t!), name, () => `x is ${show(x!)} and target ${show(t!)}, expected equal shapes.`);
  checkReduction(name, reduction);
  checkNumber(name, "delta", delta, number.positive);
  const n = count(x!.shape);
  const y = allocate(r, x!.shape);
  const dx = allocate(r, x!.shape);
  const work = {
    reads: [x!.slot, t!.slot],
    params: [n, bits(rowScale(reduction, n)), bits(delta)],
    grid: grid(n, 64),
  };
  r.dispatch({ kernel: forward({ kind }), writes: [y.slot, dx.slot], ...work });
  const more = ([, needsTarget]: readonly boolean[]) => {
    if (!needsTarget) return [];
    const dt = allocate(r, t!.shape);
    r.dispatch({ kernel: byTarget({ kind }), writes: [dt.slot], ...work });
    return [dt];
  };
  return reduceLoss(r, y, dx, reduction, { more });
};
