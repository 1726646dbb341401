import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lock } from "../../src/node/lock.ts";
import { runChild } from "./child.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-lock-"));
  file = join(folder, "log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const here = hostname();
/** Locks that nobody holds. */
const stale: Record<string, string> = {
  none: "",
  "of a pid that is nobody's": JSON.stringify({ pid: 2 ** 22 - 3, start: "1", host: here }),
  "of a pid that is another process by now": JSON.stringify({ pid: process.pid, start: "12345", host: here }),
  "half written": '{"pid":12',
  "of no process": JSON.stringify({ pid: -1, host: here }),
  "text of others": "x".repeat(1 << 16),
  null: "null",
};

describe("many at once, of which one gets it", () => {
  test.each(Object.entries(stale))("the lock there is %s", async (_, text) => {
    if (text) writeFileSync(`${file}.lock`, text);
    const taken = await Promise.allSettled(Array.from({ length: 12 }, () => lock(file)));
    const got = taken.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(got).toHaveLength(1);
    got[0]!();
    got[0]!();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("processes that find the lock of a dead one, again and again", { timeout: 60_000 }, async () => {
    writeFileSync(`${file}.lock`, stale["of a pid that is nobody's"]!);
    // Whoever has it makes a file that must not be there yet.
    const source = `
      import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
      import { lock } from "./src/node/lock.ts";
      let got = 0;
      for (const until = Date.now() + 1500; Date.now() < until; ) {
        const unlock = await lock(${JSON.stringify(file)}).catch(() => undefined);
        if (!unlock) continue;
        closeSync(openSync(${JSON.stringify(`${file}.mine`)}, "wx"));
        got += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
        rmSync(${JSON.stringify(`${file}.mine`)});
        unlock();
        // As if it had been killed with it.
        if (got % 2) try { writeFileSync(${JSON.stringify(`${file}.lock`)}, ${JSON.stringify(stale["of a pid that is nobody's"])}, { flag: "wx" }); } catch {}
      }
      console.log(got > 0 ? "got it" : "never");`;
    const ended = await Promise.all([1, 2, 3].map(() => runChild(source, { packages: [] })));
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(Array(3).fill([0, ""]));
    expect(ended.map(({ stdout }) => stdout)).toContain("got it\n");
  });
});

test("one of another machine, or of a process that runs, is refused with what to do", async () => {
  const locked = (holder: object) => {
    writeFileSync(`${file}.lock`, JSON.stringify(holder));
    return lock(file);
  };
  await expect(locked({ pid: 4242, start: "1", host: "elsewhere" })).rejects.toThrow(
    `log is being written by process 4242 on elsewhere; it has one writer at a time. Close that one, or remove ${file}.lock if it is gone`,
  );
  await expect(locked({ pid: process.ppid, start: null, host: here })).rejects.toThrow(`by process ${process.ppid};`);
  expect(readdirSync(folder)).toEqual(["log.lock"]);
});

test("who removed a lock by hand and took it is not robbed of it by the one before", async () => {
  const before = await lock(file);
  rmSync(`${file}.lock`);
  const after = await lock(file);
  before();
  expect(existsSync(`${file}.lock`)).toBe(true);
  after();
  expect(readdirSync(folder)).toEqual([]);
});

test("a claim of the dead is removed, and one of another machine named after a while", {
  timeout: 20_000,
}, async () => {
  const unlock = await lock(file);
  unlock();
  const claim = (pid: number, host: string) => {
    // As src/node/lock.ts names them: hash of the lock's name, then who.
    const hash = createHash("sha256").update("log.lock").digest("hex").slice(0, 16);
    return join(folder, `.handgrad-${hash}-${pid}-1-0-0123456789abcdef-${host}`);
  };
  writeFileSync(claim(2 ** 22 - 3, encodeURIComponent(here)), "");
  (await lock(file))();
  expect(readdirSync(folder)).toEqual([]);
  writeFileSync(claim(1, "elsewhere"), "");
  await expect(lock(file)).rejects.toThrow(`If nobody is, remove ${claim(1, "elsewhere")}`);
});

describe.runIf(process.platform === "linux" || process.platform === "darwin")("worker threads", () => {
  let script: string;
  beforeAll(async () => {
    script = join(mkdtempSync(join(tmpdir(), "handgrad-lock-worker-")), "worker.mjs");
    await build({
      stdin: {
        contents: `import { parentPort, workerData } from "node:worker_threads";
          import { lock } from "./src/node/lock.ts";
          await lock(workerData.file).then(() => parentPort.postMessage("got it"), ({ message }) => parentPort.postMessage(message));
          if (workerData.stay) setInterval(() => {}, 1000);`,
        resolveDir: resolve(import.meta.dirname, "../.."),
        loader: "ts",
      },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: script,
    });
  });
  afterAll(() => rmSync(resolve(script, ".."), { recursive: true }));

  const start = (stay: boolean) => {
    const worker = new Worker(script, { workerData: { file, stay } });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    return new Promise<{ worker: Worker; said: string; ended: Promise<unknown> }>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (said: string) => resolve({ worker, said, ended }));
    });
  };

  test("one that holds it keeps others out, and gives it back by its end, whichever", async () => {
    for (const stay of [true, false]) {
      const { worker, said, ended } = await start(stay);
      expect(said).toBe("got it");
      if (stay) {
        await expect(lock(file)).rejects.toThrow(`(worker thread ${worker.threadId} of it)`);
        expect((await start(false)).said).toContain(`by process ${process.pid};`);
        await worker.terminate();
      }
      await ended;
      const unlock = await lock(file);
      expect(JSON.parse(readFileSync(`${file}.lock`, "utf8"))).toMatchObject({ pid: process.pid });
      expect((await start(false)).said).toContain(`by process ${process.pid};`);
      unlock();
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("what is no path is refused by name", async () => {
  await expect(lock(undefined as never)).rejects.toThrow(/lock: file is undefined, expected a text/);
});
