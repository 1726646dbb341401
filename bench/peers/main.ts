import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { append } from "handgrad/data";
import { openPage } from "../../scripts/chromium.ts";
import type { Result } from "./compare.ts";
import { nodeRunner } from "./node-runner.ts";
import { pageRunner } from "./page-runner.ts";

/* handgrad beside other engines: on one device, in one process or one page, in turns. */

const program = new Command("bench:peers")
  .option("--json <file>", "write one JSON object a line")
  .option("--only <text>", "only ops whose name contains this", "")
  .option("--engines <names>", "only engines whose names contain one of these, comma-separated", "")
  .option("--repeats <n>", "timed runs of each", (text) => Number.parseInt(text, 10), 7)
  .option(
    "--seconds <n>",
    "an engine that has taken longer in a case is asked no more than twice",
    Number.parseFloat,
    30,
  )
  .option("--browser", "those that run in a page, in a headless Chromium on its software device")
  .option("--python <path>", "the Python that has PyTorch", "/usr/bin/python3")
  .option("--software", "the software device, even where there is a GPU");
const { json, only, engines, repeats, seconds, browser, python, software = false } = program.parse().opts();

// The bundle lies in bench/peers/dist.
const folder = fileURLToPath(new URL("..", import.meta.url));
const versionOf = (path: string) =>
  (JSON.parse(readFileSync(join(folder, path), "utf8")) as { version: string }).version;
const versions = {
  handgrad: versionOf("../../package.json"),
  jax: versionOf("node_modules/@jax-js/jax/package.json"),
};
const wanted = (engines as string).split(",").filter(Boolean);

const runner = browser
  ? await pageRunner(() => openPage(join(folder, "page.ts")), versions, wanted)
  : await nodeRunner(folder, versions, wanted, { python, software });
if (wanted.length > 0 && runner.engines.length === 1 && runner.leftOut.length === 0)
  program.error(`--engines ${engines}: no engine beside handgrad has such a name.`);
for (const reason of runner.leftOut) console.log(`${reason}, left out`);
for (const { name, version, adapter } of runner.engines) console.log(`${name} ${version} on ${adapter}`);

const results: Result[] = [];
const load = () => loadavg()[0]!.toFixed(1);
const columns = browser ? "least" : "least, processor time (median)";
console.log(`\nms: median of ${repeats} in turns, ${columns}; load of the machine ${load()} at the start\n`);
for (const [i, { op, shape }] of runner.workloads.entries()) {
  if (!op.includes(only)) continue;
  console.log(`${op}  ${shape}`);
  const rows = await runner.measure(i, { repeats, seconds });
  for (const row of rows) console.log(`  ${row.engine.padEnd(15)} ${figures(row, rows[0]!)}`);
  append(results, rows);
  if (json) writeFileSync(json, results.map((row) => `${JSON.stringify(row)}\n`).join(""));
}
console.log(`\nload of the machine ${load()} at the end`);
await runner.close();
// jax-js and TensorFlow.js keep timers and workers.
process.exit(results.some((row) => row.error) ? 1 : 0);

/** A row's figures, and how many times `own`'s they are. */
function figures(row: Result, own: Result): string {
  if (row.error) return row.error;
  const ms = (n: number | null) => n!.toFixed(2).padStart(9);
  const ratio = (a: number | null, b: number | null) => (a && b ? `${(a / b).toFixed(2)}×` : "").padStart(8);
  const cpu = row.msCpu !== null;
  return [
    `${ms(row.msMedian)} ${ms(row.msMin)}${cpu ? ` ${ms(row.msCpu)} cpu` : ""}  `,
    `${ratio(row.msMedian, own.msMedian)}${cpu ? ` ${ratio(row.msCpu, own.msCpu)} cpu` : ""}  `,
    `first ${row.msFirst!.toFixed(0).padStart(6)}  `,
    `${row.dispatches} dispatches, ${row.submits} submits, ${row.buffers} buffers`,
  ].join("");
}
