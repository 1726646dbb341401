import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import { beforeAll, describe, expect, test } from "vitest";
import { loadTriDigits } from "../../demo/tridigits/load.ts";
import { encodeWav } from "../../src/data/index.ts";
import { bytes, type Ended, folder, judgements, place, program, run, start, until } from "./process.ts";

/* Whole runs of the terminal program, and how they are stopped. What it refuses: misuse.test.ts. */

/** A run that is small in everything, but goes through all of its stages. */
const small = ["learn", "--labels", "20", "--epochs", "2", "--judgements", "80", "--seed", "3", "--json"];

describe("a whole run", () => {
  let first: Ended;
  beforeAll(async () => {
    first = await run(...small, "--out", "first");
  }, 300_000);

  test("ends well, and its last line is the result", () => {
    expect(first.err).toContain("device:");
    expect(first.code).toBe(0);
    const result = JSON.parse(first.out.trim().split("\n").at(-1)!);
    expect(result).toMatchObject({ labels: 20, judgements: 80, submitsPerStep: 1, parameters: 259_988 });
    expect(result.dispatchesPerStep).toBeLessThanOrEqual(60);
    expect(Object.keys(result.accuracyByModalities)).toEqual([
      "image",
      "text",
      "audio",
      "image+text",
      "image+audio",
      "text+audio",
      "all",
    ]);
    for (const key of ["accuracyStart", "accuracyEnd", "stepMs", "seconds"]) expect(result[key]).toBeGreaterThan(0);
    expect(result.seen.accuracyByModalities.all).toBe(result.seen.accuracyEnd);
  });

  test("leaves model, log, settings, metrics and a report that needs no network", () => {
    for (const file of ["model.safetensors", "config.json", "metrics.jsonl"])
      expect(bytes("first", file).length).toBeGreaterThan(10);
    expect(judgements("first")).toHaveLength(80);
    const report = bytes("first", "report.html").toString();
    expect(report).toContain("Marco Menardi");
    expect(report).toMatch(/<svg[\s\S]*Accuracy on validation/);
    expect(report).not.toMatch(/(?:src|href)="|@import|url\(/);
  });

  test("the same seed gives the same model, byte by byte", async () => {
    expect((await run(...small, "--out", "second")).code).toBe(0);
    expect(bytes("second", "model.safetensors").equals(bytes("first", "model.safetensors"))).toBe(true);
  }, 300_000);

  test("killed in the middle and resumed: no judgement is lost, and the model is the same", async () => {
    const { child, ended } = start([...small, "--out", "killed"]);
    await until(() => judgements("killed").length >= 50 || child.exitCode !== null);
    child.kill("SIGKILL");
    await ended;
    const acknowledged = judgements("killed");
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);
    const resumed = await run("learn", "--resume", "killed", "--json");
    expect(resumed.err).toContain("resumed");
    expect(resumed.code).toBe(0);
    expect(judgements("killed").slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(judgements("killed")).toHaveLength(80);
    expect(bytes("killed", "model.safetensors").equals(bytes("first", "model.safetensors"))).toBe(true);
    expect(JSON.parse(resumed.out.trim().split("\n").at(-1)!).accuracyEnd).toBe(
      JSON.parse(first.out.trim().split("\n").at(-1)!).accuracyEnd,
    );
  }, 300_000);

  test("a run of another model is refused, and left as it was", async () => {
    mkdirSync(place("other"));
    const config = JSON.parse(bytes("first", "config.json").toString());
    writeFileSync(join(place("other"), "config.json"), JSON.stringify({ ...config, fusion: "average" }));
    writeFileSync(join(place("other"), "checkpoint.safetensors"), bytes("first", "checkpoint.safetensors"));
    const { code, err } = await run("learn", "--resume", "other");
    expect(code).toBe(2);
    expect(err).toMatch(/of another network/);
    expect(bytes("other", "checkpoint.safetensors").equals(bytes("first", "checkpoint.safetensors"))).toBe(true);
  });

  test("a corrupt line in the middle of the log is an error that names it; a torn last line is dropped", async () => {
    const lines = judgements("first");
    const prepare = (name: string, log: string) => {
      mkdirSync(place(name));
      for (const file of ["config.json", "model.safetensors"])
        writeFileSync(join(place(name), file), bytes("first", file));
      // The checkpoint of a run that had come to its questions: the last one, set back.
      const checkpoint = bytes("first", "checkpoint.safetensors");
      const text = checkpoint.toString("latin1").replace('\\"stage\\":\\"done\\"', '\\"stage\\":\\"learn\\"');
      const header = text.length - checkpoint.length;
      const file = Buffer.from(text, "latin1");
      file.writeBigUInt64LE(checkpoint.readBigUInt64LE(0) + BigInt(header), 0);
      writeFileSync(join(place(name), "checkpoint.safetensors"), file);
      writeFileSync(join(place(name), "feedback.jsonl"), log);
    };
    const corrupt = [...lines.slice(0, 7), lines[7]!.slice(0, 40), ...lines.slice(8)].join("\n");
    prepare("corrupt", `${corrupt}\n`);
    const broken = await run("learn", "--resume", "corrupt");
    expect(broken.code).toBe(2);
    expect(broken.err).toMatch(/feedback\.jsonl:8/);
    expect(bytes("corrupt", "feedback.jsonl").toString()).toBe(`${corrupt}\n`);
    prepare("torn", `${lines.join("\n")}\n${lines[0]!.slice(0, 40)}`);
    const torn = await run("learn", "--resume", "torn");
    expect(torn.err).toMatch(/cut off/);
    expect(torn.code).toBe(0);
    expect(judgements("torn")).toEqual(lines);
  }, 300_000);
});

describe("the model of a run", () => {
  const last = ({ out }: Ended) => JSON.parse(out.trim().split("\n").at(-1)!);
  beforeAll(async () => {
    if (!existsSync(place("first"))) await run(...small, "--out", "first");
  }, 300_000);

  test("is evaluated to the figures that its run told", async () => {
    const told = JSON.parse((await run("learn", "--resume", "first", "--json")).out.trim().split("\n").at(-1)!);
    const ended = await run("evaluate", "first", "--json");
    expect(ended.err).toMatch(/accuracy of the network +\d+\.\d % +\d+\.\d %/);
    const { unseen, seen } = last(ended);
    expect(unseen.accuracy).toBe(told.accuracyEnd);
    expect(unseen.ece).toBe(told.eceEnd);
    expect(unseen.byModalities).toEqual(told.accuracyByModalities);
    expect(seen.accuracy).toBe(told.seen.accuracyEnd);
    expect(unseen.confusion.flat().reduce((a: number, b: number) => a + b, 0)).toBe(1500);
  }, 300_000);

  test("is judged blind by a person; what they say is kept, goes on where it ended, and is no training", async () => {
    const training = judgements("first");
    const none = await start(["evaluate", "first", "--human", "3"], "s\nu\nq\n").ended;
    expect(none.code).toBe(0);
    expect(none.err).toMatch(/no answer was judged right or wrong/);
    const one = await start(["evaluate", "first", "--human", "3", "--json"], "y\nn\nu\ny\ns\n").ended;
    expect(one.err).not.toContain("█");
    // An example's id names its label: also what is said of an undo must not tell it.
    expect(one.err).toContain("took back your last judgement");
    expect(one.err).not.toMatch(/test-strangers/);
    expect(last(one).blind).toMatchObject({ accuracy: 1, answers: 2, undecided: 1 });
    const two = await start(["evaluate", "first", "--human", "5", "--json"], "n\nn\nq\n").ended;
    expect(two.code).toBe(0);
    expect(last(two).blind).toMatchObject({ accuracy: 0.5, answers: 4, undecided: 1 });
    expect(judgements("first")).toEqual(training);
    const said = bytes("first", "evaluation.jsonl").toString().split("\n").filter(Boolean);
    const records = said.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "judgement");
    expect(records.every(({ purpose }) => purpose === "evaluation")).toBe(true);
    expect(new Set(records.map(({ example }) => example)).size).toBe(5);
  }, 300_000);

  test("answers a picture, a sound and a hint of one's own", async () => {
    const example = loadTriDigits().set("test-unseen", 3).at(4);
    const png = (ink: (x: number) => number) => {
      const image = new PNG({ width: 28, height: 28 });
      example.image.forEach((x, i) => {
        image.data.set([0, 1, 2].map(() => Math.round(255 * ink(x))).concat(255), 4 * i);
      });
      return PNG.sync.write(image);
    };
    writeFileSync(
      place("light.png"),
      png((x) => x),
    );
    writeFileSync(
      place("dark.png"),
      png((x) => 1 - x),
    );
    writeFileSync(place("word.wav"), encodeWav(example.wave(), 8000));
    const own = ["--sound", "word.wav", "--hint", example.hint];
    const light = last(await run("answer", "first", "--image", "light.png", ...own, "--json"));
    const dark = last(await run("answer", "first", "--image", "dark.png", ...own, "--json"));
    expect(light.probabilities.reduce((a: number, b: number) => a + b)).toBeCloseTo(1, 5);
    expect(Object.keys(light.shares)).toEqual(["image", "text", "audio"]);
    light.probabilities.forEach((p: number, i: number) => {
      expect(dark.probabilities[i]).toBeCloseTo(p, 2);
    });
    const hint = await start(["answer", "first", "--hint", example.hint], "", { FORCE_COLOR: "3" }).ended;
    expect(hint.out, "no colors in a pipe").toMatch(/^\d\n$/);
  }, 300_000);

  test.each([1, 2_000_000])(
    "a sound that claims %d samples a second is a damaged file",
    async (rate) => {
      const wav = encodeWav(new Float32Array(400_000).fill(0.1), 8000);
      new DataView(wav.buffer, wav.byteOffset).setUint32(24, rate, true);
      writeFileSync(place("odd.wav"), wav);
      const { code, err } = await run("answer", "first", "--sound", "odd.wav");
      expect(code).toBe(2);
      expect(err).toMatch(/^handgrad: odd\.wav: .*\n$/);
    },
    300_000,
  );
});

describe("a person in the terminal", () => {
  test("judges by keys, skips, takes back and quits; all of it is in the log", async () => {
    const args = ["learn", "--labels", "20", "--epochs", "1", "--judgements", "50", "--human", "--out", "human"];
    const { code, err } = await start(args, "y\nn\ns\nu\ny\nq\n").ended;
    expect(code).toBe(130);
    expect(err).toMatch(/is it a \d\?/);
    expect(err).toMatch(/--resume human/);
    const records = judgements("human").map((line) => JSON.parse(line));
    expect(records.map((r) => r.kind)).toEqual(["judgement", "judgement", "judgement", "retraction", "judgement"]);
    expect(records.slice(0, 3).map((r) => r.reward)).toEqual([1, -1, null]);
  }, 300_000);
});

describe("a run's folder has one writer", () => {
  test("also when the one before was killed, and many resume at once", async () => {
    const args = ["train", "--set", "start", "--labels", "32", "--epochs", "5000", "--out", "both"];
    const two = [start(args), start(args)];
    const refused = await Promise.race(two.map(({ ended }) => ended));
    expect(refused.err).toMatch(/^handgrad: both: run is being written by process \d+|^handgrad: both is not empty/);
    expect(refused.code).toBe(2);
    const first = two.find(({ child }) => child.exitCode === null)!;
    await until(() => existsSync(join(place("both"), "metrics.jsonl")));
    first.child.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(place("both"), "run.lock"))).toBe(true);
    const three = [1, 2, 3].map(() => start(["train", "--resume", "both"]));
    const others: Ended[] = [];
    for (const { ended } of three) void ended.then((one) => others.push(one));
    await until(() => others.length === 2);
    for (const { code, err } of others) {
      expect(err).toMatch(
        /^handgrad: both: run is being written by process \d+; .* remove .*run\.lock if it is gone\.\n$/,
      );
      expect(code).toBe(2);
    }
    const { child, ended } = three.find(({ child }) => child.exitCode === null)!;
    child.kill("SIGTERM");
    expect([130, null]).toContain((await ended).code);
  }, 300_000);
});

describe("stopping", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s saves and says how to go on",
    async (signal) => {
      const { child, ended } = start(["train", "--set", "start", "--labels", "32", "--epochs", "500", "--out", signal]);
      await until(() => existsSync(join(place(signal), "metrics.jsonl")) || child.exitCode !== null);
      child.kill(signal);
      const { code, err } = await ended;
      expect(code).toBe(130);
      expect(err).toMatch(new RegExp(`handgrad train --resume ${signal}`));
      expect(existsSync(join(place(signal), "checkpoint.safetensors"))).toBe(true);
    },
    300_000,
  );

  test("Ctrl-C on a terminal ends the program and gives the cursor back", async () => {
    const train = `${process.execPath} ${program} train --set start --labels 32 --epochs 500 --out terminal`;
    // script gives a terminal (util-linux).
    const child = spawn("script", ["-qfec", train, "/dev/null"], {
      cwd: folder,
      env: { ...process.env, TERM: "xterm" },
    });
    let out = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    await until(() => out.includes("loss") || child.exitCode !== null);
    child.stdin.write("\x03");
    expect(await ended).toBe(130);
    expect(out.lastIndexOf("\x1b[?25h")).toBeGreaterThan(out.lastIndexOf("\x1b[?25l"));
    expect(out).toMatch(/handgrad train --resume terminal/);
  }, 300_000);

  test("who reads what it says may go away, and the training goes on", async () => {
    const { child, ended } = start(["train", "--set", "start", "--labels", "32", "--epochs", "2", "--out", "unheard"]);
    child.stderr!.destroy();
    expect((await ended).code).toBe(0);
    expect(existsSync(join(place("unheard"), "report.html"))).toBe(true);
  }, 300_000);
});
