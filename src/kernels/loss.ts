import { checkName } from "../check.ts";
import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { allocate, count, grid, type Recorded, type Value } from "./op.ts";
import { sumOver } from "./reduce.ts";

/**
 * mean divides by the number of rows (of a classification) or numbers (of a regression), and is NaN of none, as in PyTorch; none
 * keeps them apart.
 */
export type Reduction = (typeof reductions)[number];
const reductions = ["mean", "sum", "none"] as const;

export const checkReduction = (op: string, reduction: Reduction): void =>
  checkName(op, "reduction", reduction, reductions);

const scale = kernel(
  "loss.backward",
  () => wgsl`
struct Params { n: u32, each: u32 }
@group(0) @binding(_) var<storage, read> d: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at < params.n) { dx[at] = d[at] * dy[at / params.each]; }
}`,
);

export const rowScale = (reduction: Reduction, rows: number): number => (reduction === "mean" ? 1 / rows : 1);

interface LossExtras {
  /** Records the gradients with respect to the other inputs, where they are wanted. Default: there are none. */
  more?: (needs: readonly boolean[]) => (Value | undefined)[];
  /** The inputs that have no gradient (`Recorded`). Default: none. */
  constants?: NonNullable<Recorded["constants"]>;
}

/**
 * What loss kernels share: they write a loss a row (scaled by `rowScale`) and the gradient in the same pass; the rows
 * are then added up, and the gradient is ready unless something was computed from the loss.
 *
 * @param dx the gradient of the sum of `rows` with respect to the first input.
 */
export function reduceLoss(
  r: Recording,
  rows: Value,
  dx: Value,
  reduction: Reduction,
  { more = () => [], constants = {} }: LossExtras,
): Recorded {
  // The rows carry the mean's scale already, but where there are none: 0 / 0.
  const scaleOfSum = reduction === "mean" && count(rows.shape) === 0 ? Number.NaN : 1;
  const y = reduction === "none" ? rows : sumOver(r, rows, new Set(rows.shape.map((_, i) => i)), [], scaleOfSum);
  return {
    outputs: [y],
    constants,
    backward: ([dy], needs) => {
      const scaled = (dx: Value): Value => {
        if (dy!.one) return dx;
        const n = count(dx.shape);
        const d = allocate(r, dx.shape);
        const each = reduction === "none" ? n / count(rows.shape) : n;
        r.dispatch({
          kernel: scale({}),
          reads: [dx.slot, dy!.slot],
          writes: [d.slot],
          params: [n, each],
          grid: grid(n, 64),
        });
        return d;
      };
      return [needs[0] ? scaled(dx) : undefined, ...more(needs).map((d) => d && scaled(d))];
    },
  };
}
