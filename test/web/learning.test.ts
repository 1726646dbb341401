import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstAnswer, judged, openSite, press, type Site } from "./site.ts";

/* The simulated judge teaches the network; then the page shows what it learned, why it answers, and what computed it. */

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  page = site.page;
  await firstAnswer(page);
});
afterAll(() => site?.close());

const accuracy = async () =>
  Number.parseFloat((await page.locator('[data-test="accuracy"]').textContent()) ?? "") / 100;

/** Accuracy that must be gained, that is waited for, and the judgements that must suffice. */
const GAIN = 0.08;
const WAITED_FOR = 0.1;
const MOST = 1600;

test("the answer is explained: the parts' shares sum to what they add to the probability", async () => {
  await page.getByRole("button", { name: "Why?" }).click();
  await page.locator(".why table").waitFor();
  const shares = await page.locator(".why td:last-child").allTextContents();
  const sum = shares.reduce((sum, text) => sum + Number.parseInt(text.replace("−", "-"), 10), 0);
  const number = async (selector: string) =>
    Number.parseInt(/(\d+) %/.exec((await page.locator(selector).textContent())!)![1]!, 10);
  const [sure, base] = [await number(".says span"), await number(".why p:last-child")];
  expect(Math.abs(sure - base - sum)).toBeLessThanOrEqual(3); // each is rounded
  // Where it looked: something of the picture is marked in a color, which the picture itself has none of.
  const colored = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture")!;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let n = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i]! - data[i + 2]!) > 20) n++;
    return n;
  });
  expect(colored).toBeGreaterThan(5);
  await press(page, "ArrowRight", 1);
  await page.getByRole("button", { name: "Why?" }).click();
});

test("with the simulated judge held-out accuracy rises by at least 8 points", { timeout: 1_200_000 }, async () => {
  await expect.poll(accuracy, { timeout: 240_000 }).toBeGreaterThan(0.3);
  const before = await accuracy();
  await page.getByRole("button", { name: "Let it judge" }).click();
  await expect
    .poll(async () => (await accuracy()) >= before + WAITED_FOR || (await judged(page)) >= MOST, {
      timeout: 1_100_000,
      interval: 1000,
    })
    .toBe(true);
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.getByRole("button", { name: "Let it judge" }).waitFor();
  console.log(`accuracy ${before} → ${await accuracy()} after ${await judged(page)} judgements`);
  expect(await accuracy()).toBeGreaterThanOrEqual(before + GAIN);
  expect(await judged(page)).toBeLessThan(MOST);
});

test("confusion, ablation and what it is unsure about are measured", async () => {
  await page.goto(`${site.url}#progress`);
  expect(await page.locator(".chart").count()).toBe(6);
  await page.getByRole("button", { name: "Measure now" }).click();
  await page.locator(".insight").waitFor();
  const cells = (await page.locator(".confusion td").allTextContents()).map((text) => Number(text.replace("·", "0")));
  expect(cells.length).toBe(100);
  expect(cells.reduce((a, b) => a + b, 0)).toBe(300);
  expect(await page.locator(".ablation tr").count()).toBe(7);
  expect(await page.locator(".unsure li").count()).toBe(8);
});

test("a training step is taken apart: one submit, nothing created, each kernel with its time", async () => {
  await page.goto(`${site.url}#engine`);
  await page.getByRole("button", { name: "Measure a step" }).click();
  await page.locator(".kernels").waitFor();
  const facts = Object.fromEntries(
    await page
      .locator(".facts div")
      .evaluateAll((rows) => rows.map((row) => [row.children[0]!.textContent, row.children[1]!.textContent])),
  );
  expect(facts["Submits in a step"]).toBe("1");
  expect(facts["GPU objects created in a step"]).toBe("0");
  const runs = (await page.locator(".kernels td:nth-child(2)").allTextContents()).map(Number);
  expect(String(runs.reduce((a, b) => a + b, 0))).toBe(facts["Dispatches in a step"]);
});

test("the microbenchmarks run in the page", async () => {
  await page.goto(`${site.url}bench/`);
  await page.getByRole("button", { name: "Run" }).click();
  await page.locator("tbody tr").first().waitFor();
  const first = page.locator("tbody tr").first();
  expect(await first.locator("th").textContent()).toBe("train_step");
  expect(Number.parseFloat((await first.locator("td").nth(1).textContent())!)).toBeGreaterThan(0);
  expect(site.errors).toEqual([]);
});
