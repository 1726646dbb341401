import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPage, type Page } from "../../scripts/chromium.ts";
import { opNames } from "../cases/names.ts";
import { pageCases } from "./cases.ts";

/* The tests of the ops and of the reference network once more, in a real headless Chromium. */

const cases = await pageCases(opNames());
let page: Page;
beforeAll(async () => {
  page = await openPage(fileURLToPath(new URL("page.ts", import.meta.url)));
  await page.call("load", opNames());
});
afterAll(() => page?.close());

test("opens the browser's own adapter", async () => {
  expect(await page.call<string>("adapter")).toMatch(/./);
});

describe("in Chromium", () => {
  for (const { name } of cases) {
    test(name, async () => {
      const error = await page.call<string | null>("runCase", name);
      if (error !== null) throw new Error(error);
    });
  }
});

test("the page reported no error", () => {
  expect(page.errors).toEqual([]);
});
