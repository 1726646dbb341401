import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { append } from "handgrad/data";
import { replaceFile } from "handgrad/node";
import { methodsHere } from "../demo/cli/settings.ts";
import { curves } from "./curves.ts";
import { type Point, pointsOf, table } from "./table.ts";

/*
 * How much is a judgement worth? Runs the program `handgrad learn` for methods × shares of mistakes × seeds on TriDigits,
 * one after the other, each as a process with a folder of its own, and writes the table and the curves that the documents
 * quote. A study that was stopped goes on where it was: finished runs are read, a run that was cut short is resumed.
 */

interface Plan {
  methods: readonly string[];
  noises: readonly number[];
  /** Labels to begin with, and judgements after them. */
  starts: readonly (readonly [labels: number, judgements: number])[];
  seeds: readonly number[];
}

const whole: Plan = {
  methods: methodsHere,
  noises: [0, 0.1, 0.2],
  starts: [
    [300, 1000],
    [0, 3200],
  ],
  seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
};
/** One seed, the best rule and the textbook, 400 judgements: about ten minutes on two quiet cores, on a software device. */
const reduced: Plan = { methods: ["posterior", "reinforce"], noises: [0, 0.1], starts: [[300, 400]], seeds: [1] };

const list = (text: string) => text.split(",");
const numbers = (text: string) => list(text).map(Number);
const options = new Command("study")
  .option("--reduced", "a small part of it, about 10 minutes on two quiet cores")
  .option("--methods <names>", "only these, with commas between", list)
  .option("--noises <shares>", "only these", numbers)
  .option("--seeds <numbers>", "only these", numbers)
  .option("--no-labels", "leave out the runs that begin with no labels at all")
  .option("--out <folder>", "where the runs are kept", "runs/study")
  .option("--json <file>", "write a JSON line for each point")
  .option("--docs <folder>", "write the table and the curves into this folder")
  .parse()
  .opts<{
    reduced?: boolean;
    methods?: string[];
    noises?: number[];
    seeds?: number[];
    labels: boolean;
    out: string;
    json?: string;
    docs?: string;
  }>();

const base = options.reduced ? reduced : whole;
const plan: Plan = {
  methods: options.methods ?? base.methods,
  noises: options.noises ?? base.noises,
  starts: options.labels ? base.starts : base.starts.filter(([labels]) => labels > 0),
  seeds: options.seeds ?? base.seeds,
};
const program = join(fileURLToPath(new URL(".", import.meta.url)), "cli.js");

const points: Point[] = [];

async function main(): Promise<void> {
  // Seed by seed, so that a study that is cut short has all methods of the seeds it came to.
  for (const seed of plan.seeds) {
    for (const [labels, judgements] of plan.starts) {
      for (const noise of plan.noises) {
        for (const method of plan.methods) {
          const folder = join(options.out, `${method}-${labels}-${judgements}-noise${noise}-seed${seed}`);
          await run(folder, { method, labels, judgements, noise, seed });
          append(points, pointsOf(folder, { method, labels, noise, seed }));
          await publish();
        }
      }
    }
  }
  console.log(table(points));
}

async function run(folder: string, settings: Record<string, string | number>): Promise<void> {
  if (existsSync(join(folder, "result.json"))) return;
  const given = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const anew = ["learn", ...given, "--validate-on", "test-unseen", "--out", folder, "--json"];
  const args = existsSync(join(folder, "config.json")) ? ["learn", "--resume", folder, "--json"] : anew;
  mkdirSync(options.out, { recursive: true });
  const out = execFileSync(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  await replaceFile(join(folder, "result.json"), `${out.toString().trim().split("\n").at(-1)}\n`);
}

/** What is known so far, after each run. */
async function publish(): Promise<void> {
  if (options.json) await replaceFile(options.json, points.map((point) => `${JSON.stringify(point)}\n`).join(""));
  if (options.docs) {
    mkdirSync(options.docs, { recursive: true });
    await replaceFile(join(options.docs, "study.md"), table(points));
    await replaceFile(join(options.docs, "study.svg"), await curves(points));
  }
}

main().catch((error) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
