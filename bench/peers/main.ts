import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { createEngine, openAdapter } from "../../src/node.ts";
import { compare, type Result } from "./compare.ts";
import { offerGpu, startCounting } from "./count.ts";
import { firstParameters, handgrad } from "./handgrad.ts";
import { kernels, network, type Peer } from "./workloads.ts";

/* handgrad beside other engines: on one device, in one process, in turns. */

const program = new Command("bench:peers")
  .option("--json <file>", "write one JSON object a line")
  .option("--only <text>", "only ops whose name contains this", "")
  .option("--engines <names>", "only engines whose names contain one of these, comma-separated")
  .option("--repeats <n>", "timed runs of each", (text) => Number.parseInt(text, 10), 7)
  .option(
    "--seconds <n>",
    "an engine that has taken longer in a case is asked no more than twice",
    Number.parseFloat,
    30,
  )
  .option("--python <path>", "the Python that has PyTorch", "/usr/bin/python3")
  .option("--software", "the software device, even where there is a GPU");
const { json, only, engines, repeats, seconds, python, software = false } = program.parse().opts();

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
// The bundle lies in bench/peers/dist.
const versionOf = (path: string) => (JSON.parse(readFileSync(here(path), "utf8")) as { version: string }).version;
const wanted = (name: string) => !engines || (engines as string).split(",").some((part) => name.includes(part));

const engine = await createEngine({ seed: 1, software });
startCounting();
offerGpu(() => openAdapter({ software }));

const openers: [string, () => Promise<Peer | undefined>][] = [
  ["handgrad", async () => handgrad(engine, versionOf("../../../package.json"))],
  ["jax-js-webgpu", async () => (await import("./jax.ts")).jax(versionOf("../node_modules/@jax-js/jax/package.json"))],
  ["tfjs-webgpu", async () => (await import("./tfjs.ts")).tfjs()],
  ["pytorch-cpu", async () => (await import("./torch.ts")).torch(here("../pytorch.py"), python)],
];
const peers: Peer[] = [];
for (const [name, open] of openers) {
  if (name !== "handgrad" && !wanted(name)) continue;
  const peer = await open();
  if (peer) peers.push(peer);
  else console.log(`${name}: not installed, left out`);
}
for (const { name, version, adapter } of peers) console.log(`${name} ${version} on ${adapter}`);

const parameters = await firstParameters(engine);
const workloads = [network("train_step", parameters), network("forward", parameters), ...kernels()];
const results: Result[] = [];
const save = () => {
  if (json) writeFileSync(json, results.map((row) => `${JSON.stringify(row)}\n`).join(""));
};
const load = () => loadavg()[0]!.toFixed(1);
console.log(
  `\nms: median of ${repeats} in turns, least, processor time (median); load of the machine ${load()} at the start\n`,
);
for (const work of workloads.filter(({ op }) => op.includes(only))) {
  console.log(`${work.op}  ${work.shape}`);
  const rows = await compare(peers, work, { repeats, seconds });
  results.push(...rows);
  save();
  const own = rows.find((row) => row.engine === "handgrad");
  for (const row of rows) {
    if (row.error) console.log(`  ${row.engine.padEnd(15)} ${row.error}`);
    else {
      const ratio = (a: number | null, b: number | null | undefined) => (a && b ? `${(a / b).toFixed(2)}×` : "");
      console.log(
        `  ${row.engine.padEnd(15)} ${row.msMedian!.toFixed(2).padStart(9)} ${row.msMin!.toFixed(2).padStart(9)} ` +
          `${row.msCpu!.toFixed(2).padStart(9)} cpu  ${ratio(row.msMedian, own?.msMedian).padStart(8)} ` +
          `${ratio(row.msCpu, own?.msCpu).padStart(8)} cpu  first ${row.msFirst!.toFixed(0).padStart(6)}  ` +
          `${row.dispatches} dispatches, ${row.submits} submits, ${row.buffers} buffers`,
      );
    }
  }
}
console.log(`\nload of the machine ${load()} at the end`);
for (const peer of peers) peer.close?.();
engine.destroy();
// jax-js and TensorFlow.js keep timers and workers.
process.exit(results.some((row) => row.error) ? 1 : 0);
