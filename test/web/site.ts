import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { serveSite } from "../../demo/web/serve-site.ts";
import { buildSite } from "../../demo/web/site.ts";
import { chromiumOptions } from "../browser/chromium.ts";

/** The real page, built, served under a path of its own, and opened in the npm-shipped Chromium. */
export interface Site {
  readonly url: string;
  readonly folder: string;
  readonly context: BrowserContext;
  readonly page: Page;
  /** What pages wrote to their consoles as errors, and errors that nobody caught. */
  readonly errors: string[];
  /** Every address that was asked for. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Not the root, so that an address that is not relative fails. */
const PATH = "some/where";

export async function openSite(options: BrowserContextOptions = {}, script?: () => void): Promise<Site> {
  const root = mkdtempSync(join(tmpdir(), "handgrad-web-"));
  const folder = join(root, "site", PATH);
  await buildSite(folder);
  const { url, server } = await serveSite(join(root, "site"));
  const context = await chromium.launchPersistentContext(join(root, "profile"), {
    ...chromiumOptions(),
    locale: "en-US",
    viewport: { width: 1200, height: 900 },
    ...options,
  });
  const errors: string[] = [];
  const requests: string[] = [];
  context.on("request", (request) => requests.push(request.url()));
  context.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
  if (script) await context.addInitScript(script);
  // The software device and the page share the machine with whatever else runs on it.
  context.setDefaultTimeout(240_000);
  const page = context.pages()[0] ?? (await context.newPage());
  const site = {
    url: `${url}${PATH}/`,
    folder,
    context,
    page,
    errors,
    requests,
    async close() {
      await context.close();
      server.close();
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  await page.goto(site.url);
  return site;
}

export const firstAnswer = (page: Page): Promise<void> => page.locator(".says").waitFor({ timeout: 120_000 });

/** The number that the counter of judgements shows. */
export const judged = async (page: Page): Promise<number> =>
  Number.parseInt((await page.locator('[data-test="judged"]').textContent()) ?? "", 10);

/** Presses a key, and waits until the counter shows `count` and another question is asked. */
export async function press(page: Page, key: string, count: number): Promise<void> {
  const answer = await page.locator(".says").getAttribute("data-answer");
  await page.keyboard.press(key);
  const moved = page.waitForFunction(
    ([count, answer]) =>
      Number.parseInt(document.querySelector('[data-test="judged"]')?.textContent ?? "", 10) === count &&
      document.querySelector(".says")?.getAttribute("data-answer") !== answer,
    [count, answer] as const,
    { timeout: 120_000 },
  );
  await moved.catch(async (error) => {
    throw new Error(`pressed ${key}: ${await page.locator("body").textContent()}`, { cause: error });
  });
}
