import { type Dispatch, type Kernel, type Recording, wgsl } from "../gpu/index.ts";
import { grid } from "./op.ts";
import { nanTest, sumInRuns } from "./snippets.ts";

/*
 * Work on the rows of [N, D], in two variants: a thread takes a row (`serial`), or the 64 threads of a workgroup do (`workgroup`),
 * each every 64th number of it, and what they found is joined pairwise. On a GPU neighboring threads then read neighboring
 * numbers; on devices that compute on the CPU barriers are dear.
 */

export interface RowVariant extends Record<string, number | boolean> {
  /** Threads that share a row. */
  rowThreads: 1 | 64;
}
/** Threads of a workgroup whose rows are their own. */
const ROWS = 16;
/** The longest row that a thread takes by default (rounding errors grow with its length), and a GPU's. */
const SERIAL = { software: 4096, gpu: 32 };

/** Threads of a workgroup. */
export const threads = ({ rowThreads }: RowVariant): number => (rowThreads === 1 ? ROWS : rowThreads);

/**
 * WGSL: `rowOf(groupIndex(group), thread)`, the row of a thread; `firstOf(thread)`, the first number of it that the thread takes,
 * others follow ROW_THREADS apart; `sumOfThreads(first, x)`, what all threads of a row found, added up, known to each of them.
 */
export const rowHooks = (v: RowVariant): string => wgsl`
const ROW_THREADS = ${v.rowThreads}u;
#if ${v.rowThreads === 1}
fn rowOf(group: u32, thread: u32) -> u32 { return group * ${ROWS} + thread; }
fn firstOf(thread: u32) -> u32 { return 0; }
#else
fn rowOf(group: u32, thread: u32) -> u32 { return group; }
fn firstOf(thread: u32) -> u32 { return thread; }
var<workgroup> found: array<f32, ROW_THREADS>;
#endif
fn plus(a: f32, b: f32) -> f32 { return a + b; }
${joined(v, "sumOfThreads", "plus")}`;

/** WGSL: a function of what each thread found, joined pairwise by another. */
const joined = ({ rowThreads }: RowVariant, name: string, join: string): string => wgsl`
#if ${rowThreads === 1}
fn ${name}(first: u32, x: f32) -> f32 { return x; }
#else
fn ${name}(thread: u32, x: f32) -> f32 {
  found[thread] = x;
  for (var half = ROW_THREADS / 2; half > 0; half /= 2) {
    workgroupBarrier();
    if (thread < half) { found[thread] = ${join}(found[thread], found[thread + half]); }
  }
  let all = workgroupUniformLoad(&found[0]);
  workgroupBarrier();
  return all;
}
#endif`;

/** WGSL: adds up what a thread has of a row of numbers 0 … `end`, in runs; as `sumInRuns`. */
export const sumOfRow = (
  { rowThreads }: RowVariant,
  terms: Readonly<Record<string, string>>,
  end: string,
  before = "",
): string => sumInRuns(terms, { first: "first", end, step: rowThreads, before });

/**
 * WGSL over a row of logits x[row · A …]: its largest (NaN where it has one), and what is to be subtracted from a logit to
 * get its logarithm of probability, in two parts, `logP = (logit − t.x) − t.y`: a large logit would swallow the digits of
 * their sum.
 */
export const rowStatistics = (v: RowVariant, arrays: readonly string[] = ["x"]): string => wgsl`
${rowHooks(v)}
${nanTest}
fn isNotFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u; }
fn notFinite(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn larger(a: f32, b: f32) -> f32 { return select(a, b, isNaN(b) || (!isNaN(a) && b > a)); }
// A class that only the GPU knows cannot be refused: of one that there is not, all that follows is NaN.
fn knownOnly(total: vec2f, id: u32) -> vec2f {
  return vec2f(total.x, select(notFinite(f32(id)), total.y, id < params.A));
}
// e^x, which may lose NaN.
fn power(x: f32) -> f32 { return select(exp(x), x, isNaN(x)); }
${joined(v, "largestOfThreads", "larger")}
#unroll x in [${arrays}]
fn largest_$x(row: u32, first: u32) -> f32 {
  // A thread behind the end repeats the last number.
  var top = $x[row * params.A + min(first, params.A - 1)];
  for (var j = first + ROW_THREADS; j < params.A; j += ROW_THREADS) { top = larger(top, $x[row * params.A + j]); }
  return largestOfThreads(first, top);
}
fn logSumExp_$x(row: u32, first: u32) -> vec2f {
  let top = largest_$x(row, first);
  var sum = 0.0;
  ${sumOfRow(v, { sum: "exp($x[row * params.A + j] - top)" }, "params.A")}
  // NaN, or an infinity, as the largest: ∞ − ∞ is no number, and exp may lose that.
  let total = sumOfThreads(first, sum);
  return vec2f(top, select(log(total), notFinite(top), isNotFinite(top)));
}
#end`;

/** Records work on N rows of D by one of its two variants. */
export function chooseRows(
  r: Recording,
  family: string,
  { N, D }: { N: number; D: number },
  kernelOf: (variant: RowVariant) => Kernel,
  work: Omit<Dispatch, "kernel" | "grid">,
): void {
  const by = (rowThreads: 1 | 64) => (r: Recording) =>
    r.dispatch({ kernel: kernelOf({ rowThreads }), grid: grid(N, rowThreads === 1 ? ROWS : 1), ...work });
  const variant = (longest: number) => (D <= longest ? "serial" : "workgroup");
  r.choose(
    family,
    `D ${2 ** Math.ceil(Math.log2(D))}`,
    { serial: by(1), workgroup: by(64) },
    { software: variant(SERIAL.software), integrated: variant(SERIAL.gpu), discrete: variant(SERIAL.gpu) },
  );
}
