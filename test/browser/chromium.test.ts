import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPage, type Page } from "../../scripts/chromium.ts";
import { networkCases } from "../cases/network.ts";
import { opCases, optimizerCases } from "../cases/ops.ts";

/* The tests of the ops and of the reference network once more, in a real headless Chromium. */

let page: Page;
beforeAll(async () => {
  page = await openPage(fileURLToPath(new URL("cases.ts", import.meta.url)));
});
afterAll(() => page?.close());

test("opens the browser's own adapter", async () => {
  expect(await page.call<string>("adapter")).toMatch(/./);
});

describe("in Chromium", () => {
  for (const { name } of [...opCases, ...optimizerCases, ...networkCases]) {
    test(name, async () => {
      const error = await page.call<string | null>("runCase", name);
      if (error !== null) throw new Error(error);
    });
  }
});

test("the page reported no error", () => {
  expect(page.errors).toEqual([]);
});
