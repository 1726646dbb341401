import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Image } from "../../src/data/index.ts";
import { openPage, type Page } from "./chromium.ts";

const fixtures = new URL("../data/fixtures/", import.meta.url);
const expected: Record<string, { width: number; height: number; channels: number; bytes: number[] }> = JSON.parse(
  readFileSync(new URL("images.json", fixtures), "utf8"),
).files;
const file = (name: string) => [...readFileSync(new URL(name, fixtures))];

let page: Page;
beforeAll(async () => {
  page = await openPage(fileURLToPath(new URL("preprocessing.ts", import.meta.url)));
});
afterAll(() => page?.close());

test.each(Object.entries(expected))("Chromium decodes %s as Pillow", async (name, { bytes, ...sizes }) => {
  const found = await page.call<Image | string>("decode", file(name), name);
  if (typeof found === "string") throw new Error(found);
  expect(found).toMatchObject(sizes);
  const { channels, data } = found;
  const worst = Math.max(
    ...bytes.map((x, i) => {
      const alpha = channels % 2 === 0 ? data[i - (i % channels) + channels - 1]! : 255;
      const own = channels % 2 === 0 && i % channels === channels - 1;
      // A canvas keeps colours multiplied by alpha in 8 bits: what is half transparent comes back so much coarser.
      return Math.abs(x - data[i]!) * (own ? 1 : alpha / 255);
    }),
  );
  expect(worst).toBeLessThanOrEqual(name.endsWith("jpg") ? 3 : 1);
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
