import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { violations } from "./axe.ts";
import { firstAnswer, judged, openSite, press, type Site } from "./site.ts";

/* For everyone: by keyboard, by screen reader, in both themes, in two languages, on a phone, and when the device goes. */

let site: Site;
let page: Page;
beforeAll(async () => {
  // The page's policy forbids scripts from elsewhere, also this one; that it does is tested where judging is.
  site = await openSite({ bypassCSP: true });
  page = site.page;
  await firstAnswer(page);
});
afterAll(() => site?.close());

const screens: Record<string, (page: Page) => Promise<unknown>> = {
  "#judge": (page) => page.locator(".says").waitFor(),
  "#progress": (page) => page.locator(".charts").waitFor(),
  "#own": (page) => page.locator(".classes").waitFor(),
  "#engine": (page) => page.locator(".engine").waitFor(),
  "#keep": (page) => page.locator(".keep").waitFor(),
  "#credits": (page) => page.getByText("Juan Cazala").waitFor(),
};

test("every screen that menu and footer lead to is looked at here", async () => {
  const links = page.locator("header nav a, footer a[href^='#']");
  const hashes = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")!));
  expect([...new Set(hashes)].sort()).toEqual(Object.keys(screens).sort());
});

test.each(["light", "dark"] as const)("axe finds nothing on any screen (%s)", async (theme) => {
  await page.emulateMedia({ colorScheme: theme });
  for (const [hash, ready] of Object.entries(screens)) {
    await page.goto(site.url + hash);
    await ready(page);
    expect(await violations(page), `${hash} in ${theme}`).toEqual([]);
  }
  await page.goto(`${site.url}bench/`);
  await page.getByRole("button", { name: "Run" }).waitFor();
  expect(await violations(page), `bench in ${theme}`).toEqual([]);
  await page.goto(site.url);
  await firstAnswer(page);
});

test("on a phone no screen is wider than the screen, and buttons are large enough for a finger", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const [hash, ready] of Object.entries(screens)) {
    await page.goto(site.url + hash);
    await ready(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), hash).toBeLessThanOrEqual(360);
  }
  await page.goto(`${site.url}#judge`);
  await firstAnswer(page);
  for (const name of ["Wrong", "Right", "Skip", "Undo"]) {
    const box = await page.locator(".actions").getByRole("button", { name }).boundingBox();
    expect(box!.height, name).toBeGreaterThanOrEqual(40);
  }
  await page.setViewportSize({ width: 1200, height: 900 });
});

test("the answer is announced, and each chart's numbers stand in a table", async () => {
  const says = await page.locator(".says strong").textContent();
  expect(await page.locator("[aria-live=polite]").textContent()).toContain(`The network says ${says}`);
  await page.waitForFunction(() => document.querySelectorAll(".chart tbody tr").length > 0, null, { timeout: 120_000 });
  expect(await page.locator(".chart tbody tr").first().textContent()).toMatch(/^0\d+ %$/);
});

test("by keyboard alone: the first stop skips to the content, the next lead through the menu", async () => {
  await page.goto(site.url);
  await firstAnswer(page);
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip-link");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN");
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("Play");
});

test("Chinese, and back", async () => {
  await page.getByLabel("Language").selectOption("zh");
  expect(await page.locator("h1").textContent()).toBe("它说得对吗？");
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh");
  await page.getByLabel("语言").selectOption("en");
  expect(await page.locator("h1").textContent()).toBe("Is it right?");
});

test("the theme can be chosen against the system's", async () => {
  await page.emulateMedia({ colorScheme: "light" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByLabel("Theme").selectOption("dark");
  expect(await paper()).not.toBe(light);
  await page.getByLabel("Theme").selectOption("auto");
  expect(await paper()).toBe(light);
});

test("with reduced motion nothing moves by itself", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const moving = () => document.getAnimations().length;
  await page.reload();
  expect(await page.evaluate(moving)).toBe(0);
  await firstAnswer(page);
  expect(await page.evaluate(moving)).toBe(0);
});

test("a key is bound anew, shown on its button, and works", async () => {
  await page.goto(`${site.url}#keep`);
  await page.getByRole("button", { name: /^Right/ }).click();
  await page.keyboard.press("j");
  await page.goto(`${site.url}#judge`);
  await firstAnswer(page);
  expect(await page.locator(".actions button.right kbd").textContent()).toBe("J");
  await press(page, "j", 1);
});

test("a lost device is replaced with a notice; the judgements stay and judging goes on", async () => {
  await page.goto(`${site.url}#engine`);
  await page.getByRole("button", { name: "Lose the device" }).click();
  await page.getByText("The device was lost and replaced").waitFor({ timeout: 120_000 });
  await page.goto(`${site.url}#judge`);
  await firstAnswer(page);
  expect(await judged(page)).toBe(1);
  await press(page, "j", 2);
  await press(page, "j", 3);
});

test("where there is no WebGPU, the page says what to do, this browser's way first", async () => {
  // Else the service worker answers, and nothing can be changed on the way.
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.unregister());
  const old = await site.context.newPage();
  await old.route("**/worker.js", async (route) => {
    const response = await route.fetch();
    const without = 'Object.defineProperty(Object.getPrototypeOf(navigator), "gpu", { get: () => undefined });';
    // Imports of a module come first whatever stands before them, so this may stand anywhere.
    await route.fulfill({ response, body: `${without}\n${await response.text()}` });
  });
  await old.goto(`${site.url}?without`);
  await old.getByText("This browser has no WebGPU").waitFor({ timeout: 60_000 });
  expect(await old.locator(".startupError li").first().textContent()).toContain("Chrome or Edge");
  await old.close();
});

test("a second tab is told about the first", async () => {
  const second = await site.context.newPage();
  await second.goto(site.url);
  await second.getByText("The page is open in another tab").waitFor({ timeout: 120_000 });
  await second.close();
});

test("the pages reported no error", () => {
  expect(site.errors).toEqual([]);
});
