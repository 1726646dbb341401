import { type Dispatch, type Kernel, type Recording, wgsl } from "../gpu/index.ts";
import { grid, notANumber, sumInRuns } from "./op.ts";

/*
 * Work on the rows of [N, D], in two ways: a thread takes a row (`alone`), or a workgroup's 64 lanes do (`shared`), each
 * every 64th number of it, and what they found is joined pairwise. On a GPU neighbouring lanes then read neighbouring
 * numbers; on devices that compute on the CPU barriers are dear.
 */

/** Lanes that share a row. */
export interface RowWay extends Record<string, number | boolean> {
  lanes: 1 | 64;
}
/** Threads of a workgroup whose rows are their own. */
const ROWS = 16;
/** The longest row that a CPU's thread takes alone by default (rounding errors grow with its length), and a GPU's. */
const ALONE = { software: 4096, gpu: 32 };

export const threads = ({ lanes }: RowWay): number => (lanes === 1 ? ROWS : lanes);

/** WGSL: the row of this `thread`, and its lane in it. */
export const rowOf = ({ lanes }: RowWay): string =>
  lanes === 1
    ? /* wgsl */ `let row = (group.x + group.y * groups.x) * ${ROWS} + thread; let lane = 0u;`
    : /* wgsl */ `let row = group.x + group.y * groups.x; let lane = thread;`;

const ofLanes = ({ lanes }: RowWay, name: string, join: (a: string, b: string) => string): string => wgsl`
#if ${lanes === 1}
fn ${name}(lane: u32, x: f32) -> f32 { return x; }
#else
fn ${name}(lane: u32, x: f32) -> f32 {
  found[lane] = x;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { found[lane] = ${join("found[lane]", "found[lane + half]")}; }
  }
  let all = workgroupUniformLoad(&found[0]);
  workgroupBarrier();
  return all;
}
#endif`;

/** WGSL: what all lanes of a row found, added up. */
export const sumOfLanes = (way: RowWay): string => wgsl`
${way.lanes === 1 ? "" : `var<workgroup> found: array<f32, ${way.lanes}>;`}
${ofLanes(way, "sumOfLanes", (a, b) => `${a} + ${b}`)}`;

/** WGSL: adds up what a lane has of a row of numbers 0 … `end`, in runs; as `sumInRuns`. */
export const sumOfRow = (
  { lanes }: RowWay,
  terms: Readonly<Record<string, string>>,
  end: string,
  before = "",
): string => sumInRuns(terms, { first: "lane", end, step: lanes, before });

/**
 * WGSL over a row of logits x[row · A …]: its largest (NaN where it has one), and what is to be subtracted from a logit to
 * get its logarithm of probability, in two parts, `logP = (logit − t.x) − t.y`: a large logit would swallow the digits of
 * their sum.
 */
export const rowStatistics = (way: RowWay, arrays: readonly string[] = ["x"]): string => wgsl`
${sumOfLanes(way)}
fn isNaN(x: f32) -> bool { return ${notANumber("x")}; }
fn isNotFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u; }
fn notFinite(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn larger(a: f32, b: f32) -> f32 { return select(a, b, isNaN(b) || (!isNaN(a) && b > a)); }
// e^x, which may lose NaN.
fn power(x: f32) -> f32 { return select(exp(x), x, isNaN(x)); }
${ofLanes(way, "largestOfLanes", (a, b) => `larger(${a}, ${b})`)}
${arrays.map((x) => statisticsOf(way, x)).join("\n")}`;

const statisticsOf = (way: RowWay, x: string): string => /* wgsl */ `
fn largest_${x}(row: u32, lane: u32) -> f32 {
  // A lane behind the end repeats the last number.
  var top = ${x}[row * s.A + min(lane, s.A - 1)];
  for (var j = lane + ${way.lanes}; j < s.A; j += ${way.lanes}) { top = larger(top, ${x}[row * s.A + j]); }
  return largestOfLanes(lane, top);
}
fn logSumExp_${x}(row: u32, lane: u32) -> vec2f {
  let top = largest_${x}(row, lane);
  var sum = 0.0;
  ${sumOfRow(way, { sum: `exp(${x}[row * s.A + j] - top)` }, "s.A")}
  // NaN, or an infinity, as the largest: ∞ − ∞ is no number, and exp may lose that.
  let total = sumOfLanes(lane, sum);
  return vec2f(top, select(log(total), notFinite(top), isNotFinite(top)));
}`;

/** Records work on N rows of D in one of its two ways. */
export function chooseRows(
  r: Recording,
  family: string,
  N: number,
  D: number,
  kernelOf: (way: RowWay) => Kernel,
  work: Omit<Dispatch, "kernel" | "grid">,
): void {
  const by = (lanes: 1 | 64) => (r: Recording) =>
    r.dispatch({ kernel: kernelOf({ lanes }), grid: grid(N, lanes === 1 ? ROWS : 1), ...work });
  const way = (longest: number) => (D <= longest ? "alone" : "shared");
  r.choose(
    family,
    `D ${2 ** Math.ceil(Math.log2(D))}`,
    { alone: by(1), shared: by(64) },
    { software: way(ALONE.software), integrated: way(ALONE.gpu), discrete: way(ALONE.gpu) },
  );
}
