import { checkName, type Known } from "../../check.ts";
import type { Recording } from "../../gpu/index.ts";
import { activationBackward } from "../activation.ts";
import { checkActivation, expect, expectFloat, expectRank, type Pair, pair, show } from "../checks.ts";
import { allocate, count, grid, type Op, type Value } from "../op.ts";
import { addPartials } from "../partials.ts";
import type { Activation } from "../snippets.ts";
import { DEPTH, tilesOf } from "../tiles.ts";
import { CHANNELS, PIXELS, type Window } from "./common.ts";
import * as inQuads from "./quads.ts";
import * as inRegisters from "./registers.ts";
import * as throughShared from "./shared.ts";

/*
 * y [N, O, H′, W′] = f(b + Σ over c, i, j of w [O, C/groups, kH, kW] · x [N, C, H, W]): cross-correlation, as PyTorch's conv2d.
 *   y[n, o, p, q] = f(b[o] + Σ w[o, c, i, j] · x[n, c, p·stride + i·dilation − padding, q·stride + j·dilation − padding])
 *   H′ = ⌊(H + 2·padding − dilation·(kH − 1) − 1) / stride⌋ + 1
 *
 * y, dx and dw have four variants each:
 *   registers           8 channels of 8 pixels a thread, read straight from storage (registers.ts)
 *   quads               the same, four threads sharing what they read, where there are subgroups (quads.ts)
 *   shared64, shared32  a matrix product through workgroup memory (shared.ts)
 */

/** Options of `conv2d`. A pair is one number for both directions, or [vertical, horizontal]. */
export interface Conv2dOptions {
  /** How far apart neighboring results are in x. Default 1. */
  stride?: Pair;
  /** Zeros around x, or "same": as many as keep the size (stride 1; the extra row of an even window is added below). Default 0. */
  padding?: Pair | "same";
  /** The distance in x of the window's neighboring numbers. Default 1. */
  dilation?: Pair;
  /** Into how many parts the channels are split that do not see one another. Default 1. */
  groups?: number;
  /** Applied to the result, in the same kernel. Default "none". */
  activation?: Activation;
}

export const conv2dOptions: Known<Conv2dOptions> = {
  stride: true,
  padding: true,
  dilation: true,
  groups: true,
  activation: true,
};

/** @throws TypeError naming the shapes when they do not fit, or the window is larger than the padded image. */
export const conv2d: Op<Conv2dOptions> = (r, [x, w, b], options) => {
  const { groups = 1, activation = "none" } = options;
  expectFloat("conv2d", "x", x!);
  expectFloat("conv2d", "w", w!);
  expectRank("conv2d", "x", x!, 4, "[N, C, H, W]");
  expectRank("conv2d", "w", w!, 4, "[O, C/groups, kH, kW]");
  const [N, C, H, W] = x!.shape as [number, number, number, number];
  const [O, cg, kH, kW] = w!.shape as [number, number, number, number];
  const [strideH, strideW] = pair("conv2d", "stride", options.stride ?? 1);
  const [dilationH, dilationW] = pair("conv2d", "dilation", options.dilation ?? 1);
  const { padding = 0 } = options;
  const same = padding === "same";
  if (typeof padding === "string") checkName("conv2d", "padding", padding, ["same"]);
  checkActivation("conv2d", activation);
  expect(
    !same || (strideH === 1 && strideW === 1),
    "conv2d",
    () => `padding "same" needs stride 1, found ${strideH}, ${strideW}.`,
  );
  // Of an even window's padding the odd one goes below and to the right, as in PyTorch.
  const around = same ? [0, 0] : pair("conv2d", "padding", padding);
  const allH = same ? dilationH * (kH - 1) : 2 * around[0]!;
  const allW = same ? dilationW * (kW - 1) : 2 * around[1]!;
  const [padH, padW] = same ? [Math.floor(allH / 2), Math.floor(allW / 2)] : [allH / 2, allW / 2];
  for (const [name, n, lowest] of [
    ["stride", strideH, 1],
    ["stride", strideW, 1],
    ["dilation", dilationH, 1],
    ["dilation", dilationW, 1],
    ["padding", padH, 0],
    ["padding", padW, 0],
    ["groups", groups, 1],
  ] as const) {
    expect(
      Number.isInteger(n) && n >= lowest,
      "conv2d",
      () => `${name} is ${n}, expected a whole number of at least ${lowest}.`,
    );
  }
  expect(
    C === cg * groups && O % groups === 0,
    "conv2d",
    () =>
      `x ${show(x!)} has ${C} channels, but w ${show(w!)} with groups: ${groups} takes ${cg * groups}${O % groups ? ` (and ${O} outputs do not divide by ${groups})` : ""}.`,
  );
  expect(
    !b || (b.shape.length === 1 && b.shape[0] === O),
    "conv2d",
    () => `b is ${show(b!)}, expected [${O}] as w is ${show(w!)}.`,
  );
  const P = Math.floor((H + allH - dilationH * (kH - 1) - 1) / strideH) + 1;
  const Q = Math.floor((W + allW - dilationW * (kW - 1) - 1) / strideW) + 1;
  expect(
    P > 0 && Q > 0,
    "conv2d",
    () => `the window of w ${show(w!)} is larger than x ${show(x!)} with padding ${padH}, ${padW}.`,
  );
  const window = { kH, kW, strideH, strideW, dilationH, dilationW };
  const common = [N, C, H, W, O, P, Q, groups, padH, padW];
  const y = allocate(r, [N, O, P, Q]);
  const cover = (side: number, M: number, N: number): [number, number, number] => {
    const [gx, gy] = grid(tilesOf(side, M, N), 1);
    return [gx, gy, groups];
  };
  const og = O / groups;
  const forwardBy = (side: number) => (r: Recording) =>
    r.dispatch({
      kernel: throughShared.forward({ bias: b !== undefined, activation, side, ...window }),
      reads: [x!.slot, w!.slot, ...(b ? [b.slot] : [])],
      writes: [y.slot],
      params: [...common, 0],
      grid: cover(side, og, N * P * Q),
    });
  const shape = `${C}→${O}, ${kH}×${kW}, ${H}×${W}`;
  /** Workgroups of threads that compute 8 pixels of a row each; of quads the last four of a plane may not all have some. */
  const groupsOf = (by: InRegisters, channels: number, rows: number, columns: number) => {
    const places = rows * Math.ceil(columns / PIXELS);
    const threads = N * groups * Math.ceil(channels / CHANNELS) * (by === inQuads ? 4 * Math.ceil(places / 4) : places);
    return grid(threads, by.THREADS);
  };
  const forwardInRegisters = (by: InRegisters) => (r: Recording) =>
    r.dispatch({
      kernel: by.forward({ bias: b !== undefined, activation, ...window }),
      reads: [x!.slot, w!.slot, ...(b ? [b.slot] : [])],
      writes: [y.slot],
      params: [...common, 1],
      grid: groupsOf(by, og, P, Q),
    });
  r.choose(
    "conv2d",
    shape,
    {
      registers: forwardInRegisters(inRegisters),
      ...(r.features.has("subgroups") ? { quads: forwardInRegisters(inQuads) } : {}),
      shared64: forwardBy(64),
      shared32: forwardBy(32),
    },
    byChannels(r, og),
  );
  return {
    outputs: [y],
    backward: ([dy], needs) => {
      const dz = activationBackward(r, activation, y, dy!);
      const dx = needs[0] ? allocate(r, x!.shape) : undefined;
      const backwardBy = (side: number) => (r: Recording) =>
        r.dispatch({
          kernel: throughShared.backwardInput({ side, ...window }),
          reads: [dz.slot, w!.slot],
          writes: [dx!.slot],
          params: [...common, 0],
          grid: cover(side, cg, N * H * W),
        });
      const backwardInRegisters = (by: InRegisters) => (r: Recording) =>
        r.dispatch({
          kernel: by.backwardInput(window),
          reads: [dz.slot, w!.slot],
          writes: [dx!.slot],
          params: [...common, 1],
          grid: groupsOf(by, cg, H, W),
        });
      if (dx) {
        r.choose(
          "conv2d.backwardInput",
          shape,
          {
            registers: backwardInRegisters(inRegisters),
            ...(r.features.has("subgroups") ? { quads: backwardInRegisters(inQuads) } : {}),
            shared64: backwardBy(64),
            shared32: backwardBy(32),
          },
          byChannels(r, cg),
        );
      }
      if (!needs[1] && !needs[2]) return [dx];
      const [dw, db] = weightGradient(r, { x: x!, dz, w: w!, window, common, bias: b !== undefined, shape });
      return [dx, dw, db];
    },
  };
};

/** What is taken without measuring: tiles that a group's channels fill. */
const byChannels = (r: Recording, channels: number) => {
  const forGpu = channels > 32 ? "shared64" : channels >= 8 ? "shared32" : "registers";
  return { software: r.features.has("subgroups") ? "quads" : "registers", integrated: forGpu, discrete: forGpu };
};

/** The variants in registers, with or without quads. */
type InRegisters = typeof inRegisters | typeof inQuads;

interface WeightGradient {
  x: Value;
  dz: Value;
  w: Value;
  window: Window;
  common: readonly number[];
  bias: boolean;
  /** The class of sizes, for the choice of kernels. */
  shape: string;
}

/** dw, and db as its by-product: both as partial sums, which a second pass adds up in order. */
function weightGradient(r: Recording, g: WeightGradient): [Value, Value | undefined] {
  const { x, dz, w, window, common, bias, shape } = g;
  const [O, cg, kH, kW] = w.shape as [number, number, number, number];
  const [N, P, Q, groups] = [common[0]!, common[5]!, common[6]!, common[7]!];
  const weights = count(w.shape);
  const dw = allocate(r, w.shape);
  const db = bias ? allocate(r, [O]) : undefined;
  const record = (r: Recording, number: number, dispatch: (partials: Value) => void) => {
    const partials = allocate(r, [number, weights + O]);
    dispatch(partials);
    addPartials(r, { partials, number, extra: O, y: dw, z: db });
  };
  const throughTiles = (side: number) => (r: Recording) => {
    const groupsOfTiles = tilesOf(side, O / groups, cg * kH * kW) * groups;
    const wanted = Math.min(Math.ceil(128 / groupsOfTiles), Math.ceil((N * P * Q) / 256), 64);
    const pixels = Math.max(DEPTH, Math.ceil((N * P * Q) / Math.max(1, wanted) / DEPTH) * DEPTH);
    const number = Math.max(1, Math.ceil((N * P * Q) / pixels));
    const [gx, gy] = grid(tilesOf(side, O / groups, cg * kH * kW), 1);
    record(r, number, (partials) =>
      r.dispatch({
        kernel: throughShared.backwardWeight({ side, ...window }),
        reads: [x.slot, dz.slot],
        writes: [partials.slot],
        params: [...common, pixels],
        grid: [gx, gy, groups * number],
      }),
    );
  };
  const byPartsOfBatch = (by: InRegisters) => (r: Recording) => {
    // All taps of a small window share the loads of dy; a large one goes row by row to stay within registers.
    const taps = kH * kW <= 9 ? kH : 1;
    const number = Math.min(N, 32);
    const kinds = cg * (kH / taps);
    const threads =
      number * groups * Math.ceil(O / groups / CHANNELS) * (by === inQuads ? 4 * Math.ceil(kinds / 4) : kinds);
    record(r, number, (partials) =>
      r.dispatch({
        kernel: by.backwardWeight({ taps, ...window }),
        reads: [x.slot, dz.slot],
        writes: [partials.slot],
        params: [...common, number],
        grid: grid(threads, by.THREADS),
      }),
    );
  };
  r.choose(
    "conv2d.backwardWeight",
    shape,
    {
      registers: byPartsOfBatch(inRegisters),
      ...(r.features.has("subgroups") ? { quads: byPartsOfBatch(inQuads) } : {}),
      shared64: throughTiles(64),
      shared32: throughTiles(32),
    },
    // Quads pay only where many kinds of threads want the same dy.
    cg < 32 ? { ...byChannels(r, O / groups), software: "registers" } : byChannels(r, O / groups),
  );
  return [dw, db];
}
