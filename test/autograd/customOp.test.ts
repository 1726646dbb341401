import { expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

/** y = x², dx = 2 x · dy, from outside of the package: with what it exports and nothing else. */
const forward = hg.kernel(
  "square",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x]; }
}`,
);
const backward = hg.kernel(
  "square.backward",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&dx)) { dx[id.x] = 2 * x[id.x] * dy[id.x]; }
}`,
);
const square = hg.customOp("square", (r, [x]) => {
  const threads = hg.grid(hg.count(x!.shape), 64);
  const y = hg.allocate(r, x!.shape);
  r.dispatch({ kernel: forward({}), reads: [x!.slot], writes: [y.slot], grid: threads });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = hg.allocate(r, x!.shape);
      r.dispatch({ kernel: backward({}), reads: [x!.slot, dy!.slot], writes: [dx.slot], grid: threads });
      return [dx];
    },
  };
});

test("an op of one's own computes, and its gradient finds its way through others", async () => {
  const x = engine.parameter([1, -2, 3]);
  const { y, d } = await engine.step(() => {
    const [y] = square([hg.mul(x, 2)], {});
    return { y: y!, d: hg.sum(y!).backward().get(x) };
  });
  expect([...(await y.data())]).toEqual([4, 16, 36]);
  expect([...(await d.data())]).toEqual([8, -16, 24]);
});

test("a shader of more bindings than its dispatch gives is told by the dispatch", async () => {
  const scaled = hg.kernel(
    "scaled",
    () => hg.wgsl`
struct Params { n: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) { y[id.x] = x[id.x]; }
}`,
  );
  const op = hg.customOp("scaled", (r, [x]) => {
    const y = hg.allocate(r, x!.shape);
    r.dispatch({ kernel: scaled({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] });
    return { outputs: [y] };
  });
  await expect(engine.step(() => op([engine.tensor([1])], {}))).rejects.toThrow(
    "scaled: its shader has 3 bindings, but its dispatch gives 2: 1 reads, 1 writes and no params.",
  );
});

test("batchNorm2d moves its running mean and variance as PyTorch does", async () => {
  const [mean, variance] = [engine.parameter([0, 1]), engine.parameter([1, 2])];
  const x = engine.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 1, 2]);
  await engine.step(() => {
    hg.batchNorm2d(x, undefined, undefined, { training: true, running: { mean, variance } });
  });
  // Channel 0 is 1, 2, 5, 6 (mean 3.5, variance 17 / 3), channel 1 is 3, 4, 7, 8 (mean 5.5).
  const [m, v] = [await mean.data(), await variance.data()];
  for (const [found, expected] of [
    [m[0], 0.35],
    [m[1], 0.9 + 0.55],
    [v[0], 0.9 + 17 / 30],
    [v[1], 1.8 + 17 / 30],
  ] as const)
    expect(found).toBeCloseTo(expected, 5);
});
