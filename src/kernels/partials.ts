import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { count, grid, type Value } from "./op.ts";
import { type Activation, activations } from "./snippets.ts";

/*
 * The second pass of a product that was split along K: adds the partial results up in their order, so that a sum has one order
 * however many threads there are. Each partial holds the numbers of y, then those of z if there is one.
 *   y = f(Σ partials + bias), bias repeating along the last axis;  z = Σ partials
 */

const add = kernel(
  "addPartials",
  (v: { bias: boolean; activation: Activation; z: boolean }) => wgsl`
struct Params { partials: u32, y: u32, z: u32, columns: u32 }
@group(0) @binding(_) var<storage, read> partials: array<f32>;
#if ${v.bias}
@group(0) @binding(_) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
#if ${v.z}
@group(0) @binding(_) var<storage, read_write> z: array<f32>;
#endif
@group(0) @binding(_) var<uniform> params: Params;

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let i = groupIndex(group) * 64 + thread;
  let all = params.y + params.z;
  if (i >= all) { return; }
  var sum = 0.0;
  for (var k = 0u; k < params.partials; k++) { sum += partials[k * all + i]; }
#if ${v.z}
  if (i >= params.y) { z[i - params.y] = sum; return; }
#endif
#if ${v.bias}
  sum += bias[i % params.columns];
#endif
  if (i < params.y) { y[i] = activate(sum); }
}`,
);

export interface Partials {
  partials: Value;
  /** How many there are. */
  number: number;
  /** Numbers behind those of y in a partial, wanted or not. */
  extra: number;
  y: Value;
  z?: Value | undefined;
  bias?: Value | undefined;
  activation?: Activation;
}

export function addPartials(r: Recording, p: Partials): void {
  const { partials, number, extra, y, z, bias, activation = "none" } = p;
  r.dispatch({
    kernel: add({ bias: bias !== undefined, activation, z: z !== undefined }),
    reads: [partials.slot, ...(bias ? [bias.slot] : [])],
    writes: [y.slot, ...(z ? [z.slot] : [])],
    params: [number, count(y.shape), extra, y.shape.at(-1) ?? 1],
    grid: grid(count(y.shape) + extra, 64),
  });
}
