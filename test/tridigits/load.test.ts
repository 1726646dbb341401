import { cpSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTriDigits } from "../../demo/tridigits/load.ts";
import { DataError } from "../../src/data/index.ts";

const data = fileURLToPath(new URL("../../demo/data/tridigits", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-data-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = ["images.u8.gz", "labels.u8.gz", "clips.ulaw", "clips.json", "hints.json"];

test.each(files)("a missing or cut off %s is one error that names it", (name) => {
  const copy = join(folder, name);
  cpSync(data, copy, { recursive: true, filter: (path) => !path.includes("licenses") });
  truncateSync(join(copy, name), name === "labels.u8.gz" ? 30 : 5000);
  const load = () => loadTriDigits(copy);
  expect(load).toThrow(DataError);
  expect(load).toThrow(name);
  rmSync(join(copy, name));
  expect(load).toThrow(DataError);
  expect(load).toThrow(`${name} is missing`);
});
