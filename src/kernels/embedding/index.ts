import { kernel, type Recording, wgsl } from "../../gpu/index.ts";
import { expect, expectFloat, expectIds, expectRank, show } from "../checks.ts";
import { allocate, count, grid, type Op, type Value } from "../op.ts";
import { unknown } from "../snippets.ts";
import { link, sumLists } from "./linkedList.ts";
import { sort, sumStretches } from "./radixSort.ts";

/*
 * y [..., D] = w[ids] for ids of any shape in 0 … V − 1 and w [V, D].
 * dw[v] = Σ dy over the places where v occurs; 0 for `paddingIdx`, whose row is read but not learned.
 *
 * The gradient brings the places of each id together, in their order, so that every sum has one order; then it sums them.
 * No atomics, and no thread looks at ids that are not its own.
 *   linkedList               one thread links the places of each id (linkedList.ts)
 *   radixSort64, …128        a workgroup of 64 or 128 threads sorts the places by id (radixSort.ts)
 */

/** A thread copies `width` neighboring numbers of a row, 4 where D is a multiple of it. */
const forward = kernel(
  "embedding",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Params { n: u32, V: u32, D: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(_) var<storage, read> ids: array<u32>;
@group(0) @binding(_) var<storage, read> w: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> y: array<Numbers>;
@group(0) @binding(_) var<uniform> params: Params;
${unknown}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  let across = params.D / ${width};
  if (at >= params.n * across) { return; }
  let id = ids[at / across];
  y[at] = select(Numbers(unknown(params.n)), w[min(id, params.V - 1) * across + at % across], id < params.V);
}`,
);

/** @throws TypeError where ids are not whole numbers in range, or w is not [V, D]. */
export const embedding: Op<{ paddingIdx?: number | undefined }> = (r, [ids, w], { paddingIdx }) => {
  expectFloat("embedding", "w", w!);
  expectRank("embedding", "w", w!, 2, "[V, D]");
  const [V, D] = w!.shape as [number, number];
  expectIds("embedding", "ids", ids!, V);
  expect(
    paddingIdx === undefined || (Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < V),
    "embedding",
    () => `paddingIdx is ${paddingIdx}, expected 0 … ${V - 1} as w is ${show(w!)}.`,
  );
  const n = count(ids!.shape);
  const y = allocate(r, [...ids!.shape, D]);
  // An operand without numbers has not even one vector of four.
  const width = n > 0 && V > 0 && D > 0 && D % 4 === 0 ? 4 : 1;
  r.dispatch({
    kernel: forward({ width }),
    reads: [ids!.slot, w!.slot],
    writes: [y.slot],
    params: [n, V, D],
    grid: grid((n * D) / width, 64),
  });
  return { outputs: [y], backward: ([dy]) => [undefined, gradient(r, ids!, dy!, { n, V, D, width, paddingIdx })] };
};

function gradient(
  r: Recording,
  ids: Value,
  dy: Value,
  {
    n,
    V,
    D,
    width,
    paddingIdx = 0xffffffff,
  }: { n: number; V: number; D: number; width: 1 | 4; paddingIdx?: number | undefined },
): Value {
  const heads = allocate(r, [V], "u32");
  const dw = allocate(r, [V, D]);
  const params = [n, V, D, paddingIdx];
  const sorting = (threads: number) => (r: Recording) => {
    const sorted = allocate(r, [2, n], "u32");
    const between = allocate(r, [n], "u32");
    r.dispatch({
      kernel: sort({ threads }),
      reads: [ids.slot],
      writes: [sorted.slot, between.slot, heads.slot],
      params: [n, V, Math.ceil(Math.log2(V + 1) / 4)],
      grid: [1, 1, 1],
    });
    r.dispatch({
      kernel: sumStretches({ width }),
      reads: [sorted.slot, heads.slot, dy.slot],
      writes: [dw.slot],
      params,
      grid: grid((V * D) / width, 64),
    });
  };
  const linking = (r: Recording) => {
    const next = allocate(r, [n], "u32");
    r.dispatch({
      kernel: link({}),
      reads: [ids.slot],
      writes: [next.slot, heads.slot],
      params: [n, V],
      grid: [1, 1, 1],
    });
    r.dispatch({
      kernel: sumLists({ width }),
      reads: [ids.slot, next.slot, heads.slot, dy.slot],
      writes: [dw.slot],
      params,
      grid: grid((V * D) / width, 64),
    });
  };
  const forGpu = n <= 4096 ? "radixSort64" : "radixSort128";
  const variants = { linkedList: linking, radixSort64: sorting(64), radixSort128: sorting(128) };
  r.choose("embedding.backward", `${2 ** Math.ceil(Math.log2(n || 1))}`, variants, {
    software: "linkedList",
    integrated: forGpu,
    discrete: forGpu,
  });
  return dw;
}
