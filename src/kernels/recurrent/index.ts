import { type Dispatch, type Kernel, kernel, type Recording } from "../../gpu/index.ts";
import { expect, expectFloat, expectRank, onHost, show } from "../checks.ts";
import { concat } from "../concat.ts";
import { stridedCopy } from "../layout.ts";
import { matrixProduct } from "../matmul/index.ts";
import { allocate, grid, type Op, type Value } from "../op.ts";
import { withinLengths } from "../withinLengths.ts";
import { type Cell, type CellName, cells } from "./cells.ts";
import * as quads from "./quads.ts";
import * as shared from "./shared.ts";
import * as storage from "./storage.ts";

/*
 * Recurrences over a sequence x [N, T, I]: the GRU, the LSTM and the plain network of cells.ts, where the equations are.
 * output [N, T, H] holds h after each time (0 from `lengths[n]` on), hidden [N, H] the last one of each example. An
 * example's state does not change from its length on, so padding never changes a result. `reverse` reads from its end.
 *
 * Wᵢ x + bᵢ is one matrix product over all times. The recurrence is one dispatch each way, whatever T is: a workgroup
 * takes some examples through all of their steps. What the way back needs lies in `state` [N, T + 1, S·H], in the order
 * of steps: the state before the step, h first, then what the cell keeps of it.
 *
 * There are up to five variants. Four pass the state on through storage:
 *   rows8   8 examples a workgroup and a thread: the fewest reads (storage.ts)
 *   quads   the same, where four neighboring threads tell each other what they read (quads.ts)
 *   rows4   8 examples a workgroup, 4 a thread: for GPUs, where `shared` does not do (storage.ts)
 *   barrierFree  a thread computes all units of its 4 examples, without barriers: by tuning alone (storage.ts)
 * and one, `shared`, through workgroup memory (shared.ts), for GPUs; cells with one product a step, up to 512 units.
 */

const kernelsOf = (cell: Cell) => {
  const back = `${cell.name}.backward`;
  return {
    storage: {
      forward: kernel(cell.name, (v: Parameters<typeof storage.forward>[1]) => storage.forward(cell, v)),
      backward: kernel(back, (v: Parameters<typeof storage.backward>[1]) => storage.backward(cell, v)),
    },
    quads: {
      forward: kernel(cell.name, (v: Parameters<typeof quads.forward>[1]) => quads.forward(cell, v)),
      backward: kernel(back, (v: Parameters<typeof quads.backward>[1]) => quads.backward(cell, v)),
    },
    shared: {
      forward: kernel(`${cell.name}.shared`, (v: Parameters<typeof shared.forward>[1]) => shared.forward(cell, v)),
      backward: kernel(`${back}.shared`, (v: Parameters<typeof shared.backward>[1]) => shared.backward(cell, v)),
    },
  };
};
const kernels = {
  gru: kernelsOf(cells.gru),
  gruBefore: kernelsOf(cells.gruBefore),
  lstm: kernelsOf(cells.lstm),
  tanh: kernelsOf(cells.tanh),
  relu: kernelsOf(cells.relu),
};

/** Records a recurrence by one of its variants. */
function choose(
  r: Recording,
  name: string,
  { cell, N, H }: { cell: Cell; N: number; H: number },
  kernelBy: {
    storage: (variant: storage.Storage) => Kernel;
    quads: () => Kernel;
    shared: (variant: shared.Shared) => Kernel;
  },
  work: Omit<Dispatch, "kernel" | "grid">,
): void {
  const record = (kernel: () => Kernel, examples: number) => (r: Recording) =>
    r.dispatch({ kernel: kernel(), grid: grid(N, examples), ...work });
  const fitted = shared.fitted(cell, H);
  const throughStorage = (variant: storage.Storage) => record(() => kernelBy.storage(variant), variant.examples);
  const variants = {
    rows8: throughStorage(storage.variants.rows8),
    ...(r.features.has("subgroups") ? { quads: record(kernelBy.quads, quads.EXAMPLES) } : {}),
    rows4: throughStorage(storage.variants.rows4),
    barrierFree: throughStorage(storage.variants.barrierFree),
    ...(fitted ? { shared: record(() => kernelBy.shared(fitted), fitted.examples) } : {}),
  };
  const forGpu = fitted ? "shared" : "rows4";
  r.choose(name, `H ${H}`, variants, {
    software: "quads" in variants ? "quads" : "rows8",
    integrated: forGpu,
    discrete: forGpu,
  });
}

export interface RecurrentOptions {
  cell: CellName;
  /** Read each example from its end to its beginning. */
  reverse?: boolean | undefined;
}

/**
 * Inputs: x, w_ih, w_hh, b_ih, b_hh, lengths [N] (optional), h0 [N, H] (optional; of an lstm [2, N, H]: h0, then c0).
 * Outputs: output [N, T, H], hidden [N, H] ([2, N, H]: h, then c).
 */
export const recurrent: Op<RecurrentOptions> = (r, [x, wih, whh, bih, bhh, lengths, h0], { cell, reverse = false }) => {
  const one = cells[cell];
  const { name } = one;
  const [gates, carried, kept] = [one.gates.length, one.carried.length, one.carried.length + one.kept.length];
  const op = name.split(".")[0]!;
  expectFloat(op, "x", x!);
  expectRank(op, "x", x!, 3, "[N, T, I]");
  const [N, T, I] = x!.shape as [number, number, number];
  expectRank(op, "w_hh", whh!, 2, gates === 1 ? "[H, H]" : `[${gates}H, H]`);
  const H = whh!.shape[1]!;
  const G = gates * H;
  const hiddenShape = carried === 1 ? [N, H] : [carried, N, H];
  for (const [input, value, shape] of [
    ["w_ih", wih!, [G, I]],
    ["w_hh", whh!, [G, H]],
    ["b_ih", bih, [G]],
    ["b_hh", bhh, [G]],
    ["h0", h0, hiddenShape],
  ] as const) {
    if (!value) continue;
    expectFloat(op, input, value);
    expect(
      show(value) === show(shape),
      op,
      () => `${input} is ${show(value)}, expected ${show(shape)} as x is ${show(x!)} and w_hh ${show(whh!)}.`,
    );
  }
  expect(
    (bih === undefined) === (bhh === undefined),
    op,
    () => "one bias is given and the other is not: give both or none.",
  );
  expect(T > 0, op, () => `x ${show(x!)} has no time steps, expected at least 1.`);
  expectLengths(op, lengths, N, T);
  const by = kernels[cell];
  const gx = matrixProduct(r, {
    a: x!,
    b: wih!,
    M: N * T,
    N: G,
    K: I,
    transposeB: true,
    bias: bih,
    examples: "M",
    shape: [N, T, G],
  }).c;
  const state = allocate(r, [N, T + 1, kept * H]);
  const output = allocate(r, [N, T, H]);
  const hidden = allocate(r, hiddenShape);
  const perExample = lengths ? [lengths.slot] : [];
  const vector = H % 4 === 0;
  const common = { lengths: lengths !== undefined, reverse };
  const inputs = { bias: bhh !== undefined, h0: h0 !== undefined };
  choose(
    r,
    name,
    { cell: one, N, H },
    {
      storage: (variant) => by.storage.forward({ vector, ...common, ...inputs, ...variant }),
      quads: () => by.quads.forward({ vector, ...common, ...inputs }),
      shared: (variant) => by.shared.forward({ vector, ...common, ...inputs, ...variant }),
    },
    {
      reads: [gx.slot, whh!.slot, ...(bhh ? [bhh.slot] : []), ...perExample, ...(h0 ? [h0.slot] : [])],
      writes: [state.slot, output.slot, hidden.slot],
      params: [N, T, H],
    },
  );
  return {
    outputs: [output, hidden],
    backward: ([dy, dhidden], needs) => {
      // Of Wᵢ x + bᵢ, by time; of Wₕ h + bₕ, by step, with a row of zeros at the end to match `state`; of the first state.
      const dgx = allocate(r, [N, T, G]);
      const dgh = allocate(r, [N, T + 1, G]);
      const dh = allocate(r, hiddenShape);
      const given = { dy: dy !== undefined, dhidden: dhidden !== undefined };
      choose(
        r,
        `${name}.backward`,
        { cell: one, N, H },
        {
          storage: (variant) => by.storage.backward({ vector, ...common, ...given, ...variant }),
          quads: () => by.quads.backward({ vector, ...common, ...given }),
          shared: (variant) => by.shared.backward({ ...common, ...given, ...variant }),
        },
        {
          reads: [state.slot, whh!.slot, ...perExample, ...(dy ? [dy.slot] : []), ...(dhidden ? [dhidden.slot] : [])],
          writes: [dgx.slot, dgh.slot, dh.slot],
          params: [N, T, H],
        },
      );
      // In steps of S·H through `state`, h alone is what Wₕ was multiplied with.
      const input = weightGradient(r, dgx, lengths ? withinLengths(r, x!, lengths) : x!, {
        rows: N * T,
        inputs: I,
        outputs: G,
        ldb: I,
      });
      const product = weightGradient(r, dgh, state, { rows: N * (T + 1), inputs: H, outputs: G, ldb: kept * H });
      return [
        needs[0]
          ? matrixProduct(r, { a: dgx, b: wih!, M: N * T, N: I, K: G, shape: x!.shape, examples: "M" }).c
          : undefined,
        input.c,
        cell === "gruBefore" ? withReset(r, product.c, dgh, state, H) : product.c,
        input.sums,
        product.sums,
        undefined,
        needs[6] ? dh : undefined,
      ];
    },
  };
};

/** The last H rows of dw_hh come from r ⊙ h, which is what Wₕₙ was multiplied with, instead of from h. */
function withReset(r: Recording, dw: Value, dgh: Value, state: Value, H: number): Value {
  const rows = state.shape[0]! * state.shape[1]!;
  const kept = stridedCopy(r, state, [rows, H], [5 * H, 1], 4 * H);
  const reset = weightGradient(r, dgh, kept, { rows, inputs: H, outputs: 3 * H, ldb: H }).c;
  const first = stridedCopy(r, dw, [2 * H, H], [H, 1]);
  const last = stridedCopy(r, reset, [H, H], [H, 1], 2 * H * H);
  return concat(r, [first, last], { axis: 0 }).outputs[0]!;
}

/** dw = dyᵀ · x and db = Σ dy over all rows at once. */
const weightGradient = (
  r: Recording,
  dy: Value,
  x: Value,
  { rows, inputs, outputs, ldb }: { rows: number; inputs: number; outputs: number; ldb: number },
) =>
  matrixProduct(r, { a: dy, b: x, M: outputs, N: inputs, K: rows, transposeA: true, ldb, rowSum: true, examples: "K" });

/** Checks lengths that the host knows: 1 … T each, or 0 for an example without any step. */
function expectLengths(op: string, lengths: Value | undefined, N: number, T: number): void {
  if (!lengths) return;
  expect(
    lengths.dtype !== "f32" && show(lengths) === show([N]),
    op,
    () => `lengths is ${show(lengths)} ${lengths.dtype}, expected [${N}] i32.`,
  );
  const known = onHost(lengths);
  const bad = known?.findIndex((length) => length < 0 || length > T) ?? -1;
  expect(bad < 0, op, () => `lengths[${bad}] is ${known![bad]}, expected 0 … ${T}.`);
}
