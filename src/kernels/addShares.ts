import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { type Activation, activations, count, grid, type Value } from "./op.ts";

/*
 * The second pass of a product whose inner size was split into shares: adds the shares up in their order, so that a sum
 * has one order however many threads there are. Shares hold the numbers of y, then those of z if there is one.
 *   y = f(Σ shares + bias), bias repeating along the last axis;  z = Σ shares
 */

const kernelOf = kernel(
  "addShares",
  (v: { bias: boolean; activation: Activation; z: boolean }) => wgsl`
struct Sizes { shares: u32, y: u32, z: u32, columns: u32 }
@group(0) @binding(0) var<storage, read> shares: array<f32>;
#if ${v.bias}
@group(0) @binding(1) var<storage, read> bias: array<f32>;
#endif
@group(0) @binding(${v.bias ? 2 : 1}) var<storage, read_write> y: array<f32>;
#if ${v.z}
@group(0) @binding(${v.bias ? 3 : 2}) var<storage, read_write> z: array<f32>;
#endif
@group(0) @binding(${2 + Number(v.bias) + Number(v.z)}) var<uniform> s: Sizes;

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 64 + lane;
  let all = s.y + s.z;
  if (i >= all) { return; }
  var sum = 0.0;
  for (var k = 0u; k < s.shares; k++) { sum += shares[k * all + i]; }
#if ${v.z}
  if (i >= s.y) { z[i - s.y] = sum; return; }
#endif
  if (i < s.y) { y[i] = activate(sum${v.bias ? " + bias[i % s.columns]" : ""}); }
}`,
);

export interface Shares {
  shares: Value;
  /** How many there are. */
  number: number;
  /** Numbers behind those of y in a share, wanted or not. */
  extra: number;
  y: Value;
  z?: Value | undefined;
  bias?: Value | undefined;
  activation?: Activation;
}

export function addShares(r: Recording, { shares, number, extra, y, z, bias, activation = "none" }: Shares): void {
  r.dispatch({
    kernel: kernelOf({ bias: bias !== undefined, activation, z: z !== undefined }),
    reads: [shares.slot, ...(bias ? [bias.slot] : [])],
    writes: [y.slot, ...(z ? [z.slot] : [])],
    sizes: [number, count(y.shape), extra, y.shape.at(-1) ?? 1],
    grid: grid(count(y.shape) + extra, 64),
  });
}
