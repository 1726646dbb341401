import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSite, type Site } from "./site.ts";

/* What the page may cost of bytes. What it may cost of time: budget.timing.test.ts. */

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site?.close());

/** The scripts that a file of the site loads, itself among them. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(site.folder, file), "utf8");
  for (const [, next] of text.matchAll(/(?:from|import)\(?"\.\/([\w-]+\.js)"/g)) loadedBy(next!, found);
  return found;
}
const weight = (files: Iterable<string>) =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(site.folder, file)), { level: 9 }).length, 0);

test("the scripts of the first screen are under 146 KB, gzipped, all under 160 KB, and ask for nothing of Node", () => {
  const scripts = readdirSync(site.folder).filter((file) => file.endsWith(".js"));
  const first = loadedBy("worker.js", loadedBy("page.js"));
  const [screen, all] = [weight(first), weight(scripts)];
  console.log(
    `scripts, gzipped: ${(screen / 1000).toFixed(1)} KB on the first screen, ${(all / 1000).toFixed(1)} KB in all`,
  );
  expect(first.size).toBeGreaterThan(3);
  expect(screen).toBeLessThan(146_000);
  expect(all).toBeLessThan(160_000);
  for (const file of scripts) expect(readFileSync(join(site.folder, file), "utf8"), file).not.toMatch(/from"node:/);
});
