import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat } from "./checks.ts";
import { allocate, bits, count, grid, type Op } from "./op.ts";
import { log1p, logarithm, logistic, nanTest, notANumber } from "./snippets.ts";

/*
 * y = f(x) number by number, with up to two settings p and q; dx = d · f′ for dy = d. The gradient is written with x, y, or both:
 * whatever is shorter. NaN goes through every one of them, as in PyTorch, though functions of WGSL may lose it. relu, tanh and sigmoid, which other kernels
 * have fused in, are in activation.ts.
 *   leakyRelu  x > 0 ? x : p·x          gelu      x · Φ(x), Φ the normal distribution (not its tanh approximation)
 *   silu       x · σ(x)                 softplus  log(1 + eˣ)             clamp     x kept within [p, q]
 */

const functions = {
  neg: { value: "-x", gradient: "-d" },
  exp: { value: "exp(x)", gradient: "d * y" },
  log: { value: "logarithm(x)", gradient: "d / x" },
  sqrt: { value: "sqrt(x)", gradient: "d * (0.5 / y)" },
  abs: { value: "abs(x)", gradient: "d * select(select(0.0, -1.0, x < 0), 1.0, x > 0)" },
  leakyRelu: { value: "select(p * x, x, x > 0)", gradient: "select(d * p, d, x > 0)" },
  gelu: { value: "x * normal(x)", gradient: "d * (normal(x) + x * 0.3989422804 * exp(-0.5 * x * x))" },
  silu: { value: "x * logistic(x)", gradient: "d * (logistic(x) * (1 + x * (1 - logistic(x))))" },
  softplus: { value: "max(x, 0.0) + log1p(exp(-abs(x)))", gradient: "d * logistic(x)" },
  clamp: { value: "select(select(x, q, x > q), p, x < p)", gradient: "select(0.0, d, x >= p && x <= q)" },
} as const;
export type Elementwise = keyof typeof functions;

const helpers = /* wgsl */ `
${nanTest}${logarithm}${log1p}${logistic}
// Φ(x) = erfc(−x / √2) / 2, by Chebyshev's approximation (Numerical Recipes, erfcc): also the far tail is right, to 1e-5 of it.
fn normal(x: f32) -> f32 {
  let z = abs(x) * 0.7071067812;
  let t = 1 / (1 + 0.5 * z);
  let tail = 0.5 * t * exp(-z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
  return select(1 - tail, tail, x < 0);
}`;

const forward = kernel(
  "elementwise",
  ({ kind }: { kind: Elementwise }) => wgsl`
struct Params { n: u32, p: u32, q: u32 }
@group(0) @binding(_) var<storage, read> x_in: array<f32>;
@group(0) @binding(_) var<storage, read_write> y_out: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${helpers}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let i = groupIndex(group) * 64 + thread;
  if (i >= params.n) { return; }
  let p = bitcast<f32>(params.p);
  let q = bitcast<f32>(params.q);
  let x = x_in[i];
  y_out[i] = select(${functions[kind].value}, x, ${notANumber("x")});
}`,
);

const backward = kernel(
  "elementwise.backward",
  ({ kind }: { kind: Elementwise }) => wgsl`
struct Params { n: u32, p: u32, q: u32 }
@group(0) @binding(_) var<storage, read> x_in: array<f32>;
@group(0) @binding(_) var<storage, read> y_in: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${helpers}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let i = groupIndex(group) * 64 + thread;
  if (i >= params.n) { return; }
  let p = bitcast<f32>(params.p);
  let q = bitcast<f32>(params.q);
  let x = x_in[i];
  let y = y_in[i];
  let d = dy[i];
  dx[i] = ${functions[kind].gradient};
}`,
);

export const elementwise: Op<{ kind: Elementwise; p?: number; q?: number }> = (r, [x], { kind, p = 0, q = 0 }) => {
  expectFloat(kind, "x", x!);
  expect(!Number.isNaN(p) && !Number.isNaN(q), kind, () => `its settings are ${p} and ${q}, expected numbers.`);
  expect(kind !== "clamp" || p <= q, kind, () => `min is ${p} and max is ${q}, expected min ≤ max.`);
  const n = count(x!.shape);
  const params = [n, bits(p), bits(q)];
  const y = allocate(r, x!.shape);
  r.dispatch({ kernel: forward({ kind }), reads: [x!.slot], writes: [y.slot], params, grid: grid(n, 64) });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({
        kernel: backward({ kind }),
        reads: [x!.slot, y.slot, dy!.slot],
        writes: [dx.slot],
        params,
        grid: grid(n, 64),
      });
      return [dx];
    },
  };
};
