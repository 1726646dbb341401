import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  open as openHandle,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openFeedbackLog } from "../../src/node/feedback-log.ts";
import { readFeedbackLog } from "../../src/node/read-log.ts";
import { activeJudgements, rewarded } from "../../src/rl/active.ts";
import type { FeedbackRecord, Judgement } from "../../src/rl/judgement.ts";
import { FeedbackLogError } from "../../src/rl/judgement.ts";
import { logOver, memoryLog } from "../../src/rl/log.ts";
import { parseRecord } from "../../src/rl/record.ts";

function judgement(id: string, changes: Partial<Judgement> = {}): Judgement {
  return {
    v: 3,
    kind: "judgement",
    id,
    time: "2025-01-31T12:00:00.000Z",
    session: "s",
    judge: "Ada",
    example: "7",
    inputHash: "abc",
    action: 1,
    probabilities: [0.25, 0.75],
    propensity: 0.75,
    acquisition: "uniform",
    inclusionProbability: 0.5,
    purpose: "training",
    model: "m",
    reward: 1,
    reactionMs: 900,
    seed: 1,
    ...changes,
  };
}
const retraction = (retracts: string): FeedbackRecord => ({
  v: 3,
  kind: "retraction",
  id: `r ${retracts}`,
  retracts,
  time: "2025-01-31T12:00:00.000Z",
  judge: "Ada",
});
const ids = (records: Iterable<{ id: string }>) => [...records].map((record) => record.id);

describe("records", () => {
  it("come back from a line as they were", () => {
    for (const record of [judgement("a", { reward: null }), retraction("a")]) {
      expect(parseRecord(JSON.stringify(record), 1)).toEqual(record);
    }
  });

  it.each([
    ["v", { v: 9 }],
    ["kind", { kind: "wish" }],
    ["id", { id: "" }],
    ["time", { time: "yesterday" }],
    ["judge", { judge: undefined }],
    ["example", { example: 7 }],
    ["action", { action: 2 }],
    ["action", { action: 0.5 }],
    ["probabilities", { probabilities: [0.5, 0.6] }],
    ["probabilities", { probabilities: [null, 1] }],
    ["probabilities", { probabilities: [] }],
    ["propensity", { propensity: 0 }],
    ["reward", { reward: 1.5 }],
    ["reward", { reward: undefined }],
    ["reactionMs", { reactionMs: -1 }],
    ["seed", { seed: 0.5 }],
    ["inclusionProbability", { inclusionProbability: 0 }],
    ["inclusionProbability", { inclusionProbability: undefined }],
    ["purpose", { purpose: "fun" }],
  ])("are refused with file, line and field: %s %o", (field, changes) => {
    const line = JSON.stringify({ ...judgement("a"), ...changes });
    expect(() => parseRecord(line, 3, "f.jsonl")).toThrow(
      expect.objectContaining({
        name: "FeedbackLogError",
        file: "f.jsonl",
        line: 3,
        field,
        message: expect.stringMatching(new RegExp(`^f\\.jsonl:3: .*"${field}"`)),
      }),
    );
  });

  it("of version 1 are brought up to this one", () => {
    const { inclusionProbability: _, purpose: __, acquisition, ...rest } = judgement("a");
    const old = { ...rest, chosenBy: acquisition };
    const line = JSON.stringify({ ...old, v: 1 });
    expect(parseRecord(line, 1)).toEqual(judgement("a", { inclusionProbability: null }));
    expect(parseRecord(JSON.stringify({ ...retraction("a"), v: 1 }), 1)).toEqual(retraction("a"));
    expect(() => parseRecord(JSON.stringify({ ...old, v: 1, reward: 2 }), 1)).toThrow(/"reward"/);
  });

  it("of version 2 are brought up to this one", () => {
    const { inclusionProbability, acquisition, ...rest } = judgement("a", { inclusionProbability: 0.5 });
    const old = { ...rest, v: 2, chosenBy: acquisition, chosenWith: inclusionProbability };
    expect(parseRecord(JSON.stringify(old), 1)).toEqual(judgement("a", { inclusionProbability: 0.5 }));
    expect(parseRecord(JSON.stringify({ ...retraction("a"), v: 2 }), 1)).toEqual(retraction("a"));
    expect(() => parseRecord(JSON.stringify({ ...old, chosenWith: 2 }), 1)).toThrow(/"inclusionProbability"/);
  });

  it("are refused if a preference is not between two", () => {
    const { action: _, reward: __, ...asked } = judgement("a");
    const preference = { ...asked, kind: "preference", preferred: 0, rejected: 1 };
    expect(parseRecord(JSON.stringify(preference), 1)).toEqual(preference);
    for (const changes of [{ rejected: 0 }, { rejected: 2 }, { preferred: undefined }]) {
      expect(() => parseRecord(JSON.stringify({ ...preference, ...changes }), 1)).toThrow(/"(preferred|rejected)"/);
    }
  });

  it("are refused if they are no objects", () => {
    for (const line of ["", "nonsense", "[]", "null", "3"]) {
      expect(() => parseRecord(line, 2, "f")).toThrow(/^f:2: /);
    }
  });

  it("count once, in order, less what was retracted", () => {
    const b = judgement("b", { reward: null });
    const records = [
      judgement("a"),
      b,
      judgement("c"),
      judgement("a", { reward: -1 }),
      retraction("c"),
      judgement("d"),
    ];
    const kept = activeJudgements(records);
    expect(ids(kept)).toEqual(["a", "b", "d"]);
    expect(kept[0]?.reward).toBe(1);
    expect(ids(rewarded(kept))).toEqual(["a", "d"]);
    expect(ids(rewarded([judgement("e", { purpose: "evaluation" }), judgement("f")]))).toEqual(["f"]);
  });
});

describe("memoryLog", () => {
  it("undoes the last judgement that counts, of one judge or of all", async () => {
    const log = memoryLog();
    await log.append(judgement("a"));
    await log.append(judgement("b", { judge: "Bob" }));
    await log.append(judgement("c"));
    expect((await log.undo("Bob"))?.id).toBe("b");
    expect((await log.undo("Bob"))?.id).toBe(undefined);
    expect((await log.undo())?.id).toBe("c");
    expect(ids(log.judgements())).toEqual(["a"]);
    expect((await log.undo())?.id).toBe("a");
    expect(await log.undo()).toBe(undefined);
    expect(ids(log.records())).toEqual(["a", "b", "c", "undo b", "undo c", "undo a"]);
  });

  it("takes a retried record once, and no other record of its id", async () => {
    const log = memoryLog();
    await Promise.all([log.append(judgement("a")), log.append(judgement("a"))]);
    await expect(log.append(judgement("a", { reward: -1 }))).rejects.toThrow(/"a" already/);
    expect(log.records().length).toBe(1);
  });

  it("refuses what could not be read again", async () => {
    const log = memoryLog();
    await expect(log.append(judgement("a", { reward: Number.NaN }))).rejects.toThrow(/"reward"/);
    await log.close();
    await expect(log.append(judgement("a"))).rejects.toThrow(/closed/);
  });

  it("keeps its records whatever the caller does to theirs", async () => {
    const record = { ...judgement("a"), probabilities: [0.25, 0.75] };
    const log = memoryLog();
    const done = log.append(record);
    record.probabilities[0] = 9;
    await done;
    expect(log.judgements()[0]?.probabilities).toEqual([0.25, 0.75]);
  });
});

describe("logOver", () => {
  it("shows a record only when it is stored, and goes on after a failure", async () => {
    const stored: string[] = [];
    const log = logOver({
      async write(lines) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (lines.join().includes('"bad"')) throw new Error("full");
        stored.push(...lines);
      },
      async close() {},
    });
    const [a, bad, c] = [log.append(judgement("a")), log.append(judgement("bad")), log.append(judgement("c"))];
    const undone = log.undo();
    const failed = expect(bad).rejects.toThrow("full");
    expect(log.records().length).toBe(0);
    await Promise.all([a, c, failed, log.close()]);
    expect((await undone)?.id).toBe("c");
    expect(ids(stored.map((line) => JSON.parse(line)))).toEqual(["a", "c", "undo c"]);
  });
});

describe("openFeedbackLog", () => {
  let folder: string;
  let path: string;
  let notices: string[];
  const open = () => openFeedbackLog(path, { onNotice: (notice) => notices.push(notice) });
  const lines = (...records: FeedbackRecord[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "handgrad-log-"));
    path = join(folder, "feedback.jsonl");
    notices = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("holds what was said in one run for the next, undo included, and leaves no lock", async () => {
    const first = await open();
    await Promise.all(["a", "b", "c"].map((id) => first.append(judgement(id))));
    expect((await readFile(path, "utf8")).split("\n").length).toBe(4);
    await first.undo();
    await first.close();
    const second = await open();
    expect(ids(second.judgements())).toEqual(["a", "b"]);
    await second.undo();
    await second.close();
    const third = await open();
    expect(ids(third.judgements())).toEqual(["a"]);
    expect(third.records().length).toBe(5);
    await third.close();
    expect(notices).toEqual([]);
    expect(await readdir(folder)).toEqual(["feedback.jsonl"]);
  });

  it("makes the folder", async () => {
    path = join(folder, "new", "folder", "f.jsonl");
    await (await open()).close();
    expect(await readFile(path, "utf8")).toBe("");
  });

  it("reads a file that was cut anywhere, and goes on writing", async () => {
    const records = ["ä", "b", "c"].map((id) => judgement(id));
    const whole = Buffer.from(lines(...records));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (cut) => {
        notices = [];
        const kept = whole.subarray(0, cut);
        await writeFile(path, kept);
        let complete = kept.filter((byte) => byte === 0x0a).length;
        // A record that lacks nothing but its newline is not torn.
        if (whole[cut] === 0x0a && cut > 0) complete++;
        const log = await open();
        expect(ids(log.records())).toEqual(ids(records.slice(0, complete)));
        expect(notices.length).toBe(cut === 0 || whole[cut - 1] === 0x0a ? 0 : 1);
        await log.append(judgement("new"));
        await log.close();
        expect(await readFile(path, "utf8")).toBe(lines(...records.slice(0, complete), judgement("new")));
      }),
      { numRuns: 60, examples: [[0], [whole.length], [whole.length - 1], [whole.length - 2]] },
    );
  });

  it("drops a last line that a crash filled with zeros, and keeps it beside the log", async () => {
    for (const torn of ["\0\0\0", '{"v":2,"kind":"jud\0\0']) {
      await writeFile(path, `${lines(judgement("a"))}${torn}`);
      const log = await open();
      expect(ids(log.records())).toEqual(["a"]);
      expect(notices.at(-1)).toContain(`${path}:2: dropped`);
      await log.close();
      expect(await readFile(`${path}.torn`, "utf8")).toContain(torn);
      expect(await readFile(path, "utf8")).toBe(lines(judgement("a")));
    }
  });

  const damaged = JSON.stringify(judgement("b"));
  it.each<[string, string | Buffer]>([
    ["zeros with a newline", "\0\0\0\n"],
    ["a quote that became another character", `${damaged.replace('"reward"', '#reward"')}\n`],
    ["the same without a newline", damaged.replace('"reward"', '#reward"')],
    ["a bracket too many, without a newline", `${damaged}}`],
    [
      "no UTF-8",
      Buffer.concat([Buffer.from(damaged.slice(0, 40)), Buffer.from([0xff]), Buffer.from(damaged.slice(41))]),
    ],
    ["a value that cannot be, without a newline", damaged.replace('"reward":1', '"reward":7')],
    ["another text, without a newline", "hello"],
    ["a control character in a cut line", damaged.slice(0, 60).replace("judge", "ju\u0007ge")],
  ])("refuses a last line that is damaged and not cut off, and changes nothing: %s", async (_, bad) => {
    const content = Buffer.concat([Buffer.from(lines(judgement("a"))), Buffer.from(bad)]);
    await writeFile(path, content);
    await expect(open()).rejects.toThrow(`${path}:2: `);
    await expect(
      (async () => {
        for await (const _ of readFeedbackLog(path)) void _;
      })(),
    ).rejects.toThrow(`${path}:2: `);
    expect(await readFile(path)).toEqual(content);
    expect(await readdir(folder)).toEqual(["feedback.jsonl"]);
  });

  it("says whether what occurs again says something else", async () => {
    await writeFile(path, lines(judgement("a"), judgement("a"), judgement("a", { reward: -1 })));
    const log = await open();
    expect(log.records()).toEqual([judgement("a")]);
    await log.close();
    expect(notices.map((notice) => notice.replace(/.*: id/, "id"))).toEqual([
      'id "a" occurs again and counts once',
      'id "a" occurs again and says something else; the first counts',
    ]);
  });

  it("knows a line that was cut off from one that is damaged, wherever it was cut", async () => {
    const texts = ['a}"', "\\", "ä€😀", "\n\t", "}", "{["];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.nat(1000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (id, at, p) => {
          const whole = Buffer.from(JSON.stringify(judgement(id, { probabilities: [p, 1 - p], reactionMs: p * 1e-9 })));
          const cut = whole.subarray(0, 1 + (at % (whole.length - 1)));
          await writeFile(path, cut);
          const log = await open();
          expect(log.records()).toEqual([]);
          await log.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it("knows where a number was cut off, however it is written", async () => {
    for (const p of [0, 1, 0.5, 3e-323, 1.5e-7, 1e-9, 1e-10]) {
      const whole = Buffer.from(JSON.stringify(judgement("n", { probabilities: [p, 1 - p], reactionMs: p })));
      for (let n = 1; n < whole.length; n++) {
        await writeFile(path, whole.subarray(0, n));
        const log = await open();
        expect(log.records(), whole.toString("utf8", 0, n)).toEqual([]);
        await log.close();
      }
    }
  });

  describe("what is said to be stored can be found", () => {
    const opened = async () => {
      const log = await open();
      for (const id of ["a", "b"]) await log.append(judgement(id));
      return log;
    };
    it.each<[string, () => Promise<void>, RegExp]>([
      ["its file is deleted", () => rm(path), /deleted or moved/],
      ["its file is moved away", () => rename(path, `${path}.bak`), /deleted or moved/],
      [
        "its file is replaced, as editors do",
        () => copyFile(path, `${path}~`).then(() => rename(`${path}~`, path)),
        /replaced/,
      ],
      ["its file is emptied", () => truncate(path, 0), /somebody else wrote/],
    ])("or it is an error: %s", async (_, act, said) => {
      const log = await opened();
      await act();
      const after = await readFile(path).catch(() => undefined);
      await expect(log.append(judgement("d"))).rejects.toThrow(said);
      await expect(log.append(judgement("e"))).rejects.toThrow("open the log again");
      expect(ids(log.records())).toEqual(["a", "b"]);
      await log.close();
      expect(await readFile(path).catch(() => undefined)).toEqual(after);
    });

    it("beside what somebody else added meanwhile: whole lines stay, half a line is taken off, damage is an error", async () => {
      const log = await opened();
      await appendFile(path, lines(judgement("x"), judgement("y")));
      await log.append(judgement("c"));
      await appendFile(path, '{"v":2,"ki');
      await log.append(judgement("d"));
      expect(await readFile(path, "utf8")).toBe(lines(...["a", "b", "x", "y", "c", "d"].map((id) => judgement(id))));
      expect(notices.join("\n")).toMatch(/somebody else added 2 records[\s\S]*:6: dropped a last line/);
      expect(await readFile(`${path}.torn`, "utf8")).toBe('{"v":2,"ki\n');
      await appendFile(path, "hello\n");
      await expect(log.append(judgement("e"))).rejects.toThrow(/not stored.*:7/);
      await log.close();
    });

    it("or it is an error: the folder is deleted", async () => {
      const own = join(folder, "own");
      path = join(own, "feedback.jsonl");
      const log = await opened();
      await rm(own, { recursive: true });
      await expect(log.append(judgement("d"))).rejects.toThrow(/deleted or moved/);
      await log.close();
    });

    it("a disk that is full takes half a line, which is taken off; lines of others are not", async () => {
      for (const others of ["", lines(judgement("other"))]) {
        await rm(path, { force: true });
        const log = await opened();
        const before = await readFile(path, "utf8");
        const handle = await openHandle(path);
        await handle.close();
        const prototype = Object.getPrototypeOf(handle);
        const write = prototype.write;
        const spy = vi.spyOn(prototype, "write").mockImplementation(async function (this: unknown, ...args: unknown[]) {
          const [bytes, at] = args;
          if (at === 0) return write.call(this, bytes, 0, 10);
          await appendFile(path, others);
          throw new Error("ENOSPC: no space left on device, write");
        });
        await expect(log.append(judgement("d"))).rejects.toThrow(/the record was not stored: ENOSPC/);
        spy.mockRestore();
        await expect(log.append(judgement("d"))).rejects.toThrow("open the log again");
        await log.close();
        expect((await readFile(path, "utf8")).length).toBe(before.length + (others ? 10 + others.length : 0));
      }
    });
  });

  describe("appendAll", () => {
    it("stores what is new, in order, and says how many", async () => {
      const log = await open();
      await log.append(judgement("a"));
      const [added, later] = await Promise.all([
        log.appendAll(["b", "a", "c", "b"].map((id) => judgement(id))),
        log.appendAll([judgement("d")]),
      ]);
      expect([added, later, await log.appendAll([])]).toEqual([2, 1, 0]);
      await log.append(judgement("e"));
      await log.close();
      expect(await readFile(path, "utf8")).toBe(lines(...["a", "b", "c", "d", "e"].map((id) => judgement(id))));
      expect((await readdir(folder)).length).toBe(1);
    });

    it("stores nothing where one is not valid, or its id stands for another", async () => {
      const log = await open();
      await log.append(judgement("a"));
      const bad = { ...judgement("b"), reward: 7 } as Judgement;
      for (const clash of [bad, judgement("a", { reward: -1 })]) {
        await expect(log.appendAll([judgement("c"), clash, judgement("d")])).rejects.toThrow(FeedbackLogError);
      }
      expect(ids(log.records())).toEqual(["a"]);
      await log.close();
      expect(await readFile(path, "utf8")).toBe(lines(judgement("a")));
    });

    it("stores nothing where the disk is full", async () => {
      const log = await open();
      await log.append(judgement("a"));
      const handle = await openHandle(path);
      await handle.close();
      const spy = vi.spyOn(Object.getPrototypeOf(handle), "sync").mockRejectedValue(new Error("ENOSPC: no space left"));
      await expect(log.appendAll([judgement("b"), judgement("c")])).rejects.toThrow(
        /none of the 2 records was stored: .*ENOSPC/,
      );
      spy.mockRestore();
      await log.close();
      expect(await readFile(path, "utf8")).toBe(lines(judgement("a")));
      expect(await readdir(folder)).toEqual(["feedback.jsonl"]);
    });
  });

  it.each([
    ["a folder", () => mkdir(path), "it is not a file"],
    ["a device", () => symlink("/dev/null", path), "it is not a file"],
    ["a link to itself", () => symlink(path, path), "ELOOP"],
  ])("refuses what cannot be a log: %s", async (_, make, said) => {
    await make();
    await expect(open()).rejects.toThrow(expect.objectContaining({ name: "FeedbackLogError", file: path }));
    await expect(open()).rejects.toThrow(said);
  });

  it.each([
    ["no JSON", '{"v":1\n'],
    ["empty", "\n"],
    ["not UTF-8", Buffer.from([0x22, 0xff, 0x22, 0x0a])],
    ["no record", '{"v":1,"kind":"judgement"}\n'],
  ])("refuses a corrupt line in the middle and changes nothing: %s", async (_, bad) => {
    const content = Buffer.concat([
      Buffer.from(lines(judgement("a"))),
      Buffer.from(bad),
      Buffer.from(lines(judgement("b"))),
    ]);
    await writeFile(path, content);
    await expect(open()).rejects.toThrow(expect.objectContaining({ name: "FeedbackLogError", file: path, line: 2 }));
    await expect(open()).rejects.toThrow(`${path}:2: `);
    expect(await readFile(path)).toEqual(content);
    expect(await readdir(folder)).toEqual(["feedback.jsonl"]);
  });

  it("never drops a last line that is whole but of another version", async () => {
    const content = lines(judgement("a"), { ...judgement("b"), v: 9 } as unknown as Judgement);
    await writeFile(path, content);
    await expect(open()).rejects.toThrow(/:2: field "v" is 9/);
    expect(await readFile(path, "utf8")).toBe(content);
  });

  it("counts a duplicate once", async () => {
    await writeFile(path, lines(judgement("a"), judgement("b"), judgement("a", { reward: -1 })));
    const log = await open();
    expect(log.judgements().map((one) => [one.id, one.reward])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    await log.close();
  });

  it("has one writer, whose pid the other learns", async () => {
    const log = await open();
    await expect(open()).rejects.toThrow(FeedbackLogError);
    await expect(open()).rejects.toThrow(`written by process ${process.pid};`);
    await log.append(judgement("a"));
    await log.close();
    await (await open()).close();
  });

  it("lets only one of many in at once", async () => {
    await writeFile(`${path}.lock`, '{"pid":');
    const logs = await Promise.allSettled(Array.from({ length: 10 }, open));
    const opened = logs.flatMap((log) => (log.status === "fulfilled" ? [log.value] : []));
    expect(opened.length).toBe(1);
    await opened[0]?.close();
  });

  it("refuses a lock of another machine, and takes over one whose pid is another process now", async () => {
    await writeFile(`${path}.lock`, JSON.stringify({ pid: process.pid, start: "1", host: "elsewhere" }));
    await expect(open()).rejects.toThrow(/on elsewhere/);
    await rm(`${path}.lock`);
    if (process.platform !== "linux") return;
    const { hostname } = await import("node:os");
    await writeFile(`${path}.lock`, JSON.stringify({ pid: process.pid, start: "1", host: hostname() }));
    await (await open()).close();
  });
});
