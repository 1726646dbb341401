import type { Known } from "../../check.ts";
import type { Recording } from "../../gpu/index.ts";
import { checkActivation, expect, expectFloat, expectRank, type Pair, pair, show } from "../checks.ts";
import { allocate, count, grid, type Op } from "../op.ts";
import type { Activation } from "../snippets.ts";
import type { Kind } from "./common.ts";
import { forward } from "./forward.ts";
import { gather } from "./gather.ts";
import { scatter } from "./scatter.ts";

/*
 * y [N, C, P, Q] = the largest, or the mean, of each window of x [N, C, H, W]; stride is the window's size unless given.
 * Max pooling sends dy to the first largest of a window (NaN counts as largest), as PyTorch does; the mean counts the
 * padding (count_include_pad). Nothing is added in a race: in the gradient each x asks the windows it lies in (gather.ts), or,
 * where no two windows overlap, each window writes all of its own (scatter.ts).
 *
 * An activation f is applied to y, a quarter of the numbers or fewer, and as f never falls, max f(x) = f(max x): a network
 * that pools behind an activation gets the same numbers for less work.
 */

/** Options of `maxPool2d` and `avgPool2d`. A pair is one number for both directions, or [vertical, horizontal]. */
export interface PoolOptions {
  /** Size of the window. */
  kernelSize: Pair;
  /** How far apart windows are. Default: kernelSize. */
  stride?: Pair;
  /** What stands around x, at most half the window. Default 0. */
  padding?: Pair;
  /** Applied to the result. Default "none". */
  activation?: Activation;
}

export const poolOptions: Known<PoolOptions> = { kernelSize: true, stride: true, padding: true, activation: true };

export const pool2d: Op<PoolOptions & { kind: Kind }> = (r, [x], options) => {
  const { kind } = options;
  const name = kind === "max" ? "maxPool2d" : "avgPool2d";
  expectFloat(name, "x", x!);
  expectRank(name, "x", x!, 4, "[N, C, H, W]");
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [kH, kW] = pair(name, "kernel", options.kernelSize);
  const [strideH, strideW] = pair(name, "stride", options.stride ?? options.kernelSize);
  const [padH, padW] = pair(name, "padding", options.padding ?? 0);
  expect(
    [kH, kW, strideH, strideW].every((n) => Number.isInteger(n) && n > 0),
    name,
    () => `kernel is ${kH}, ${kW} and stride ${strideH}, ${strideW}, expected whole numbers of at least 1.`,
  );
  expect(
    [padH, padW].every((n) => Number.isInteger(n) && n >= 0) && 2 * padH <= kH && 2 * padW <= kW,
    name,
    () => `padding is ${padH}, ${padW}, expected at most half the kernel (${kH}, ${kW}).`,
  );
  const P = Math.floor((H + 2 * padH - kH) / strideH) + 1;
  const Q = Math.floor((W + 2 * padW - kW) / strideW) + 1;
  expect(
    P > 0 && Q > 0,
    name,
    () => `the window ${kH} × ${kW} is larger than x ${show(x!)} with padding ${padH}, ${padW}.`,
  );
  const y = allocate(r, [N, C, P, Q]);
  const chosen = kind === "max" ? allocate(r, y.shape, "u32") : undefined;
  const params = [N * C, H, W, P, Q];
  const activation = options.activation ?? "none";
  checkActivation(name, activation);
  const window = { kind, activation, kH, kW, strideH, strideW, padH, padW };
  r.dispatch({
    kernel: forward(window),
    reads: [x!.slot],
    writes: [y.slot, ...(chosen ? [chosen.slot] : [])],
    params,
    grid: grid(count(y.shape), 64),
  });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = allocate(r, x!.shape);
      const by = (kernel: typeof gather, threads: number) => (r: Recording) =>
        r.dispatch({
          kernel: kernel(window),
          reads: [dy!.slot, ...(activation === "none" ? [] : [y.slot]), ...(chosen ? [chosen.slot] : [])],
          writes: [dx.slot],
          params,
          grid: grid(threads, 64),
        });
      const byGathering = by(gather, count(x!.shape));
      const byScattering = by(scatter, N * C * Math.ceil(H / strideH) * Math.ceil(W / strideW));
      if (strideH >= kH && strideW >= kW && padH === 0 && padW === 0) {
        const defaults = { software: "scatter", integrated: "gather", discrete: "gather" };
        r.choose(
          "pool2d.backward",
          `${kind} ${kH}×${kW} ${strideH}×${strideW}`,
          { gather: byGathering, scatter: byScattering },
          defaults,
        );
      } else byGathering(r);
      return [dx];
    },
  };
};
