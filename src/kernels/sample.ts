import { checkNumber, number } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { expect, expectFloat, expectRank, show } from "./checks.ts";
import { allocate, bits, count, grid, type Op, type Value } from "./op.ts";
import { random, uploadSeed } from "./random.ts";
import { rowStatistics } from "./rows.ts";

/*
 * Random numbers, each from the step's seed and its place alone: the same seed gives the same numbers.
 *   uniform      from [a, b)
 *   normal       with mean a and standard deviation b (Box and Muller 1958)
 *   categorical  for each row of logits [N, A] the number of a class, drawn by softmax(logits); -1 where those are no
 *                probabilities: NaN, an infinity as the largest logit. No label, id or action is -1: it is refused where it is given
 */

export type Distribution = "uniform" | "normal";

const draw = kernel(
  "sample",
  ({ from }: { from: Distribution }) => wgsl`
struct Params { n: u32, a: u32, b: u32 }
@group(0) @binding(_) var<storage, read> seed: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
${random}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let a = bitcast<f32>(params.a);
  let b = bitcast<f32>(params.b);
#if ${from === "uniform"}
  // Rounding may lead to b, which is not among them.
  let drawn = a + (b - a) * random(seed[0], at);
  y[at] = select(drawn, a, drawn >= b);
#else
  // 1 − u is never 0, whose logarithm is not finite.
  let radius = sqrt(-2 * log(1 - random(seed[0], 2 * at)));
  y[at] = a + b * radius * cos(6.283185307 * random(seed[0], 2 * at + 1));
#endif
}`,
);

const choose = kernel(
  "categorical",
  () => wgsl`
struct Params { N: u32, A: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> seed: array<u32>;
@group(0) @binding(_) var<storage, read_write> y: array<u32>;
@group(0) @binding(_) var<uniform> params: Params;
${random}
${rowStatistics({ rowThreads: 1 })}

@compute @workgroup_size(16)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = groupIndex(group) * 16 + thread;
  if (row >= params.N) { return; }
  let total = logSumExp_x(row, 0);
  var left = random(seed[0], row);
  var chosen = 0u;
  // A class without probability is never chosen, not even where rounding leaves a rest.
  for (var j = 0u; j < params.A; j++) {
    let p = exp(x[row * params.A + j] - total.x - total.y);
    if (p > 0) { chosen = j; left -= p; if (left < 0) { break; } }
  }
  y[row] = select(chosen, 0xffffffffu, isNaN(total.y));
}`,
);

export function sample(r: Recording, from: Distribution, shape: readonly number[], a: number, b: number): Value {
  const [first, second] = { uniform: ["low", "high"], normal: ["mean", "std"] }[from] as [string, string];
  checkNumber(from, first, a, number.float);
  checkNumber(from, second, b, from === "normal" ? number.floatAtLeast0 : number.float);
  if (from === "uniform") {
    if (a > b) throw new RangeError(`uniform: low is ${a} and high ${b}, expected low ≤ high.`);
    checkNumber(from, "high - low", b - a, number.float);
  }
  const y = allocate(r, shape);
  const n = count(shape);
  const seed = uploadSeed(r);
  r.dispatch({
    kernel: draw({ from }),
    reads: [seed],
    writes: [y.slot],
    params: [n, bits(a), bits(b)],
    grid: grid(n, 64),
  });
  return y;
}

/** Checks logits that the host knows: each row must have a largest one, and that a finite one. */
function expectProbabilities(logits: Float32Array, A: number): void {
  for (let row = 0; row * A < logits.length; row++) {
    const own = logits.subarray(row * A, (row + 1) * A);
    const top = own.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
    if (!Number.isFinite(top))
      throw new RangeError(
        `categorical: the largest logit of row ${row} is ${top}, expected a finite number: its softmax has no probabilities.`,
      );
  }
}

export const categorical: Op<object> = (r, [x]) => {
  expectFloat("categorical", "logits", x!);
  expectRank("categorical", "logits", x!, 2, "[N, A]");
  const [N, A] = x!.shape as [number, number];
  expect(A > 0, "categorical", () => `logits are ${show(x!)}: there are no classes.`);
  const { host } = x!.slot;
  if (host) expectProbabilities(host as Float32Array, A);
  const y = allocate(r, [N], "i32");
  const seed = uploadSeed(r);
  r.dispatch({ kernel: choose({}), reads: [x!.slot, seed], writes: [y.slot], params: [N, A], grid: grid(N, 16) });
  return { outputs: [y] };
};
