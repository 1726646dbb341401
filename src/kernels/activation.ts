import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { expectFloat } from "./checks.ts";
import { allocate, count, grid, type Op, type Value } from "./op.ts";
import { type Activation, activations } from "./snippets.ts";

/*
 * y = f(x) for f in relu, tanh, sigmoid; dx = dy · f′, from y: nothing but y is kept for the way back.
 */

const forward = kernel(
  "activation",
  ({ kind }: { kind: Activation }) => wgsl`
@group(0) @binding(_) var<storage, read> x_in: array<f32>;
@group(0) @binding(_) var<storage, read_write> y_out: array<f32>;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let i = groupIndex(group) * 64 + thread;
  if (i >= arrayLength(&y_out)) { return; }
  let x = x_in[i];
  y_out[i] = ${activations[kind].value};
}`,
);

const backward = kernel(
  "activation.backward",
  ({ kind }: { kind: Activation }) => wgsl`
@group(0) @binding(_) var<storage, read> y_in: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let i = groupIndex(group) * 64 + thread;
  if (i >= arrayLength(&dx)) { return; }
  let y = y_in[i];
  let d = dy[i];
  dx[i] = ${activations[kind].gradient};
}`,
);

/** dx of an activation from its result; also the first step back of the kernels that have one fused in. */
export function activationBackward(r: Recording, kind: Activation, y: Value, dy: Value): Value {
  if (kind === "none") return dy;
  const dx = allocate(r, y.shape);
  r.dispatch({
    kernel: backward({ kind }),
    reads: [y.slot, dy.slot],
    writes: [dx.slot],
    grid: grid(count(y.shape), 64),
  });
  return dx;
}

export const activation: Op<{ kind: Activation }> = (r, [x], { kind }) => {
  expectFloat(kind, "x", x!);
  const y = allocate(r, x!.shape);
  r.dispatch({ kernel: forward({ kind }), reads: [x!.slot], writes: [y.slot], grid: grid(count(y.shape), 64) });
  return { outputs: [y], backward: ([dy]) => [activationBackward(r, kind, y, dy!)] };
};
