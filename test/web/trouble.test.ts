import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  changeWorker,
  FILLING,
  fillStorage,
  firstAnswer,
  judged,
  linesOf,
  openSite,
  press,
  type Site,
} from "./site.ts";

/* What a person is told, and what stays, where the storage is full or denied, settings are damaged, and no device is left. */

/** Lets the page have one device and no other. */
const ONE_DEVICE = `{
  let had = false;
  const { requestAdapter } = GPU.prototype;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (...args) { had = true; return requestDevice.apply(this, args); };
  GPU.prototype.requestAdapter = async function (...args) { return had ? null : requestAdapter.apply(this, args); };
}`;
const DENIED = `IDBFactory.prototype.open = () => { throw new DOMException("denied", "SecurityError"); };`;

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  page = site.page;
  page.setDefaultTimeout(60_000);
  await changeWorker(site, FILLING + ONE_DEVICE);
  await page.reload();
  await firstAnswer(page);
});
afterAll(() => site?.close());

test("a storage that is full: a judgement is not counted, neither half of a correction stays, and later there is room", async () => {
  await press(page, "ArrowRight", 1);
  await fillStorage(page, true);
  const wrong = String((Number(await page.locator(".says strong").textContent()) + 1) % 10);
  await page.keyboard.press(wrong);
  await page.locator(".notice", { hasText: "storage is full. Make room" }).waitFor();
  expect([await judged(page), (await linesOf(page)).length]).toEqual([1, 1]);
  await fillStorage(page, false);
  await press(page, wrong, 2);
  expect((await linesOf(page)).length).toBe(3);
});

test("a lost device that nothing replaces: it says what to do, and what is judged is stored", async () => {
  await page.goto(`${site.url}#engine`);
  await page.getByRole("button", { name: "Lose the device" }).click();
  await page.locator(".notice", { hasText: "the browser gives no other one" }).waitFor();
  await page.goto(`${site.url}#judge`);
  await firstAnswer(page);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => judged(page), { timeout: 30_000 }).toBe(3);
  expect((await linesOf(page)).length).toBe(4);
});

test.each(["null", "5", '{"keys":{"right":5,"wrong":"5"},"noise":99,"theme":["dark"],"language":"toString"}', "{"])(
  "damaged settings are left aside: %s",
  async (settings) => {
    await page.evaluate((settings) => localStorage.setItem("handgrad", settings), settings);
    await page.reload();
    await firstAnswer(page);
    expect(await page.locator(".actions .right kbd").textContent()).toBe("→");
    expect(await page.locator(".simulated output").textContent()).toMatch(/^(0|40) %$/);
  },
);

test("a browser that stores nothing for the page: it says so, and does not begin", async () => {
  await site.context.unroute("**/worker.js");
  await changeWorker(site, DENIED);
  await page.addInitScript(() => {
    Object.defineProperty(globalThis, "localStorage", {
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  await page.reload();
  await page.getByText("The browser stores nothing for this page").waitFor();
  await page.getByText("Allow cookies and site data").first().waitFor();
});

test("a worker that does not load: it says so", async () => {
  await site.context.unroute("**/worker.js");
  await site.context.route("**/worker.js", (route) => route.abort());
  await page.reload();
  await page.getByText("The page could not begin").waitFor();
});
