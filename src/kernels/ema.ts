import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { expect, show } from "./checks.ts";
import { bits, count, grid, type Value } from "./op.ts";

/** Changes a tensor in place to (1 − momentum) · itself + momentum · x: an exponential moving average. It has no gradient. */
const update = kernel(
  "ema",
  () => wgsl`
struct Params { n: u32, momentum: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at < params.n) { y[at] += bitcast<f32>(params.momentum) * (x[at] - y[at]); }
}`,
);

export function ema(r: Recording, name: string, average: Value, x: Value, momentum: number): void {
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
    params: [n, bits(momentum)],
    grid: grid(n, 64),
  });
}
