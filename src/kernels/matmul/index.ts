import type { Recording } from "../../gpu/index.ts";
import { expect, expectFloat, show } from "../checks.ts";
import { allocate, bits, grid, type Op, type Value } from "../op.ts";
import { addPartials } from "../partials.ts";
import type { Activation } from "../snippets.ts";
import { DEPTH, tilesOf } from "../tiles.ts";
import { THREADS as QUAD, quads } from "./quads.ts";
import { registers, THREADS } from "./registers.ts";
import { shared } from "./shared.ts";

/*
 * C [M, N] = op(A) · op(B), op(X) = X or Xᵀ without a copy; then, in the epilogue, + bias [N] and an activation.
 * `rowSum` also gives Σₖ op(A)[m, k]: with A = dyᵀ that is the gradient of a bias, for the price of an addition.
 *
 * There are up to eight variants:
 *   registers8, registers4          8 × 8 or 4 × 4 results a thread, read straight from storage (registers.ts)
 *   quads16, quads                  16 × 8 or 8 × 4, four threads sharing what they read, where there are subgroups (quads.ts)
 *   shared64, shared32              through workgroup memory, 64 × 64 or 32 × 32 a workgroup (shared.ts)
 *   splitKRegisters, splitKShared     split K: partial results that a second pass adds up in order (partials.ts), for few results
 *                                   of long sums, such as weight gradients, which would leave a GPU idle
 */

export interface Product {
  a: Value;
  b: Value;
  M: number;
  N: number;
  K: number;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Row lengths in numbers, where rows lie further apart than they are long. */
  lda?: number;
  ldb?: number;
  bias?: Value | undefined;
  activation?: Activation;
  /** Matrices one after another; an operand with `false` in `each` is the same for all. */
  batch?: { size: number; eachA: boolean; eachB: boolean };
  rowSum?: boolean;
  shape?: readonly number[];
  /** The size that counts examples and may change from step to step: the choice of kernels leaves it aside. */
  examples?: "M" | "K";
}

/** Records C = op(A) · op(B); with `rowSum` also the sums of op(A)'s rows, [M]. */
export function matrixProduct(r: Recording, p: Product): { c: Value; sums: Value | undefined } {
  const { M, N, K, transposeA = false, transposeB = false, batch, bias, activation = "none" } = p;
  const lda = p.lda ?? (transposeA ? M : K);
  const ldb = p.ldb ?? (transposeB ? K : N);
  const c = allocate(r, p.shape ?? [M, N]);
  const sums = p.rowSum ? allocate(r, [M]) : undefined;
  const strideA = batch?.eachA ? M * K : 0;
  const strideB = batch?.eachB ? K * N : 0;
  const rowSum = sums !== undefined;
  // An operand without numbers has not even one vector of four.
  const fours = (...n: number[]) => K > 0 && n.every((x) => x % 4 === 0);

  /** One dispatch; into `partials` of `kPerSplit` numbers of K each where it is split. */
  const record = (
    r: Recording,
    by: "registers" | "quads" | "shared",
    tile: number,
    partials?: Value,
    kPerSplit = K,
  ) => {
    const last = partials ? "none" : activation;
    const product = {
      transposeA,
      transposeB,
      bias: bias !== undefined && !partials,
      activation: last === "relu" ? ("none" as const) : last,
      rowSum,
      split: partials !== undefined,
    };
    const vectors = {
      vectorA: fours(transposeA ? M : K, lda, strideA),
      vectorB: fours(transposeB ? K : N, ldb, strideB),
      // Where K counts examples it may be anything, and must not compile another kernel.
      tail: transposeA && !transposeB ? by === "quads" : K % 4 !== 0,
    };
    // Spread last, here and in the other kernels: properties written behind a spread cost V8 a microsecond each.
    const kernel =
      by === "shared"
        ? shared({ side: tile, ...product })
        : by === "quads"
          ? quads({ rows: tile, ...vectors, ...product })
          : registers({ tile, ...vectors, ...product });
    // Of quads a workgroup's threads are four to a tile, which is as wide as it is high by two.
    const tiles = Math.ceil(M / tile) * Math.ceil(N / (by === "quads" ? 2 * tile : tile));
    const groups = grid(by === "quads" ? QUAD * tiles : tiles, { registers: THREADS, quads: QUAD, shared: 1 }[by]);
    r.dispatch({
      kernel,
      reads: [p.a.slot, p.b.slot, ...(bias && !partials ? [bias.slot] : [])],
      writes: partials ? [partials.slot] : [c.slot, ...(sums ? [sums.slot] : [])],
      params: [M, N, K, lda, ldb, strideA, strideB, kPerSplit, bits(last === "relu" ? 0 : Number.NEGATIVE_INFINITY)],
      grid: [groups[0], groups[1], partials ? Math.max(1, Math.ceil(K / kPerSplit)) : (batch?.size ?? 1)],
    });
  };
  const split = (r: Recording, by: "registers" | "shared", tile: number) => {
    // Enough workgroups for a large device, but no part of K shorter than what is worth a second pass.
    const groups = by === "shared" ? tilesOf(tile, M, N) : tilesOf(tile, M, N) / THREADS;
    const wanted = Math.min(Math.ceil(128 / groups), Math.ceil(K / 128), 64);
    const kPerSplit = Math.max(DEPTH, Math.ceil(K / wanted / DEPTH) * DEPTH);
    const number = Math.max(1, Math.ceil(K / kPerSplit));
    const extra = rowSum ? M : 0;
    const partials = allocate(r, [number, M * N + extra]);
    record(r, by, tile, partials, kPerSplit);
    addPartials(r, { partials, number, extra, y: c, z: sums, bias, activation });
  };
  const side = M > 32 && N > 32 ? 64 : 32;
  const variants = {
    registers8: (r: Recording) => record(r, "registers", 8),
    registers4: (r: Recording) => record(r, "registers", 4),
    ...(r.features.has("subgroups")
      ? { quads: (r: Recording) => record(r, "quads", 8), quads16: (r: Recording) => record(r, "quads", 16) }
      : {}),
    shared64: (r: Recording) => record(r, "shared", 64),
    shared32: (r: Recording) => record(r, "shared", 32),
    ...(batch
      ? {}
      : {
          splitKRegisters: (r: Recording) => split(r, "registers", 8),
          splitKShared: (r: Recording) => split(r, "shared", side),
        }),
  };
  // Sizes that count examples are not looked at, so that a smaller last batch compiles nothing.
  const size = (name: "M" | "N" | "K", n: number) => (p.examples === name ? "*" : 2 ** Math.ceil(Math.log2(n || 1)));
  const [m, n, k] = [size("M", M), size("N", N), size("K", K)];
  // A tile of 8 × 8 reads half as much for a product as one of 4 × 4, which keeps more of a small matrix's threads busy.
  const small = (m !== "*" && M < 16) || N < 16 || (k !== "*" && K < 16 && N <= 256);
  const narrow = (m !== "*" && M <= 32) || N <= 32;
  const forGpu = p.examples === "K" ? "splitKShared" : small ? "registers4" : narrow ? "shared32" : "shared64";
  r.choose("matmul", `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"} ${m}×${n}×${k}`, variants, {
    software: small ? "registers4" : "quads" in variants ? "quads16" : "registers8",
    integrated: forGpu,
    discrete: forGpu,
  });
  return { c, sums };
}

/**
 * y = op(a) · op(b) for matrices [M, K] · [K, N], or for as many pairs of them: [B, M, K] · [B, K, N].
 * da = dy · bᵀ, db = aᵀ · dy, with the operands' own transpositions.
 */
export const matmul: Op<{ transposeA?: boolean; transposeB?: boolean }> = (r, [a, b], options) => {
  const { transposeA = false, transposeB = false } = options;
  expectFloat("matmul", "a", a!);
  expectFloat("matmul", "b", b!);
  const rank = a!.shape.length;
  expect(
    (rank === 2 || rank === 3) && b!.shape.length === rank && (rank === 2 || a!.shape[0] === b!.shape[0]),
    "matmul",
    () => `expected matrices or equally many of them, found a ${show(a!)} and b ${show(b!)}.`,
  );
  const [rowsA, columnsA] = a!.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b!.shape.slice(-2) as [number, number];
  const [M, K] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [K2, N] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  expect(K === K2, "matmul", () => {
    const other = transposeB ? rowsB : columnsB;
    const hint = K === other ? ` Did you mean transposeB: ${!transposeB}?` : "";
    return `inner sizes differ: a ${show(a!)}${transposeA ? "ᵀ" : ""} · b ${show(b!)}${transposeB ? "ᵀ" : ""} (${K} ≠ ${K2}).${hint}`;
  });
  const size = rank === 3 ? a!.shape[0]! : 1;
  const most = r.limits.maxComputeWorkgroupsPerDimension;
  expect(
    size <= most,
    "matmul",
    () => `a ${show(a!)} has ${size} matrices, the device takes ${most} at once. Split it.`,
  );
  interface Product {
    sizes: [M: number, N: number, K: number];
    transposeA: boolean;
    transposeB: boolean;
  }
  const product = (a: Value, b: Value, { sizes: [M, N, K], transposeA, transposeB }: Product) =>
    matrixProduct(r, {
      a,
      b,
      M,
      N,
      K,
      transposeA,
      transposeB,
      ...(rank === 3 ? { batch: { size, eachA: true, eachB: true }, shape: [size, M, N] } : {}),
    }).c;
  return {
    outputs: [product(a!, b!, { sizes: [M, N, K], transposeA, transposeB })],
    backward: ([dy], needs) => [
      !needs[0]
        ? undefined
        : transposeA
          ? product(b!, dy!, { sizes: [K, M, N], transposeA: transposeB, transposeB: true })
          : product(dy!, b!, { sizes: [M, K, N], transposeA: false, transposeB: !transposeB }),
      !needs[1]
        ? undefined
        : transposeB
          ? product(dy!, a!, { sizes: [N, K, M], transposeA: true, transposeB: transposeA })
          : product(a!, dy!, { sizes: [K, N, M], transposeA: !transposeA, transposeB: false }),
    ],
  };
};
