import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { replaceFile } from "../../src/node/replace-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-replace-"));
  file = join(folder, "model");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** What every file handle of Node inherits, so that a test can be a disk that is full. */
async function handles(): Promise<FileHandle> {
  const handle = await open(join(folder, "any"), "w");
  await handle.close();
  rmSync(join(folder, "any"));
  return Object.getPrototypeOf(handle);
}
const full = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

test("writes text, bytes, and pieces one after the other", async () => {
  await replaceFile(file, "ä");
  expect(readFileSync(file, "utf8")).toBe("ä");
  await replaceFile(file, new Uint8Array([1, 2]));
  expect([...readFileSync(file)]).toEqual([1, 2]);
  await replaceFile(file, ["one ", "two"]);
  expect(readFileSync(file, "utf8")).toBe("one two");
  expect(readdirSync(folder)).toEqual(["model"]);
});

test("goes on where the system took fewer bytes than it was given", async () => {
  const prototype = await handles();
  const write = prototype.write as (bytes: Uint8Array, at: number, length: number) => Promise<{ bytesWritten: number }>;
  vi.spyOn(prototype, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
    const [bytes, at] = args as [Uint8Array, number];
    return write.call(this, bytes, at, 1) as never;
  });
  await replaceFile(file, "letter by letter");
  expect(readFileSync(file, "utf8")).toBe("letter by letter");
});

describe("where it cannot be written the old file stays, and nothing is left beside it", () => {
  test.each(["write", "sync"] as const)("a disk that is full at %s", async (name) => {
    writeFileSync(file, "old");
    vi.spyOn(await handles(), name).mockImplementation(() => Promise.reject(full()));
    await expect(replaceFile(file, "new")).rejects.toMatchObject({
      message: `${file} was not written: ENOSPC: no space left on device, write`,
      code: "ENOSPC",
    });
    expect(readFileSync(file, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["model"]);
  });

  test("a disk that takes half of it and no more", async () => {
    const prototype = await handles();
    const write = prototype.write as (
      bytes: Uint8Array,
      at: number,
      length: number,
    ) => Promise<{ bytesWritten: number }>;
    vi.spyOn(prototype, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
      const [bytes, at] = args as [Uint8Array, number];
      return (at > 0 ? Promise.reject(full()) : write.call(this, bytes, at, 3)) as never;
    });
    await expect(replaceFile(file, "new file", { existing: "keep" })).rejects.toThrow("ENOSPC");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("pieces that fail", async () => {
    const pieces = function* () {
      yield "one";
      throw new Error("mine");
    };
    await expect(replaceFile(file, pieces())).rejects.toThrow("mine");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder that is not there, and one of the file's name", async () => {
    await expect(replaceFile(join(folder, "none", "model"), "x")).rejects.toThrow(/none.model was not written: ENOENT/);
    await expect(replaceFile(folder, "x")).rejects.toThrow(`${folder} was not written`);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test("two who write to one name at once: the file is that of one of them", async () => {
  const contents = ["a", "b", "c", "d"].map((letter, i) => letter.repeat(1e5 * (i + 1)));
  for (let round = 0; round < 5; round++) {
    await Promise.all(contents.map((content) => replaceFile(file, content)));
    expect(contents).toContain(readFileSync(file, "utf8"));
  }
  expect(readdirSync(folder)).toEqual(["model"]);
});

test("`keep` never replaces: also not where two write at once, nor a link that leads nowhere", async () => {
  const done = await Promise.allSettled(["a", "b", "c"].map((text) => replaceFile(file, text, { existing: "keep" })));
  expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const kept = readFileSync(file, "utf8");
  await expect(replaceFile(file, "later", { existing: "keep" })).rejects.toMatchObject({
    message: `${file} is there already, and is kept`,
    code: "EEXIST",
  });
  expect(readFileSync(file, "utf8")).toBe(kept);
  const link = join(folder, "link");
  symlinkSync(join(folder, "nowhere"), link);
  await expect(replaceFile(link, "x", { existing: "keep" })).rejects.toThrow("is there already");
  expect(readdirSync(folder).sort()).toEqual(["link", "model"]);
});

test("a file keeps its permissions, and a link stays one", async () => {
  writeFileSync(file, "old");
  chmodSync(file, 0o600);
  const link = join(folder, "link");
  symlinkSync(file, link);
  await replaceFile(link, "new");
  expect(readFileSync(file, "utf8")).toBe("new");
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a name of 250 letters", async () => {
  const long = join(folder, "n".repeat(250));
  await replaceFile(long, "x");
  expect(readFileSync(long, "utf8")).toBe("x");
});

test("what a killed process left behind is removed an hour later, and nothing else", async () => {
  const left = join(folder, ".model.0123456789abcdef.tmp");
  const fresh = join(folder, ".model.fedcba9876543210.tmp");
  for (const name of [left, fresh, join(folder, ".model.rc")]) writeFileSync(name, "half");
  const before = Date.now() / 1000 - 2 * 3600;
  for (const name of [left, join(folder, ".model.rc")]) utimesSync(name, before, before);
  await replaceFile(file, "x");
  expect(readdirSync(folder).sort()).toEqual([".model.fedcba9876543210.tmp", ".model.rc", "model"]);
});

test("what is no path and no option is refused by name", async () => {
  await expect(replaceFile("", "x")).rejects.toThrow(/replaceFile: path is "", expected a text/);
  await expect(replaceFile(file, "x", { exist: "keep" } as never)).rejects.toThrow(/there is no option "exist"/);
  await expect(replaceFile(file, "x", { existing: "kept" as never })).rejects.toThrow(
    /expected one of replace, keep.*"keep"/,
  );
});
