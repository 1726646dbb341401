import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumOptions } from "../../scripts/chromium.ts";
import { serveSite } from "./serve-site.ts";
import { buildSite } from "./site.ts";

/*
 * npm run screenshots [-- folder]: the pictures of the page in docs/, taken in the npm-shipped Chromium. A simulated
 * judge answers first, so that there is something to see.
 */

const JUDGEMENTS = 100;
const to = process.argv[2] ?? "docs";
const root = mkdtempSync(join(tmpdir(), "handgrad-screenshots-"));
await buildSite(join(root, "site"));
const { url, server } = await serveSite(join(root, "site"));

const open = async (options: BrowserContextOptions) => {
  const context = await chromium.launchPersistentContext(join(root, "profile"), {
    ...chromiumOptions(),
    locale: "en-US",
    ...options,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(600_000);
  await page.goto(url);
  await page.locator(".says").waitFor();
  return { context, page };
};

/** An example with a hint and an answer that is not plain, so that the picture says something. */
async function showGoodQuestion(page: Page): Promise<void> {
  for (let i = 0; i < 12; i++) {
    const hinted = (await page.locator(".hint").count()) > 0;
    const sure = Number.parseInt((await page.locator(".says span").textContent()) ?? "0", 10);
    if (hinted && sure > 35 && sure < 97) return;
    const answer = await page.locator(".says").getAttribute("data-answer");
    await page.keyboard.press("s");
    await page.waitForFunction(
      (answer) => document.querySelector(".says")?.getAttribute("data-answer") !== answer,
      answer,
    );
  }
}

try {
  const wide = { viewport: { width: 1180, height: 900 }, colorScheme: "light" as const };
  const { context, page } = await open(wide);
  await page.locator(".learned .chart tbody tr").first().waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Let it judge" }).click();
  await page.waitForFunction(
    (n) => Number.parseInt(document.querySelector('[data-test="judged"]')?.textContent ?? "", 10) >= n,
    JUDGEMENTS,
  );
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.getByRole("button", { name: "Let it judge" }).waitFor();
  await page.getByRole("button", { name: "Why?" }).click();
  await showGoodQuestion(page);
  await page.locator(".why table").waitFor();
  await page.screenshot({ path: join(to, "page-light.png"), fullPage: true });

  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${url}#progress`);
  await page.getByRole("button", { name: "Measure now" }).click();
  await page.locator(".insight").waitFor();
  await page.screenshot({ path: join(to, "page-dark.png"), fullPage: true });

  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`${url}#judge`);
  await page.locator(".says").waitFor();
  await page.screenshot({ path: join(to, "page-phone.png") });
  await context.close();
} finally {
  server.close();
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
}
