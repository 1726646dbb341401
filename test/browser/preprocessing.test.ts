import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, type Page } from "../../scripts/chromium.ts";
import type { Image } from "../../src/data/index.ts";

const fixtures = new URL("../data/fixtures/", import.meta.url);
/** By data/fixtures/make_pictures.py; test/data/pictures.test.ts holds Node to the same table. */
const pictures: Record<string, { file: string; bytes: string; width: number; height: number; channels: number }> =
  JSON.parse(readFileSync(new URL("pictures.json", fixtures), "utf8"));
const file = (name: string) => [...readFileSync(new URL(name, fixtures))];

let page: Page;
beforeAll(async () => {
  page = await openPage(fileURLToPath(new URL("preprocessing.ts", import.meta.url)));
});
afterAll(() => page?.close());

test("Chromium decodes every picture of the table to the same numbers as Node", async () => {
  for (const [name, { file, bytes, ...sizes }] of Object.entries(pictures)) {
    const found = await page.call<Image | string>("decode", [...Buffer.from(file, "base64")], name);
    if (typeof found === "string") throw new Error(found);
    expect(found, name).toMatchObject(sizes);
    expect(Buffer.from(found.data).equals(Buffer.from(bytes, "base64")), name).toBe(true);
  }
});

test("a damaged file is an error that names it", async () => {
  const bytes = file("rgb.png");
  bytes[50]! ^= 1;
  expect(await page.call("decode", bytes, "x.png")).toContain("x.png: damaged PNG: chunk IDAT at byte 33 has the CRC");
});

test(".npz, packed and read again", async () => {
  expect(await page.call("npz", [1, 2.5, -3])).toEqual([1, 2.5, -3]);
  expect(page.errors).toEqual([]);
});
