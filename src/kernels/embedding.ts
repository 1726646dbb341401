import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { count, expect, expectFloat, expectRank, fresh, grid, type Op, onHost, RUN, show, type Value } from "./op.ts";

/*
 * y [..., D] = w[ids] for ids of any shape in 0 … V − 1 and w [V, D].
 * dw[v] = Σ dy over the places where v occurs; 0 for `paddingIdx`, whose row is read but not learned.
 *
 * The gradient brings the places of each id together, in their order, so that every sum has one order; then it sums them.
 * No atomics, and no thread looks at ids that are not its own. A device of many lanes sorts the places by id; one that
 * computes on the CPU chains them, one lane alone.
 */

/** A thread copies `width` neighbouring numbers of a row, 4 where D is a multiple of it. */
const forward = kernel(
  "embedding",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Sizes { n: u32, V: u32, D: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> w: array<Numbers>;
@group(0) @binding(2) var<storage, read_write> y: array<Numbers>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  let across = s.D / ${width};
  if (at >= s.n * across) { return; }
  let id = ids[at / across];
  // An id that only the GPU knows cannot be refused: NaN is how it shows. (s.n is never 0 here.)
  let unknown = Numbers(bitcast<f32>(0x7fc00000u * min(s.n, 1u)));
  y[at] = select(unknown, w[min(id, s.V - 1) * across + at % across], id < s.V);
}`,
);

/**
 * Radix sort of the places 0 … n − 1 by their ids, 4 bits a pass, in one workgroup: each lane counts the 16 digits in
 * its stretch, a running sum over (digit, lane) tells where each lane's next place of a digit goes, each lane moves its
 * places in order.
 */
const sort = kernel(
  "embedding.sort",
  ({ lanes }: { lanes: number }) => wgsl`
struct Sizes { n: u32, V: u32, passes: u32 }
@group(0) @binding(0) var<storage, read> ids: array<u32>;
// The last pass leaves the places in the first n numbers, and their ids in the n after those.
@group(0) @binding(1) var<storage, read_write> sorted: array<u32>;
@group(0) @binding(2) var<storage, read_write> between: array<u32>;
// 1 + where each id's stretch begins; 0 for ids that do not occur.
@group(0) @binding(3) var<storage, read_write> heads: array<u32>;
@group(0) @binding(4) var<uniform> s: Sizes;

var<workgroup> counts: array<u32, ${16 * lanes}>;
var<workgroup> sums: array<u32, ${lanes}>;

fn place(i: u32, turn: u32) -> u32 {
  return select(select(sorted[i], between[i], (s.passes - turn) % 2 == 1), i, turn == 0);
}

@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  let stretch = (s.n + ${lanes - 1}) / ${lanes};
  let first = min(lane * stretch, s.n);
  let last = min(first + stretch, s.n);
  for (var v = lane; v < s.V; v += ${lanes}) { heads[v] = 0; }
  for (var turn = 0u; turn < s.passes; turn++) {
    let shift = 4 * turn;
    for (var d = 0u; d < 16; d++) { counts[d * ${lanes} + lane] = 0; }
    for (var i = first; i < last; i++) { counts[((min(ids[place(i, turn)], s.V) >> shift) & 15) * ${lanes} + lane]++; }
    workgroupBarrier();
    // The running sum: each lane over 16 counts in a row, then over the lanes' totals.
    var total = 0u;
    for (var c = 0u; c < 16; c++) { total += counts[lane * 16 + c]; }
    sums[lane] = total;
    workgroupBarrier();
    if (lane == 0) {
      var before = 0u;
      for (var l = 0u; l < ${lanes}; l++) { let own = sums[l]; sums[l] = before; before += own; }
    }
    workgroupBarrier();
    var next = sums[lane];
    for (var c = 0u; c < 16; c++) {
      let n = counts[lane * 16 + c];
      counts[lane * 16 + c] = next;
      next += n;
    }
    workgroupBarrier();
    for (var i = first; i < last; i++) {
      let p = place(i, turn);
      let id = min(ids[p], s.V);
      let to = &counts[((id >> shift) & 15) * ${lanes} + lane];
      if ((s.passes - turn) % 2 == 1) {
        sorted[*to] = p;
        if (turn == s.passes - 1) { sorted[s.n + *to] = id; }
      } else {
        between[*to] = p;
      }
      *to++;
    }
    workgroupBarrier();
    storageBarrier();
  }
  for (var i = first; i < last; i++) {
    let id = sorted[s.n + i];
    if (id < s.V && (i == 0 || sorted[s.n + max(i, 1) - 1] != id)) { heads[id] = i + 1; }
  }
}`,
);

/** WGSL: a word may occur often, and rounding errors are to grow with a run, not with how often. */
const endOfRun = (added: string) => `if ((${added}) % ${RUN} == 0) { sum += run; run = Numbers(); }`;

/** A thread sums `width` neighbouring numbers of one id's row, 4 where D is a multiple of it. */
const sumStretches = kernel(
  "embedding.backward",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Sizes { n: u32, V: u32, D: u32, padding: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(0) var<storage, read> sorted: array<u32>;
@group(0) @binding(1) var<storage, read> heads: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<Numbers>;
@group(0) @binding(3) var<storage, read_write> dw: array<Numbers>;
@group(0) @binding(4) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  let across = s.D / ${width};
  if (at >= s.V * across) { return; }
  let v = at / across;
  let d = at % across;
  var sum = Numbers();
  let head = select(heads[v], 0u, v == s.padding);
  if (head > 0) {
    var run = Numbers();
    for (var i = head - 1; i < s.n && sorted[s.n + i] == v; i++) {
      run += dy[sorted[i] * across + d];
      ${endOfRun("i - head + 2")}
    }
    sum += run;
  }
  dw[at] = sum;
}`,
);

/**
 * One lane goes through the places from the last to the first: heads[v] becomes 1 + the first place of v, next[i] 1 + the
 * following place of the same id, or 0. Nothing is cleared before: what memory held is told from a head by the id there.
 */
const chain = kernel(
  "embedding.chain",
  () => wgsl`
struct Sizes { n: u32, V: u32 }
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read_write> next: array<u32>;
@group(0) @binding(2) var<storage, read_write> heads: array<u32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(1)
fn main() {
  for (var i = s.n; i > 0; i--) {
    let id = ids[i - 1];
    if (id >= s.V) { continue; }
    let head = heads[id];
    let follows = head > i && head <= s.n && ids[min(head, s.n) - 1] == id;
    next[i - 1] = select(0u, head, follows);
    heads[id] = i;
  }
}`,
);

/** As sumStretches, along the chains. */
const sumChains = kernel(
  "embedding.backwardChains",
  ({ width }: { width: 1 | 4 }) => wgsl`
struct Sizes { n: u32, V: u32, D: u32, padding: u32 }
alias Numbers = ${width === 4 ? "vec4f" : "f32"};
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> next: array<u32>;
@group(0) @binding(2) var<storage, read> heads: array<u32>;
@group(0) @binding(3) var<storage, read> dy: array<Numbers>;
@group(0) @binding(4) var<storage, read_write> dw: array<Numbers>;
@group(0) @binding(5) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  let across = s.D / ${width};
  if (at >= s.V * across) { return; }
  let v = at / across;
  let d = at % across;
  var sum = Numbers();
  let head = heads[v];
  if (v != s.padding && head - 1 < s.n && ids[min(head - 1, s.n - 1)] == v) {
    var run = Numbers();
    var added = 0u;
    for (var i = head; i > 0; i = next[i - 1]) {
      run += dy[(i - 1) * across + d];
      added++;
      ${endOfRun("added")}
    }
    sum += run;
  }
  dw[at] = sum;
}`,
);

/** Checks ids that the host knows. */
export function expectIds(op: string, name: string, ids: Value, V: number): void {
  expect(
    ids.dtype !== "f32",
    op,
    () => `${name} ${show(ids)} is f32, expected i32 or u32. Use engine.tensor(data, shape, "i32").`,
  );
  const known = onHost(ids);
  const bad = known?.findIndex((id) => id < 0 || id >= V) ?? -1;
  expect(bad < 0, op, () => `${name}[${bad}] is ${known![bad]}, expected 0 … ${V - 1}.`);
}

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
  const y = fresh(r, [...ids!.shape, D]);
  // An operand without numbers has not even one vector of four.
  const width = n > 0 && V > 0 && D > 0 && D % 4 === 0 ? 4 : 1;
  r.dispatch({
    kernel: forward({ width }),
    reads: [ids!.slot, w!.slot],
    writes: [y.slot],
    sizes: [n, V, D],
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
  const heads = fresh(r, [V], "u32");
  const dw = fresh(r, [V, D]);
  const sizes = [n, V, D, paddingIdx];
  const sorting = (lanes: number) => (r: Recording) => {
    const sorted = fresh(r, [2, n], "u32");
    const between = fresh(r, [n], "u32");
    r.dispatch({
      kernel: sort({ lanes }),
      reads: [ids.slot],
      writes: [sorted.slot, between.slot, heads.slot],
      sizes: [n, V, Math.ceil(Math.log2(V + 1) / 4)],
      grid: [1, 1, 1],
    });
    r.dispatch({
      kernel: sumStretches({ width }),
      reads: [sorted.slot, heads.slot, dy.slot],
      writes: [dw.slot],
      sizes,
      grid: grid((V * D) / width, 64),
    });
  };
  const chaining = (r: Recording) => {
    const next = fresh(r, [n], "u32");
    r.dispatch({
      kernel: chain({}),
      reads: [ids.slot],
      writes: [next.slot, heads.slot],
      sizes: [n, V],
      grid: [1, 1, 1],
    });
    r.dispatch({
      kernel: sumChains({ width }),
      reads: [ids.slot, next.slot, heads.slot, dy.slot],
      writes: [dw.slot],
      sizes,
      grid: grid((V * D) / width, 64),
    });
  };
  const forGpu = n <= 4096 ? "lanes64" : "lanes128";
  const ways = { chain: chaining, lanes64: sorting(64), lanes128: sorting(128) };
  r.choose("embedding.backward", `${2 ** Math.ceil(Math.log2(n || 1))}`, ways, {
    software: "chain",
    integrated: forGpu,
    discrete: forGpu,
  });
  return dw;
}
