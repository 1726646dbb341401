import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, type Page } from "../../scripts/chromium.ts";

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

test("an import whose transaction fails midway leaves everything as it was, and the log goes on", async () => {
  for (const [i, fault] of (await page.call<string[]>("faults")).entries()) {
    expect(await page.call("open", `import ${i}`), fault).toBe("0 records");
    await page.call("append", 1);
    expect(await page.call("import", 10, fault), fault).toMatch(/none of the 5 records was stored: \w/);
    expect(await page.call("ids"), fault).toEqual(["judgement 1"]);
    await page.call("close");
    expect(await page.call("open", `import ${i}`), fault).toBe("1 records");
    expect(await page.call("import", 10), fault).toBe("5 added");
    await page.call("close");
    expect(await page.call("open", `import ${i}`), fault).toBe("6 records");
    await page.call("close");
  }
});

test("a name that is none is refused", async () => {
  for (const name of ["", 3, null])
    expect(await page.call("openNameless", name)).toContain("expected the name of a database");
});

test("a line that is no record is an error that names it, and gives the log back", async () => {
  await page.call("damage", "log");
  for (let i = 0; i < 2; i++) expect(await page.call("open", "log")).toContain('log:4: field "id" of a judgement');
  expect(page.errors).toEqual([]);
});
