import { checkNumber, number } from "../check.ts";
import { kernel, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectRank, show } from "./checks.ts";
import { allocate, count, grid, type Op } from "./op.ts";
import { sumInRuns } from "./snippets.ts";

/*
 * y [N, D] = the mean of x [N, L, D] over the places l where words[n, l] ≠ paddingIdx; 0 where there are none.
 * dx[n, l] = dy[n] / (number of places) at those places, else 0.
 */

const source = /* wgsl */ `
struct Params { N: u32, L: u32, D: u32, padding: u32 }
fn present(n: u32) -> f32 {
  var sum = 0.0;
  for (var l = 0u; l < params.L; l++) { sum += select(0.0, 1.0, words[n * params.L + l] != params.padding); }
  return max(sum, 1.0);
}`;

const forward = kernel(
  "maskedMean",
  () => wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> words: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${source}
@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.N * params.D) { return; }
  let n = at / params.D;
  var sum = 0.0;
  ${sumInRuns({ sum: "select(0.0, x[place * params.D + at % params.D], words[place] != params.padding)" }, { end: "params.L", before: "let place = n * params.L + j;" })}
  y[at] = sum / present(n);
}`,
);

const backward = kernel(
  "maskedMean.backward",
  () => wgsl`
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read> words: array<u32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${source}
@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.N * params.L * params.D) { return; }
  let place = at / params.D;
  let n = place / params.L;
  dx[at] = select(0.0, dy[n * params.D + at % params.D] / present(n), words[place] != params.padding);
}`,
);

export const maskedMean: Op<{ paddingIdx?: number | undefined }> = (r, [x, words], { paddingIdx = 0 }) => {
  expectFloat("maskedMean", "x", x!);
  expectRank("maskedMean", "x", x!, 3, "[N, L, D]");
  const [N, L, D] = x!.shape as [number, number, number];
  expect(
    words!.dtype !== "f32" && show(words!) === show([N, L]),
    "maskedMean",
    () => `words is ${show(words!)} ${words!.dtype}, expected [${N}, ${L}] i32 as x is ${show(x!)}.`,
  );
  checkNumber("maskedMean", "paddingIdx", paddingIdx, words!.dtype === "u32" ? number.u32 : number.i32);
  const params = [N, L, D, paddingIdx];
  const y = allocate(r, [N, D]);
  r.dispatch({ kernel: forward({}), reads: [x!.slot, words!.slot], writes: [y.slot], params, grid: grid(N * D, 64) });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      r.dispatch({
        kernel: backward({}),
        reads: [dy!.slot, words!.slot],
        writes: [dx.slot],
        params,
        grid: grid(count(x!.shape), 64),
      });
      return [dx, undefined];
    },
  };
};
