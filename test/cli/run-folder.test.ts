import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Metric, readMetrics } from "../../demo/cli/metrics.ts";
import { player } from "../../demo/cli/play.ts";
import { RunFolder } from "../../demo/cli/run-folder.ts";
import { readSettings, type Settings } from "../../demo/cli/settings.ts";
import { lock } from "../../src/node/lock.ts";

/* What a run keeps in its folder, and who may write there. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings: Settings = {
  v: 2,
  command: "train",
  set: "start",
  labels: 32,
  epochs: 2,
  fusion: "concat",
  network: 2,
  seed: 1,
  lr: 0.0015,
  judgements: 0,
  target: null,
  method: "posterior",
  labelNoise: 0,
  human: false,
  software: false,
};

describe("the lock", () => {
  test("of many runs that begin at once in one folder, one gets it, with its settings", async () => {
    const path = join(folder, "run");
    const begun = await Promise.allSettled(
      Array.from({ length: 8 }, (_, seed) => RunFolder.create(path, { ...settings, seed })),
    );
    const got = begun.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(got).toHaveLength(1);
    for (const one of begun)
      if (one.status === "rejected")
        expect(String(one.reason)).toMatch(/^UsageError: .*(is being written by process|is not empty)/);
    expect(readSettings(join(path, "config.json")).seed).toBe(got[0]!.settings.seed);
    await expect(RunFolder.open(path).lock()).rejects.toThrow(`${path}: run is being written by process`);
    got[0]!.unlock();
    expect(readdirSync(path)).toEqual(["config.json"]);
  });

  test("left by a process that died is taken by one of many that resume at once", async () => {
    (await RunFolder.create(folder, settings)).unlock();
    const resumed = Array.from({ length: 8 }, () => RunFolder.open(folder));
    // Killed while it held the lock, and while it wrote it.
    const dead = [JSON.stringify({ pid: 2 ** 22 - 3, start: "1", host: hostname() }), '{"pid":12'];
    for (let round = 0; round < 20; round++) {
      writeFileSync(join(folder, "run.lock"), dead[round % 2]!);
      const taken = await Promise.allSettled(resumed.map((run) => run.lock()));
      expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const run of resumed) run.unlock();
    }
  });

  test("that cannot be written is an error with its path", async () => {
    await expect(lock(join(folder, "no", "run"))).rejects.toThrow(/no\/run\.lock was not written: ENOENT/);
  });
});

describe("what cannot be written or read is named with its path", () => {
  const metric: Metric = { kind: "train", epoch: 1, loss: 2 };

  test.runIf(existsSync("/dev/full"))("metrics on a full disk", async () => {
    const run = await RunFolder.create(folder, settings);
    symlinkSync("/dev/full", run.file("metrics.jsonl"));
    await expect(run.record(metric)).rejects.toThrow(`${run.file("metrics.jsonl")} was not written: ENOSPC`);
    run.unlock();
  });

  test("metrics that were cut off: the others count, of those of one place the last", async () => {
    const run = await RunFolder.create(folder, settings);
    run.unlock();
    await run.record({ ...metric, epoch: 2 });
    writeFileSync(run.file("metrics.jsonl"), '{"kind":"train","ep', { flag: "a" });
    await run.record(metric);
    await run.record({ ...metric, loss: 1 });
    const notices: string[] = [];
    expect(readMetrics(run.file("metrics.jsonl"), (text) => notices.push(text))).toEqual([
      { ...metric, epoch: 2 },
      { ...metric, loss: 1 },
    ]);
    expect(notices).toEqual([`${run.file("metrics.jsonl")}:2: left out a line that is cut off or damaged`]);
  });

  test("a folder where a file should be", async () => {
    const run = await RunFolder.create(folder, settings);
    run.unlock();
    mkdirSync(run.file("metrics.jsonl"));
    expect(() => run.metrics()).toThrow(`${run.file("metrics.jsonl")} cannot be read: EISDIR`);
  });
});

test("a sound that cannot be put anywhere is a notice, and judging goes on", async () => {
  const before = process.env.TMPDIR;
  try {
    writeFileSync(join(folder, "aplay"), "#!/bin/sh\n", { mode: 0o755 });
    const { play } = player(folder)!;
    expect(await play(new Uint8Array(4))).toBeUndefined();
    process.env.TMPDIR = join(folder, "no");
    expect(await play(new Uint8Array(4))).toMatch(/aplay could not play the sound from .*no: ENOENT/);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
