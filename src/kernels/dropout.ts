import { kernel, type Recording, type Slot, wgsl } from "../gpu/index.ts";
import { expectFloat, expectMarks, expectRank } from "./checks.ts";
import { allocate, bits, count, grid, type Op, type Value } from "./op.ts";
import { random, uploadSeed } from "./random.ts";

/*
 * dropout: y = x / (1 − p) with probability 1 − p, else 0; dx = dy by the same draw, which is made again from the seed.
 * dropModalities: from a mask [N, M] of what is there, each 1 becomes 0 with probability p; a row that would lose all
 * keeps all. It has no gradient.
 */

const forward = kernel(
  "dropout",
  () => wgsl`
struct Params { n: u32, p: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> seed: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${random}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let p = bitcast<f32>(params.p);
  y[at] = select(0.0, x[at] / (1 - p), random(seed[0], at) >= p);
}`,
);

const modalities = kernel(
  "dropModalities",
  () => wgsl`
struct Params { N: u32, M: u32, p: u32 }
@group(0) @binding(_) var<storage, read> present: array<f32>;
@group(0) @binding(_) var<storage, read> seed: array<u32>;
@group(0) @binding(_) var<storage, read_write> kept: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${random}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let n = groupIndex(group) * 64 + thread;
  if (n >= params.N) { return; }
  var left = 0.0;
  for (var i = n * params.M; i < (n + 1) * params.M; i++) {
    kept[i] = select(0.0, present[i], random(seed[0], i) >= bitcast<f32>(params.p));
    left += kept[i];
  }
  if (left > 0) { return; }
  for (var i = n * params.M; i < (n + 1) * params.M; i++) { kept[i] = present[i]; }
}`,
);

function drop(r: Recording, x: Value, seed: Slot, p: number): Value {
  const y = allocate(r, x.shape);
  r.dispatch({
    kernel: forward({}),
    reads: [x.slot, seed],
    writes: [y.slot],
    params: [count(x.shape), bits(p)],
    grid: grid(count(x.shape), 64),
  });
  return y;
}

export const dropout: Op<{ p: number }> = (r, [x], { p }) => {
  expectFloat("dropout", "x", x!);
  const seed = uploadSeed(r);
  return { outputs: [drop(r, x!, seed, p)], backward: ([dy]) => [drop(r, dy!, seed, p)] };
};

export const dropModalities: Op<{ p: number }> = (r, [present], { p }) => {
  expectFloat("dropModalities", "present", present!);
  expectRank("dropModalities", "present", present!, 2, "[N, M]");
  expectMarks("dropModalities", "present", present!);
  const [N, M] = present!.shape as [number, number];
  const seed = uploadSeed(r);
  const kept = allocate(r, [N, M]);
  r.dispatch({
    kernel: modalities({}),
    reads: [present!.slot, seed],
    writes: [kept.slot],
    params: [N, M, bits(p)],
    grid: grid(N, 64),
  });
  return { outputs: [kept], constants: { 0: "present" } };
};
