import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { bits, count, expect, grid, show, type Value } from "./op.ts";

/** Changes a tensor in place to (1 − share) · itself + share · x: a moving average. It has no gradient. */
const update = kernel(
  "blend",
  () => wgsl`
struct Sizes { n: u32, share: u32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at < s.n) { y[at] += bitcast<f32>(s.share) * (x[at] - y[at]); }
}`,
);

export function blend(r: Recording, name: string, average: Value, x: Value, share: number): void {
  expect(
    average.slot.home !== undefined,
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
