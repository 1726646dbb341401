import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, type Page } from "./chromium.ts";

let page: Page;
beforeAll(async () => {
  page = await openPage(fileURLToPath(new URL("feedback-log.ts", import.meta.url)));
});
afterAll(() => page?.close());

test("a judgement is acknowledged after its transaction is complete, and that is a strict one", async () => {
  expect(await page.call("open", "log")).toBe("0 records");
  await page.call("append", 1);
  await page.call("append", 2);
  const seen = await page.call<string[]>("seen");
  expect(seen).toEqual(["begun strict", "complete", "acknowledged 1", "begun strict", "complete", "acknowledged 2"]);
});

test("one writer at a time: a second is refused until the first is closed", async () => {
  expect(await page.call("open", "log")).toContain("another tab of this browser is writing this log");
  expect(await page.call("open", "another log")).toBe("0 records");
  await page.call("close");
});

test("what was stored is there when the log is opened again; an undo is one more record", async () => {
  await page.reload();
  expect(await page.call("open", "log")).toBe("2 records");
  expect(await page.call("undo")).toBe("judgement 2");
  expect(await page.call("ids")).toEqual(["judgement 1"]);
  await page.call("close");
  expect(await page.call("open", "log")).toBe("3 records");
  expect(await page.call("ids")).toEqual(["judgement 1"]);
  await page.call("close");
});

test("a line that is no record is an error that names it, and gives the log back", async () => {
  await page.call("damage", "log");
  for (let i = 0; i < 2; i++) expect(await page.call("open", "log")).toContain('log:4: field "id" of a judgement');
  expect(page.errors).toEqual([]);
});
