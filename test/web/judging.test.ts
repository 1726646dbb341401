import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { networkConfig } from "../../demo/learner/learner.ts";
import { loadTriDigits } from "../../demo/tridigits/load.ts";
import { decodeSafetensors, encodeSafetensors, MultimodalNet, type Weights, weightsOf } from "../../src/model/index.ts";
import { openFeedbackLog } from "../../src/node/feedback-log.ts";
import { createEngine } from "../../src/node.ts";
import { firstAnswer, judged, openSite, press, type Site } from "./site.ts";

/* A person at the keyboard, from the first answer to the last file. The steps build on one another. */

let site: Site;
let page: Page;
let files: string;
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), "handgrad-files-"));
  site = await openSite();
  page = site.page;
});
afterAll(async () => {
  await site?.close();
  rmSync(files, { recursive: true, force: true });
});

const says = () => page.locator(".says strong").textContent();
const hint = () => page.locator(".reads").textContent();
/** The points of the chart of held-out accuracy, as its table has them. */
const points = () => page.locator(".learned .chart tbody tr").count();
const download = async (button: string) => {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).click()]);
  const path = join(files, file.suggestedFilename());
  await file.saveAs(path);
  return path;
};

test("an answer is there to judge, with picture, sound, words and probabilities", async () => {
  await firstAnswer(page);
  for (const part of [".picture", ".clean", ".wave", ".spectrogram", ".reads"]) {
    expect(await page.locator(part).count(), part).toBe(1);
  }
  expect(await page.locator(".bars li").count()).toBe(10);
  const shares = await page.locator(".bars .share").allTextContents();
  const sum = shares.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
  expect(Math.abs(sum - 100)).toBeLessThanOrEqual(5); // each is rounded
});

test("30 answers are judged by keyboard; the counter and the chart move", async () => {
  await page.waitForFunction(() => document.querySelectorAll(".learned .chart tbody tr").length > 0, null, {
    timeout: 120_000,
  });
  for (let i = 1; i <= 30; i++) await press(page, i % 3 === 0 ? "ArrowLeft" : "ArrowRight", i);
  await page.waitForFunction(() => document.querySelectorAll(".learned .chart tbody tr").length > 1, null, {
    timeout: 240_000,
  });
  await page.waitForFunction(() => !document.querySelector(".state")?.textContent?.includes("learning"), null, {
    timeout: 240_000,
  });
  expect(await judged(page)).toBe(30);
});

test("what the judgements did stands beside: their answers, the accuracy with its interval, and what is in view", async () => {
  const rows = page.locator(".taught li");
  expect(await rows.count()).toBe(5);
  for (const row of await rows.allTextContents()) {
    expect(row).toMatch(/^You said: (not )?\d\. Its probability(: \d+ % → \d+ %| stays \d+ %)$/);
  }
  const learned = page.locator(".taught [role=status]");
  expect(await learned.textContent()).toMatch(/^It learned from 5 judgements: \d of these answers moved/);
  const accuracy = await page.locator('[data-test="accuracy"]').textContent();
  expect(accuracy).toMatch(/^\d+\.\d % right of 300 held-out examples \(95 % interval: \d+ % to \d+ %\)$/);
  expect(await page.locator(".display li").count()).toBe(20);
  const titles = await page
    .locator(".display li")
    .evaluateAll((items) => items.map((item) => item.getAttribute("title")));
  for (const title of titles) expect(title).toMatch(/^is \d; it says \d(, and said \d before)?$/);
  // As a third of the judgements were wrong, it may have been held back; either is said.
  const either = page.locator('[data-test="progress"], .held').first();
  expect(await either.textContent()).toMatch(
    /^(Better than|About the same as) at the start|^What it learned since is held/,
  );
});

test("skip, undo and correct, by keyboard", async () => {
  await press(page, "s", 30);
  const before = await hint();
  await press(page, "z", 30); // takes the skip back
  await press(page, "z", 29); // and the judgement before it
  const again = await hint();
  await press(page, "ArrowRight", 30);
  expect(again).not.toBe(before);
  const wrong = String((Number(await says()) + 1) % 10);
  await press(page, wrong, 31); // says that another digit is right
  await press(page, "z", 30); // takes both halves of that back
});

test("a reload finds the judgements, the chart and the network", async () => {
  const drawn = await points();
  await page.reload();
  await firstAnswer(page);
  expect(await judged(page)).toBe(30);
  expect(await points()).toBe(drawn);
});

/** A file that the terminal program wrote. */
const terminalModel = () => gunzipSync(readFileSync(new URL("../../demo/data/start.safetensors.gz", import.meta.url)));

/** A file of version 0.1's network. */
async function earlierModel(): Promise<Uint8Array> {
  const engine = await createEngine();
  try {
    const net = new MultimodalNet(engine, networkConfig(loadTriDigits(), { version: 1 }));
    return encodeSafetensors(await weightsOf(net));
  } finally {
    engine.destroy();
  }
}

let model: string;
let log: string;
test("the files are those of the terminal program", async () => {
  await page.goto(`${site.url}#keep`);
  model = await download("Save the network");
  log = await download("Save the judgements (JSON lines)");
  const { tensors } = decodeSafetensors(readFileSync(model), model);
  const start = decodeSafetensors(terminalModel());
  const sizes = ({ tensors }: Weights) => [...tensors].map(([name, { shape }]) => `${name} ${shape}`).sort();
  expect(sizes({ tensors, metadata: {} })).toEqual(sizes(start));
  const changed = [...tensors].filter(([name, { data }]) =>
    data.some((x, i) => x !== start.tensors.get(name)!.data[i]),
  );
  expect(changed.length).toBe(tensors.size); // it has learned
  const opened = await openFeedbackLog(log, { onNotice: (notice) => expect.fail(notice) });
  const counted = opened.judgements().filter((judgement) => judgement.reward !== null);
  expect(counted.length).toBe(30);
  expect(counted.every(({ judge, example }) => judge === "me" && example.startsWith("stream/"))).toBe(true);
  await opened.close();
});

test("everything is deleted, then loaded from the files, and judging goes on", async () => {
  await page.getByRole("button", { name: "Delete everything" }).click();
  await page.getByRole("button", { name: "Press again" }).click();
  await page.waitForURL(site.url, { timeout: 60_000 });
  await firstAnswer(page);
  expect(await judged(page)).toBe(0);
  const left = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(left.sort()).toEqual(["handgrad-feedback", "handgrad-page"]);

  await page.goto(`${site.url}#keep`);
  const made = join(files, "terminal.safetensors");
  writeFileSync(made, terminalModel());
  const earlier = join(files, "earlier.safetensors");
  writeFileSync(earlier, await earlierModel());
  for (const file of [made, earlier, model]) {
    await page.getByLabel("Load a network").setInputFiles(file);
    await page.getByText("The network was loaded.").waitFor({ timeout: 120_000 });
    await page.getByRole("button", { name: "Close" }).click();
  }
  await page.getByLabel("Load judgements").setInputFiles(log);
  await page.getByText(/records are new/).waitFor({ timeout: 120_000 });
  await page.goto(`${site.url}#judge`);
  await firstAnswer(page);
  expect(await judged(page)).toBe(30);
  await press(page, "ArrowRight", 31);
});

test("a damaged file is refused, and says where", async () => {
  await page.goto(`${site.url}#keep`);
  const bad = join(files, "bad.jsonl");
  writeFileSync(bad, `${readFileSync(log, "utf8").split("\n")[0]}\n{"v":1,"kind":"judgement"}\n`);
  await page.getByLabel("Load judgements").setInputFiles(bad);
  await page.getByText(/bad\.jsonl:2: field "id"/).waitFor({ timeout: 60_000 });
  await page.goto(`${site.url}#judge`);
  expect(await judged(page)).toBe(31);
});

test("with the network cut off it opens and goes on", async () => {
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 60_000 });
  await site.context.setOffline(true);
  await page.reload();
  await firstAnswer(page);
  expect(await judged(page)).toBe(31);
  await press(page, "ArrowLeft", 32);
  await site.context.setOffline(false);
});

test("a crashed tab loses nothing that was stored", async () => {
  const crashed = page.waitForEvent("crash");
  await page.goto("chrome://crash").catch(() => {});
  await crashed;
  page = await site.context.newPage();
  await page.goto(site.url);
  await firstAnswer(page);
  expect(await judged(page)).toBe(32);
});

test("no request left the page's origin, and none could", async () => {
  const origin = new URL(site.url).origin;
  const elsewhere = site.requests.filter((url) => !["blob:", "data:", "chrome:"].includes(new URL(url).protocol));
  expect(elsewhere.filter((url) => new URL(url).origin !== origin)).toEqual([]);
  const refused = await page.evaluate(async () => {
    const violation = new Promise<string>((resolve) =>
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), {
        once: true,
      }),
    );
    await fetch("https://example.com/").catch(() => {});
    return violation;
  });
  expect(refused).toBe("connect-src");
});

test("the pages reported no error", () => {
  expect(site.errors.filter((text) => !text.includes("example.com"))).toEqual([]);
});
