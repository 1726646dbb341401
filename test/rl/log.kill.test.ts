import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random } from "../../src/data/index.ts";
import { openFeedbackLog } from "../../src/node/feedback-log.ts";
import { readFeedbackLog } from "../../src/node/read-log.ts";

// `npm run soak:kill` does it 200 times.
const KILLS = Number(process.env.HANDGRAD_KILLS ?? 10);

/**
 * Judges as fast as it can, several at a time, and now and then takes the last judgement back; says each id, and each
 * undo, when it is acknowledged.
 */
const CHILD = `
import { writeSync } from "node:fs";
import { openFeedbackLog } from "./src/node/feedback-log.ts";
const [path, run] = process.argv.slice(2);
const log = await openFeedbackLog(path);
let next = 0;
async function judge() {
  for (;;) {
    const id = run + "." + next++;
    await log.append({
      v: 3, kind: "judgement", id, time: new Date().toISOString(), session: run, judge: "simulated", example: id,
      inputHash: "x".repeat(next % 300 + 1), action: 0, probabilities: [1], propensity: 1, acquisition: "uniform", inclusionProbability: null, purpose: "training",
      model: "m", reward: 1, reactionMs: 0, seed: 1,
    });
    writeSync(1, id + "\\n");
    if (next % 3 !== 0) continue;
    const undone = await log.undo();
    if (undone) writeSync(1, "undo " + undone.id + "\\n");
  }
}
await Promise.all([judge(), judge(), judge()]);
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "handgrad-kill-"));
  await build({
    stdin: { contents: CHILD, resolveDir: resolve(import.meta.dirname, "../.."), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: join(folder, "child.mjs"),
  });
});
afterAll(() => rm(folder, { recursive: true }));

it(`loses nothing that was acknowledged when killed ${KILLS} times`, { timeout: 20_000 + KILLS * 3000 }, async () => {
  const path = join(folder, "feedback.jsonl");
  const acknowledged: string[] = [];
  const moment = new Random("kills");
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, [join(folder, "child.mjs"), path, String(kill)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = once(child, "close");
    let said = "";
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      // The moment is counted from the first acknowledgement: before it there is nothing to lose.
      if (said === "") setTimeout(() => child.kill("SIGKILL"), 60 * moment.uniform());
      said += text;
    });
    await closed;
    expect(child.signalCode, errors).toBe("SIGKILL");
    acknowledged.push(...said.split("\n").slice(0, -1));

    // Readable each time, as it was left. The next child finds the lock of the dead one every second time; the other times
    // this process does.
    const found = new Set<string>();
    for await (const { id } of readFeedbackLog(path)) found.add(id);
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    if (kill % 2 === 0) await (await openFeedbackLog(path, { onNotice: () => {} })).close();
  }

  const log = await openFeedbackLog(path, { onNotice: () => {} });
  const count = new Map<string, number>();
  for (const record of log.records()) count.set(record.id, (count.get(record.id) ?? 0) + 1);
  expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS);
  expect(acknowledged.filter((id) => count.get(id) !== 1)).toEqual([]);
  // Nothing but the three that a child had under way each time may be there unacknowledged.
  expect(log.records().length - acknowledged.length).toBeLessThanOrEqual(3 * KILLS);
  const counts = new Set(log.judgements().map(({ id }) => id));
  const undone = acknowledged.filter((id) => id.startsWith("undo ")).map((id) => id.slice("undo ".length));
  expect(undone.length).toBeGreaterThan(0);
  expect(undone.filter((id) => counts.has(id))).toEqual([]);
  expect((await readFile(path, "utf8")).split("\n").length - 1).toBe(log.records().length);
  await log.close();
});
