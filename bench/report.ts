import { arch, cpus, loadavg } from "node:os";
import type { Peak } from "./measure.ts";
import type { Row } from "./row.ts";
import type { Point } from "./scaling.ts";

/* What the reader gets: a line a row in the terminal, JSON, a page. */

/** A whole run, as it is kept in bench/results. */
export interface Report {
  date: string;
  adapter: string;
  /** Of the system over the last minute, before and after: above the number of processors others had their share. */
  load: [before: number, after: number];
  versions: Record<string, string>;
  processor: string;
  peak: Peak;
  rows: Row[];
  scaling: Point[];
}

export const load = (): number => Number(loadavg()[0]!.toFixed(2));
export const processor = (): string => `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${arch()}`;

const cell = (value: number | null, digits: number) => (value === null ? "" : value.toFixed(digits));

export const heading = `${"op".padEnd(20)} ${"shape".padEnd(56)} ${"ms".padStart(9)} ${"least".padStart(9)} ${"GFLOP/s".padStart(8)} ${"GB/s".padStart(6)} ${"of peak".padStart(8)} ${"dispatches".padStart(10)} submits buffers`;

export function line(row: Row): string {
  const { op, shape, msMedian, msMin, gflops, gbs, rooflineShare, dispatches, submits, buffers, error } = row;
  const what = `${op.padEnd(20)} ${shape.padEnd(56)}`;
  if (error) return `${what} error: ${error}`;
  const share = rooflineShare === null ? "" : `${(100 * rooflineShare).toFixed(1)} %`;
  return (
    `${what} ${cell(msMedian, 3).padStart(9)} ${cell(msMin, 3).padStart(9)} ${cell(gflops, 2).padStart(8)} ` +
    `${cell(gbs, 2).padStart(6)} ${share.padStart(8)} ${`${dispatches}`.padStart(10)} ${`${submits}`.padStart(7)} ${`${buffers}`.padStart(7)}`
  );
}

export const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

/** One file that opens anywhere: the numbers and the script that draws them are inside. */
export function html(report: Report, script: string, style: string): string {
  const data = JSON.stringify(report).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>handgrad: benchmarks</title>
<style>${style}
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
.chart { overflow-x: auto; } table { border-collapse: collapse; } td, th { padding: 0.15rem 0.7rem; text-align: right; }
td:nth-child(-n + 2), th:nth-child(-n + 2) { text-align: left; } tr:nth-child(even) { background: color-mix(in srgb, currentColor 6%, transparent); }
</style>
<main id="page"></main>
<script>globalThis.report = ${data};</script>
<script type="module">${script.replaceAll("</script", "<\\/script")}</script>
</html>
`;
}
