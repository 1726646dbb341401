import { allocate, count, createEngine, customOp, grid, kernel, sum, wgsl } from "handgrad/node";

/* An op of your own: y = x³, and dx = 3 x² · dy. node scripts/run.mjs examples/07-custom-op.ts */

const forwardText = () => wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x] * x[id.x]; }
}`;
const backwardText = () => wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&dx)) { dx[id.x] = 3 * x[id.x] * x[id.x] * dy[id.x]; }
}`;
const [forward, backward] = [kernel("cube", forwardText), kernel("cube.backward", backwardText)];
const cube = customOp("cube", (r, [x]) => {
  const [y, threads] = [allocate(r, x!.shape), grid(count(x!.shape), 64)];
  r.dispatch({ kernel: forward({}), reads: [x!.slot], writes: [y.slot], grid: threads });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({ kernel: backward({}), reads: [x!.slot, dy!.slot], writes: [dx.slot], grid: threads });
      return [dx];
    },
  };
});
const engine = await createEngine({ seed: 1 });
const x = engine.parameter([-2, -1, 1, 2]);
const [y, dx] = await engine.step(() => {
  const y = cube([x], {})[0]!;
  return [y, sum(y).backward().get(x)];
});
console.log(`x³: ${await y!.data()}\nits gradient: ${await dx!.data()}`);
engine.destroy();
