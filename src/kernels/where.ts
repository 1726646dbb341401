import { kernel, wgsl } from "../gpu/index.ts";
import { broadcast, layout, operandsOf } from "./broadcast.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, grid, type Op } from "./op.ts";
import { sumTo } from "./reduce.ts";

/*
 * y = condition ≠ 0 ? a : b, the three broadcast; da = condition ? dy : 0, db = condition ? 0 : dy, each summed over its
 * repetitions. What is not chosen gets no gradient, not even NaN.
 */

const forward = kernel(
  "where",
  () => wgsl`
${operandsOf(["c", "a", "b"], false)}
@group(0) @binding(_) var<storage, read> condition: array<u32>;
@group(0) @binding(_) var<storage, read> a: array<f32>;
@group(0) @binding(_) var<storage, read> b: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let i = operands(at);
  // Zero is zero in every type; the sign of -0 does not count.
  if ((condition[i.x] << 1) != 0) { y[at] = a[i.y]; } else { y[at] = b[i.z]; }
}`,
);

const backward = kernel(
  "where.backward",
  ({ chosen }: { chosen: boolean }) => wgsl`
${operandsOf(["c", "a", "b"], false)}
@group(0) @binding(_) var<storage, read> condition: array<u32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> d: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  d[at] = select(0.0, dy[at], ((condition[operands(at).x] << 1) != 0) == ${chosen});
}`,
);

/** Inputs: condition (of any type), a, b. */
export const where: Op<object> = (r, [condition, a, b]) => {
  expectFloat("where", "a", a!);
  expectFloat("where", "b", b!);
  const shape = broadcast(condition!.shape, a!.shape, b!.shape);
  expect(
    shape !== undefined,
    "where",
    () => `shapes do not broadcast: condition ${show(condition!)}, a ${show(a!)} and b ${show(b!)}.`,
  );
  const params = layout("where", [condition!.shape, a!.shape, b!.shape], shape);
  const y = allocate(r, shape);
  const threads = grid(params[0]!, 64);
  r.dispatch({
    kernel: forward({}),
    reads: [condition!.slot, a!.slot, b!.slot],
    writes: [y.slot],
    params,
    grid: threads,
  });
  return {
    outputs: [y],
    constants: { 0: "condition" },
    backward: ([dy], needs) => [
      undefined,
      ...[a!, b!].map((x, i) => {
        if (!needs[i + 1]) return undefined;
        const d = allocate(r, shape);
        r.dispatch({
          kernel: backward({ chosen: i === 0 }),
          reads: [condition!.slot, dy!.slot],
          writes: [d.slot],
          params,
          grid: threads,
        });
        return sumTo(r, d, x.shape);
      }),
    ],
  };
};
