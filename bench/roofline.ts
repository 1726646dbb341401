import * as hg from "handgrad";

/*
 * What this device can do at best, measured by two kernels in the same run: multiply-adds from registers, and copying.
 */

const ROUNDS = 256;
const LANES = 1 << 16;

/** 16 independent chains of vec4f multiply-adds a thread, so that no result waits for the one before. */
const multiplyAdd = hg.kernel(
  "roofline.multiplyAdd",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<vec4f>;
@group(0) @binding(_) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = x[id.x];
  ${Array.from({ length: 16 }, (_, i) => `var a${i} = m + ${i}.0;`).join(" ")}
  for (var k = 0u; k < ${ROUNDS}; k++) {
    ${Array.from({ length: 16 }, (_, i) => `a${i} = fma(a${i}, m, m);`).join(" ")}
  }
  y[id.x] = ${Array.from({ length: 16 }, (_, i) => `a${i}`).join(" + ")};
}`,
);

const copying = hg.kernel(
  "roofline.copy",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<vec4f>;
@group(0) @binding(_) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }`,
);

const run = hg.customOp<{ kernel: "multiplyAdd" | "copy" }>("roofline", (r, [x], { kernel }) => {
  const y = hg.allocate(r, x!.shape);
  r.dispatch({
    kernel: kernel === "copy" ? copying({}) : multiplyAdd({}),
    reads: [x!.slot],
    writes: [y.slot],
    grid: hg.grid(hg.count(x!.shape) / 4, 64),
  });
  return { outputs: [y] };
});

/** The best of several runs: multiply-adds (two operations each) and bytes moved, a second. */
export async function roofline(engine: hg.Engine): Promise<{ gflops: number; gbs: number }> {
  const best = async (kernel: "multiplyAdd" | "copy", numbers: number) => {
    const x = engine.parameter(new Float32Array(numbers).fill(0.5), [numbers]);
    let fastest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 6; i++) {
      const start = performance.now();
      const [y] = await engine.step(() => run([x], { kernel }));
      await engine.synchronize();
      if (i > 0) fastest = Math.min(fastest, performance.now() - start);
      y!.dispose();
    }
    x.dispose();
    return fastest / 1000;
  };
  const copied = 1 << 22;
  return {
    gflops: (2 * 4 * 16 * ROUNDS * LANES) / (await best("multiplyAdd", 4 * LANES)) / 1e9,
    gbs: (2 * 4 * copied) / (await best("copy", copied)) / 1e9,
  };
}
