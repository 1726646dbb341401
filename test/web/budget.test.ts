import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { buildSite } from "../../demo/web/site.ts";

/* What the page may cost in bytes. */

const folder = mkdtempSync(join(tmpdir(), "handgrad-budget-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("all scripts together are under 150 KB, gzipped, and ask for nothing of Node", async () => {
  await buildSite(folder);
  const scripts = readdirSync(folder).filter((file) => file.endsWith(".js"));
  const sizes = scripts.map((file) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length);
  expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(150_000);
  for (const file of scripts) expect(readFileSync(join(folder, file), "utf8"), file).not.toMatch(/from"node:/);
});
