import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { bits, count, expect, grid, show, type Value } from "./op.ts";

/** Changes a tensor in place to (1 − share) · itself + share · x: a moving average. It has no gradient. */
const update = kernel(
  "blend",
  () => wgsl`
struct Params { n: u32, share: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at < params.n) { y[at] += bitcast<f32>(params.share) * (x[at] - y[at]); }
}`,
);

export function blend(r: Recording, name: string, average: Value, x: Value, share: number): void {
  expect(
    average.slot.resident !== undefined,
    name,
    () => `the running average ${show(average)} is not kept on the device, expected engine.parameter(data, shape).`,
  );
  const n = count(x.shape);
  r.changed.add(average.slot);
  r.dispatch({
    kernel: update({}),
    reads: [x.slot],
    writes: [average.slot],
    sizes: [n, bits(share)],
    grid: grid(n, 64),
  });
}
