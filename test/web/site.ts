import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { serveSite } from "../../demo/web/serve-site.ts";
import { buildSite } from "../../demo/web/site.ts";
import { chromiumOptions } from "../../scripts/chromium.ts";

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

/** Changes the page's worker, before anything of it runs: `source` becomes the first of it. */
export async function changeWorker(site: Site, source: string): Promise<void> {
  // Else the service worker answers, and nothing can be changed on the way.
  await site.context.route("**/offline.js", (route) => route.abort());
  await site.context.route("**/worker.js", async (route) => {
    const response = await route.fetch({ maxRetries: 3 });
    // Imports of a module come first whatever stands before them, so this may stand anywhere.
    await route.fulfill({ response, body: `${source}\n${await response.text()}` });
  });
}

/**
 * For `changeWorker`: a storage that is full from the second record of a write on, while `fillStorage` says so. (Chromium's own
 * limit, set by its devtools, is not looked at for writes as small as these.)
 */
export const FILLING = `{
  let left = Infinity;
  const channel = new BroadcastChannel("storage");
  channel.onmessage = ({ data }) => { left = data ? 1 : Infinity; channel.postMessage("heard"); };
  for (const name of ["add", "put"]) {
    const store = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...args) {
      if (left-- <= 0) throw new DOMException("no room", "QuotaExceededError");
      return store.apply(this, args);
    };
  }
}`;

/** Fills the storage of a page whose worker was changed by `FILLING`; or makes room. */
export const fillStorage = (page: Page, full: boolean): Promise<void> =>
  page.evaluate(
    (full) =>
      new Promise((resolve) => {
        const channel = new BroadcastChannel("storage");
        channel.onmessage = () => {
          channel.close();
          resolve();
        };
        channel.postMessage(full);
      }),
    full,
  );

/** The lines of a log in the page's storage. */
export const linesOf = (page: Page, name = "handgrad-feedback"): Promise<string[]> =>
  page.evaluate(
    (name) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const db = opening.result;
          const reading = db.transaction("lines").objectStore("lines").getAll();
          reading.onsuccess = () => {
            db.close();
            resolve(reading.result as string[]);
          };
        };
      }),
    name,
  );
