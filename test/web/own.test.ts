import type { Page } from "playwright-core";
import { PNG } from "pngjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeWav, Random } from "../../src/data/index.ts";
import { openSite, type Site } from "./site.ts";

/* A task that the page does not know: discs and stripes, as files. The steps build on one another. */

let site: Site;
let page: Page;
beforeAll(async () => {
  site = await openSite();
  page = site.page;
  await page.goto(`${site.url}#own`);
  await page.getByRole("textbox", { name: "Class 1" }).waitFor({ timeout: 120_000 });
});
afterAll(() => site?.close());

/** A disc or stripes somewhere, in some color, on noise. */
function png(kind: "disc" | "stripes", n: number): { name: string; mimeType: string; buffer: Buffer } {
  const random = new Random("own test", kind, n);
  const side = 64;
  const [cx, cy, r] = [20 + random.integer(24), 20 + random.integer(24), 12 + random.integer(6)];
  const ink = [0, 1, 2].map(() => 60 + random.integer(150));
  const image = new PNG({ width: side, height: side });
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const inside = (x - cx) ** 2 + (y - cy) ** 2 < r * r;
      const on = kind === "disc" ? inside : (x + y + cx) % 16 < 6;
      for (let c = 0; c < 3; c++) image.data[4 * (y * side + x) + c] = on ? ink[c]! : 200 + random.integer(56);
      image.data[4 * (y * side + x) + 3] = 255;
    }
  return { name: `${kind}-${n}.png`, mimeType: "image/png", buffer: PNG.sync.write(image) };
}
const many = (kind: "disc" | "stripes", from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => png(kind, from + i));

const examples = async () => Number.parseInt((await page.locator('[data-test="examples"]').textContent()) ?? "", 10);
async function add(files: { name: string; mimeType: string; buffer: Buffer }[], label: string): Promise<void> {
  const before = await examples();
  await page.getByRole("radio", { name: label }).check();
  await page.getByLabel("Choose files").first().setInputFiles(files);
  await expect.poll(examples, { timeout: 60_000 }).toBe(before + files.length);
}

test("two classes are named and given examples by files; some without a name", async () => {
  await page.getByRole("textbox", { name: "Class 1" }).fill("disc");
  await page.getByRole("textbox", { name: "Class 2" }).fill("stripes");
  await page.keyboard.press("Tab");
  await page.getByRole("radio", { name: "stripes" }).waitFor();
  await add(many("disc", 0, 32), "disc");
  await add(many("stripes", 0, 32), "stripes");
  await add([png("disc", 100), png("stripes", 100)], "not said");
});

test("a file that is neither picture nor sound is refused by name", async () => {
  await page
    .getByLabel("Choose files")
    .first()
    .setInputFiles({ name: "notes.bin", mimeType: "application/octet-stream", buffer: Buffer.from("nothing") });
  await page.getByText("notes.bin is neither").waitFor();
});

test("it trains, and gets at least 90 % of its own held-out examples right", { timeout: 900_000 }, async () => {
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page
    .getByText(/right of 16 held-out examples/)
    .first()
    .waitFor({ timeout: 880_000 });
  const text = (await page.locator('[data-test="trained"]').textContent()) ?? "";
  const right = Number.parseInt(/(\d+) right/.exec(text)![1]!, 10);
  expect(right / 16).toBeGreaterThanOrEqual(0.9);
  // Of so few, it says what that may mean.
  expect(text).toMatch(/may be anything from \d+ % to \d+ %/);
});

test("those without a name are judged", async () => {
  for (let left = 2; left > 0; left--) {
    const answer = await page.locator(".judge .says").getAttribute("data-answer");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(
      (answer) => document.querySelector(".judge .says")?.getAttribute("data-answer") !== answer,
      answer,
      { timeout: 60_000 },
    );
  }
  await page.getByText("There are none left").waitFor();
});

test("something new is tried: it is named", async () => {
  await page.locator(".try").getByLabel("Choose files").setInputFiles(png("stripes", 200));
  await page.locator(".try .says").waitFor({ timeout: 60_000 });
  expect(await page.locator(".try .says strong").textContent()).toBe("stripes");
});

test("all of it is there after a reload", async () => {
  await page.reload();
  await expect.poll(examples, { timeout: 120_000 }).toBe(66);
  await page.locator(".try").waitFor({ timeout: 120_000 });
});

test("sounds and words are examples too", async () => {
  const tone = Float32Array.from({ length: 8000 }, (_, i) => 0.5 * Math.sin((i * 2 * Math.PI * 440) / 8000));
  await add([{ name: "a.wav", mimeType: "audio/wav", buffer: Buffer.from(encodeWav(tone, 8000)) }], "disc");
  await page.getByLabel("Words").first().fill("round and red");
  await page.getByRole("button", { name: "Add the example" }).click();
  await expect.poll(examples, { timeout: 60_000 }).toBe(68);
  expect(await page.locator(".shelf").first().textContent()).toContain("round and red");
  expect(site.errors).toEqual([]);
});
