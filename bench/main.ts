import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Command } from "commander";
import { build } from "esbuild";
import { createEngine } from "handgrad/node";
import { openPage } from "../scripts/chromium.ts";
import { heading, html, jsonLines, line, load, processor, type Report } from "./report.ts";
import { emptyRow, type Row } from "./row.ts";
import { type Runner, runnerOf } from "./runner.ts";

/*
 * npm run bench: each case is checked, then timed, submit to done; the device's best rates are measured beside.
 * npm run bench:browser: the same cases in a headless Chromium.
 */

const program = new Command("bench")
  .option("--json <file>", "write one JSON object a line")
  .option("--html <file>", "write a page with charts")
  .option("--save <file>", "write the whole report as one JSON object")
  .option("--only <text>", "only ops whose name contains this", "")
  .option("--repeats <n>", "timed steps of each", (text) => Number.parseInt(text, 10), 9)
  .option("--scaling", "the training step against batch, frames and hidden size, too")
  .option("--tune", "measure the variants of the heavy kernels first, and use the best")
  .option("--profile <file>", "write a trace of a training step for chrome://tracing, and show its kernels")
  .option("--browser", "in a headless Chromium")
  .option("--software", "the software device, even where there is a GPU");
const {
  json,
  html: page,
  save,
  only,
  repeats,
  scaling,
  tune = false,
  profile,
  browser,
  software = false,
} = program.parse().opts();

/** The repository, whence npm runs this. */
const root = process.cwd();
const before = load();
const runner: Runner = browser ? await browserRunner() : await runnerOf(await createEngine({ seed: 1, software }));
const { adapter, peak } = runner;
console.log(`device: ${adapter}; load of the machine ${before}`);
console.log(
  `at best ${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, copies at ${peak.gbs.toFixed(2)} GB/s\n${heading}`,
);

const rows: Row[] = [];
const add = (row: Row) => {
  rows.push(row);
  console.log(line(row));
};
for (let i = 0; i < runner.count; i++) {
  const measured = await runner.measure(i, { only, repeats, tune });
  if (!measured) continue;
  add(measured.row);
  // What JavaScript does in a replayed step: recording, finding the plan, submitting.
  if (measured.row.op === "train_step" && !measured.row.error)
    add({ ...measured.row, op: "train_step.host", msMedian: measured.host, msMin: null });
}
if (!browser && "cold_start".includes(only)) add(coldStart());
const points = scaling ? await runner.scaling(repeats, ({ row }) => console.log(line(row))) : [];
if (profile) {
  const { table, trace } = await runner.profile();
  writeFileSync(profile, trace);
  console.log(`\n${table}`);
}
await runner.close();

const report: Report = {
  date: new Date().toISOString(),
  adapter,
  load: [before, load()],
  processor: processor(),
  peak,
  versions: {
    handgrad: versionOf(join(root, "package.json")),
    ...(browser
      ? { chromium: versionOf(packageFile("@sparticuz/chromium")) }
      : { node: process.version, dawn: versionOf(packageFile("webgpu")) }),
  },
  rows,
  scaling: points,
};
console.log(`\nload of the machine ${report.load[0]} before, ${report.load[1]} after`);
if (json) writeFileSync(json, jsonLines([...rows, ...points.map(({ row }) => row)]));
if (save) writeFileSync(save, `${JSON.stringify(report, null, 1)}\n`);
if (page)
  writeFileSync(
    page,
    html(report, await pageScript(), readFileSync(packageFile("uplot", "dist/uPlot.min.css"), "utf8")),
  );
process.exitCode = rows.some((row) => row.error) ? 1 : 0;

/** A page that measures; what it gives goes through JSON. */
async function browserRunner(): Promise<Runner> {
  const tab = await openPage(join(root, "bench/browser.ts"));
  const { adapter, peak, count } = await tab.call<Pick<Runner, "adapter" | "peak" | "count">>("openBed");
  return {
    adapter,
    peak,
    count,
    measure: (i, options) => tab.call("measureCase", i, options),
    async scaling(repeats, each) {
      const points = await tab.call<Awaited<ReturnType<Runner["scaling"]>>>("measureScaling", repeats);
      for (const point of points) each(point);
      return points;
    },
    profile: () => tab.call("profileStep"),
    async close() {
      for (const error of tab.errors) console.error(error);
      await tab.close();
    },
  };
}

/** Three processes, one after another. */
function coldStart(): Row {
  const row = emptyRow(adapter, { op: "cold_start", shape: "process start to the first loss of train_step" });
  try {
    const args = [join(root, "scripts/run.mjs"), "bench/cold.ts", ...(software ? ["--software"] : [])];
    const runs = [0, 1, 2].map(() => JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })));
    const times = runs.map(({ milliseconds }) => milliseconds as number).sort((a, b) => a - b);
    const { dispatches, submits, buffers } = runs[0];
    return { ...row, msMedian: times[1]!, msMin: times[0]!, dispatches, submits, buffers };
  } catch (error) {
    return { ...row, error: (error as Error).message };
  }
}

async function pageScript(): Promise<string> {
  const entryPoints = [join(root, "bench/page.ts")];
  const { outputFiles } = await build({ entryPoints, bundle: true, minify: true, format: "esm", write: false });
  return outputFiles[0]!.text;
}

function packageFile(name: string, file = "package.json"): string {
  return createRequire(join(root, "package.json"))
    .resolve.paths(name)!
    .map((folder) => join(folder, name, file))
    .find(exists)!;
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function versionOf(file: string): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
