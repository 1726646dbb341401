import { kernel, wgsl } from "../gpu/index.ts";
import { broadcast, layout } from "./broadcast.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, grid, type Op } from "./op.ts";
import { sumTo } from "./reduce.ts";

/*
 * y = condition ≠ 0 ? a : b, the three broadcast; da = condition ? dy : 0, db = condition ? 0 : dy, each summed over its
 * repetitions. What is not chosen gets no gradient, not even NaN.
 */

const walk = /* wgsl */ `
struct Params { n: u32, d0: u32, d1: u32, d2: u32, d3: u32, c0: u32, c1: u32, c2: u32, c3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32 }
// Where condition, a and b of result number \`at\` are.
fn operands(at: u32) -> vec3u {
  let i3 = at % params.d3; var rest = at / params.d3;
  let i2 = rest % params.d2; rest /= params.d2;
  let i1 = rest % params.d1;
  let i0 = rest / params.d1;
  return vec3u(i0 * params.c0 + i1 * params.c1 + i2 * params.c2 + i3 * params.c3, i0 * params.a0 + i1 * params.a1 + i2 * params.a2 + i3 * params.a3, i0 * params.b0 + i1 * params.b1 + i2 * params.b2 + i3 * params.b3);
}`;

const forward = kernel(
  "where",
  () => wgsl`
${walk}
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
${walk}
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
