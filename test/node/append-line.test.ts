import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appendLine } from "../../src/node/append-line.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-lines-"));
  file = join(folder, "lines");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("lines follow one another, and one that was cut off does not take the next with it", async () => {
  await appendLine(file, "one");
  await appendLine(file, "zwölf");
  writeFileSync(file, "tor", { flag: "a" });
  await appendLine(file, "three");
  expect(readFileSync(file, "utf8")).toBe("one\nzwölf\ntor\nthree\n");
});

test("a folder that is missing, or a folder of that name, is an error with the path", async () => {
  await expect(appendLine(join(folder, "no", "file"), "one")).rejects.toThrow(/no\/file was not written: ENOENT/);
  await expect(appendLine(folder, "one")).rejects.toThrow(`${folder} was not written: EISDIR`);
});

test.runIf(existsSync("/dev/full"))("a full disk is an error with the path and the system's code", async () => {
  symlinkSync("/dev/full", file);
  await expect(appendLine(file, "one")).rejects.toMatchObject({
    name: "WriteError",
    code: "ENOSPC",
    message: expect.stringContaining(`${file} was not written: ENOSPC`),
  });
});

test("what is no path and no single line is refused before the file is touched", async () => {
  for (const line of ["one\ntwo", 5, undefined])
    await expect(appendLine(file, line as string)).rejects.toThrow(
      /appendLine: line is .*, expected a text without line/,
    );
  await expect(appendLine(undefined as never, "one")).rejects.toThrow(/appendLine: path is undefined/);
  expect(existsSync(file)).toBe(false);
});
