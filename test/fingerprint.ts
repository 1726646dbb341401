import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { createEngine } from "../src/node.ts";
import { opNames } from "./cases/names.ts";
import { networkCases } from "./cases/network.ts";
import { loadOps, longCases, opCases } from "./cases/ops.ts";
import { clippingCases, longClippingCases } from "./cases/optimizers.ts";
import { variantCases } from "./cases/variants.ts";
import { type Case, runCase } from "./harness.ts";

/*
 * A line of JSON for each case of each op, in the device's own variants and in every other: a hash of the bits of all that it
 * computes, outputs and gradients. Equal lines on two machines, drivers or versions mean equal bits:
 *   npm run --silent fingerprint > before.jsonl; …; npm run --silent fingerprint | diff before.jsonl -
 * `-- --only matmul` takes the cases, and the kernels with variants, whose name holds the word (a regular expression) alone.
 */

/** One line for each case, on an engine of its own whose kernels take the given variants. */
async function print(
  cases: readonly Case[],
  variant: object,
  byFamily: Readonly<Record<string, string>>,
): Promise<void> {
  const engine = await createEngine({ seed: 1 });
  engine.tuning.import({ v: 2, adapter: engine.adapter, variants: byFamily });
  const read = engine.gpu.read.bind(engine.gpu);
  let parts: Promise<ArrayBuffer>[] = [];
  engine.gpu.read = (slot) => {
    const bytes = read(slot);
    parts.push(bytes);
    return bytes;
  };
  for (const test of cases) {
    // What is drawn at random follows from the count of steps.
    engine.stepCount = 0;
    parts = [];
    await runCase(engine, test);
    const hash = createHash("sha256");
    for (const part of parts) hash.update(new Uint8Array(await part));
    console.log(JSON.stringify({ case: test.name, ...variant, bits: hash.digest("hex").slice(0, 16) }));
  }
  engine.destroy();
}

const { only } = parseArgs({ options: { only: { type: "string", default: "" } } }).values;
const wanted = new RegExp(only);
const ops = await loadOps(opNames());
const all: readonly Case[] = [
  ...opCases(ops),
  ...clippingCases,
  ...longCases(ops),
  ...longClippingCases,
  ...networkCases,
];
const device = await createEngine();
console.log(JSON.stringify({ adapter: device.adapter }));
device.destroy();
await print(
  all.filter(({ name }) => wanted.test(name)),
  {},
  {},
);
for (const { kernels, variant, cases } of variantCases(ops)) {
  const isWanted = kernels.some((kernel) => wanted.test(kernel));
  const chosen = cases.filter(({ name }) => isWanted || wanted.test(name));
  if (chosen.length === 0) continue;
  const byFamily = Object.fromEntries(kernels.map((kernel) => [kernel, variant]));
  await print(chosen, { family: kernels[0], variant }, byFamily);
}
