import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Progress } from "../../demo/cli/stage.ts";
import { decodeSafetensors, encodeSafetensors, type Weights } from "../../src/model/index.ts";
import { place, run, start, until } from "./process.ts";

/* What the terminal program refuses, and that it says so in one line. */

/** A run that was stopped early. */
beforeAll(async () => {
  const { child, ended } = start(["learn", "--labels", "20", "--epochs", "500", "--seed", "3", "--out", "early"]);
  await until(() => existsSync(join(place("early"), "metrics.jsonl")) || child.exitCode !== null);
  child.kill("SIGINT");
  await ended;
}, 300_000);

describe("what cannot be read or written is one line that names the file", () => {
  /** A copy of that run with another checkpoint. */
  const altered = (name: string, change: (checkpoint: Weights) => void) => {
    cpSync(place("early"), place(name), { recursive: true });
    const file = join(place(name), "checkpoint.safetensors");
    const checkpoint = decodeSafetensors(readFileSync(file));
    change(checkpoint);
    writeFileSync(file, encodeSafetensors(checkpoint, { allowNonFinite: true }));
  };
  const progress = (change: (progress: Progress) => void) => (checkpoint: Weights) => {
    const found = JSON.parse(checkpoint.metadata.progress!);
    change(found);
    Object.assign(checkpoint.metadata, { progress: JSON.stringify(found) });
  };
  const holdsNaN = (tensor: string) => (checkpoint: Weights) => {
    checkpoint.tensors.get(tensor)!.data[0] = Number.NaN;
  };

  test.each<[string, (checkpoint: Weights) => void, RegExp]>([
    ["weights", holdsNaN("image.conv1.weight"), /"image\.conv1\.weight" holds NaN.* handgrad learn --lr 0\.001 --out/],
    ["memory", holdsNaN("optimizer.m"), /"optimizer\.m" holds NaN.* handgrad learn --lr/],
    [
      "stage",
      progress((p) => Object.assign(p, { stage: "over" })),
      /progress: stage is "over", expected one of train, learn, done/,
    ],
    [
      "steps",
      progress((p) => Object.assign(p, { engineSteps: null })),
      /progress: engineSteps is null, expected a whole number/,
    ],
  ])(
    "a checkpoint with wrong %s",
    async (name, change, message) => {
      altered(name, change);
      for (const args of [
        ["evaluate", name],
        ["learn", "--resume", name],
      ]) {
        const { code, err } = await run(...args);
        expect(err.trim().split("\n").at(-1)).toMatch(message);
        expect(err).toContain(`handgrad: ${name}/checkpoint.safetensors: `);
        expect(err).not.toMatch(/^ {4}at /m);
        expect(code).toBe(2);
      }
    },
    300_000,
  );

  test("a checkpoint with the memory of another learner", async () => {
    const learner = { updates: 0, learned: 0, memories: [{ hint: [1, 2] }] };
    altered(
      "learner",
      progress((p) => Object.assign(p, { stage: "done", learner })),
    );
    const { code, err } = await run("evaluate", "learner");
    expect(err.trim().split("\n").at(-1)).toMatch(
      /^handgrad: learner\/checkpoint\.safetensors: posterior: its counts are of 2 labels, expected 10/,
    );
    expect(code).toBe(2);
  });

  test("a folder where the checkpoint should be", async () => {
    cpSync(place("early"), place("odd"), { recursive: true });
    rmSync(join(place("odd"), "checkpoint.safetensors"));
    mkdirSync(join(place("odd"), "checkpoint.safetensors"));
    const { code, err } = await run("evaluate", "odd");
    expect(err).toMatch(/^handgrad: odd\/checkpoint\.safetensors cannot be read: EISDIR.*\n$/);
    expect(code).toBe(2);
  });

  test.runIf(existsSync("/dev/full"))(
    "a disk that is full",
    async () => {
      const { ended } = start(["train", "--set", "start", "--labels", "20", "--epochs", "2", "--out", "full"]);
      await until(() => existsSync(join(place("full"), "config.json")));
      symlinkSync("/dev/full", join(place("full"), "metrics.jsonl"));
      const { code, err } = await ended;
      expect(err.trim().split("\n").at(-1)).toMatch(/^handgrad: full\/metrics\.jsonl was not written: ENOSPC/);
      expect(err).not.toMatch(/^ {4}at /m);
      expect(code).toBe(1);
    },
    300_000,
  );

  test.runIf(process.platform === "linux")("no folder for the software device", async () => {
    const nowhere = { XDG_CACHE_HOME: "/dev/null/cache", TMPDIR: "/dev/null" };
    const { code, err } = await start(["evaluate", "early", "--software"], "", nowhere).ended;
    expect(err).toMatch(/^handgrad: no folder to unpack .*\/dev\/null\/cache.* Set XDG_CACHE_HOME.*\n$/);
    expect(code).toBe(1);
  });
});

describe("wrong use: one clear line, exit code 2, nothing written", () => {
  test.each<[string[], RegExp]>([
    [["learn", "--labels", "-3"], /--labels is "-3", expected a whole number from 0/],
    [["learn", "--labels", "301"], /--labels is 301, but the set "start" has 300/],
    [["learn", "--labels", "many"], /--labels is "many"/],
    [["learn", "--label-noise", "2"], /--label-noise is "2", expected a number from 0 to 1/],
    [["learn", "--fusion", "sum"], /--fusion is "sum", expected concat or average or weighted/],
    [["learn", "--color"], /unknown option '--color'/],
    [["teach"], /unknown command 'teach'/],
    [["train", "--judgements", "5"], /unknown option '--judgements'/],
    [["learn", "--resume", "nowhere"], /there is no run folder nowhere/],
    [["learn", "--resume", "early", "--out", "x"], /exclude each other/],
    [["learn", "--resume", "early", "--seed", "9"], /differs from the run's 3/],
    [["train", "--resume", "early"], /is a run of "handgrad learn"/],
    [["learn", "--out", "early"], /early is not empty/],
    [["learn", "--resume", ""], /--resume is empty, expected a path/],
    [["learn", "--out", ""], /--out is empty, expected a path/],
    [["evaluate", ""], /the run is empty, expected a path/],
    [["answer", ""], /the run is empty/],
    [["answer", "first", "--image", ""], /--image is empty/],
    [["answer", "first", "--sound", ""], /--sound is empty/],
    [["merge", "first/feedback.jsonl", "--out", ""], /--out is empty/],
    [["merge", "", "--out", "all.jsonl"], /the name of a log is empty/],
    [["export", "", "--parquet", "x"], /the log is empty/],
    [["export", "first/feedback.jsonl", "--parquet", ""], /--parquet is empty/],
    [["evaluate", "nowhere"], /there is no run folder nowhere/],
    [["evaluate", "early"], /the run early is not done. Go on with: handgrad learn --resume early/],
    [["evaluate", "early", "--human", "0"], /--human is "0", expected a whole number from 1 to 1500/],
    [["answer", "early"], /nothing to answer. Give --image, --sound or --hint/],
    [["answer", "early", "--image", "none.png"], /none.png cannot be read/],
    [["answer", "early", "--image", "early/config.json"], /config.json: .*PNG/],
    [["answer", "early", "--sound", "early/config.json"], /config.json: .*(WAV|RIFF)/],
  ])("%s", async (args, message) => {
    const { code, out, err } = await run(...args);
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toMatch(message);
    expect(out).toBe("");
    expect(code).toBe(2);
    expect(existsSync(place("runs"))).toBe(false);
  });
});
