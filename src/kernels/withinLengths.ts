import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { allocate, count, grid, type Value } from "./op.ts";

/*
 * x [N, T, I] with 0 from lengths[n] on. Padding may hold anything, NaN too, and 0 · NaN is no number: what a sum is to leave
 * out must not stand there. A thread copies `width` neighbors, 4 where I is a multiple of it.
 */

const within = kernel(
  "withinLengths",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Params { n: u32, T: u32, across: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(_) var<storage, read> x: array<Numbers>;
@group(0) @binding(_) var<storage, read> lengths: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<Numbers>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let step = at / params.across;
  y[at] = select(Numbers(), x[at], step % params.T < lengths[step / params.T]);
}`,
);

export function withinLengths(r: Recording, x: Value, lengths: Value): Value {
  const [, T, I] = x.shape as [number, number, number];
  const y = allocate(r, x.shape);
  const width = I > 0 && I % 4 === 0 ? 4 : 1;
  const n = count(x.shape) / width;
  r.dispatch({
    kernel: within({ width }),
    reads: [x.slot, lengths.slot],
    writes: [y.slot],
    params: [n, T, I / width],
    grid: grid(n, 64),
  });
  return y;
}
