import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Judgement } from "../../src/rl/index.ts";
import { changeWorker, FILLING, fillStorage, firstAnswer, linesOf, openSite, type Site } from "./site.ts";

/* What becomes of the examples and judgements of an own task when its classes change, and as files. The steps build on one another. */

const LOG = "handgrad-own-feedback";

let site: Site;
let page: Page;
let files: string;
beforeAll(async () => {
  files = mkdtempSync(join(tmpdir(), "handgrad-files-"));
  site = await openSite();
  page = site.page;
  page.setDefaultTimeout(30_000);
  await changeWorker(site, FILLING);
  await page.reload();
  await show("own");
});
afterAll(async () => {
  await site?.close();
  rmSync(files, { recursive: true, force: true });
});

async function show(screen: "own" | "keep"): Promise<void> {
  await page.goto(`${site.url}#${screen}`);
  await page.locator(screen === "own" ? ".classes" : ".keep").waitFor({ timeout: 120_000 });
}
const examples = async () => Number.parseInt((await page.locator('[data-test="examples"]').textContent()) ?? "", 10);
/** The classes with examples, and how many they have. */
const shelves = () => page.locator(".shelf h3").allTextContents();
const notice = () => page.locator(".notice").textContent();

async function addWords(words: string, label: string): Promise<void> {
  const before = await examples();
  await page.getByRole("radio", { name: label, exact: true }).check();
  await page.getByLabel("Words").first().fill(words);
  await page.getByRole("button", { name: "Add the example" }).click();
  await expect.poll(examples, { timeout: 60_000 }).toBe(before + 1);
}
async function save(button: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).click()]);
  const path = join(files, file.suggestedFilename());
  await file.saveAs(path);
  return readFileSync(path, "utf8");
}
async function load(label: string, name: string, content: string, answer: RegExp): Promise<void> {
  await page.getByLabel(label).setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(content) });
  await page.locator(".notice", { hasText: answer }).waitFor();
}
/** What is stored of the task, as its file says it. */
async function stored(): Promise<{
  classes: { id: number; name: string }[];
  examples: { id: string; label: number }[];
}> {
  await show("keep");
  return JSON.parse(await save("Save the classes and examples"));
}

test("a class that is taken away keeps its examples, the person is told, and it comes back with them", async () => {
  await page.getByRole("button", { name: "Add a class" }).click();
  for (const [i, name] of ["sun", "moon", "star"].entries())
    await page.getByRole("textbox", { name: `Class ${i + 1}` }).fill(name);
  for (const name of ["sun", "moon", "star"]) for (const n of [1, 2]) await addWords(`${name} ${n}`, name);
  await addWords("what is this", "not said: to be judged");
  expect(await shelves()).toEqual(["sun 2", "moon 2", "star 2", "not said: to be judged 1"]);

  await page.getByRole("button", { name: "Set class moon aside" }).click();
  expect(await notice()).toContain("moon is set aside with its examples and what you judged. It can be brought back");
  expect(await shelves()).toEqual(["sun 2", "star 2", "not said: to be judged 1"]);
  expect(await examples()).toBe(7);

  await page.reload();
  await page.getByRole("button", { name: "Bring back moon (2 examples)" }).waitFor({ timeout: 120_000 });
  // What comes in its place is another class.
  await page.getByRole("button", { name: "Add a class" }).click();
  await page.getByRole("textbox", { name: "Class 3" }).fill("comet");
  expect(await shelves()).toEqual(["sun 2", "star 2", "not said: to be judged 1"]);
  await page.getByRole("button", { name: "Set class comet aside" }).click();
  await page.getByRole("button", { name: "Bring back moon (2 examples)" }).click();
  expect(await shelves()).toEqual(["sun 2", "star 2", "moon 2", "not said: to be judged 1"]);
});

test("a class that is renamed keeps its examples", async () => {
  await page.getByRole("textbox", { name: "Class 1" }).fill("sol");
  expect(await shelves()).toContain("sol 2");
  const { classes, examples } = await stored();
  expect(classes.find(({ name }) => name === "sol")?.id).toBe(0);
  expect(examples.filter(({ label }) => label === 0).length).toBe(2);
});

const judgement = (n: number, example: string, classes: number[]): Judgement & { classes: number[] } => ({
  v: 3,
  kind: "judgement",
  id: `judgement ${n}`,
  time: "2025-01-31T12:00:00.000Z",
  session: "test",
  judge: "me",
  example,
  inputHash: "0",
  probabilities: classes.map(() => 1 / classes.length),
  propensity: 1 / classes.length,
  acquisition: "uniform",
  inclusionProbability: null,
  model: "0",
  reactionMs: 1,
  seed: 1,
  purpose: "training",
  action: 0,
  reward: 1,
  classes,
});
const jsonl = (records: readonly object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");

let task: string;
let log: string;
test("judgements of an own task are imported, all or none, also of classes that are set aside; they are exported", async () => {
  const { examples } = await stored();
  task = await save("Save the classes and examples");
  const { id } = examples.find(({ label }) => label === null)!;
  const good = [judgement(1, id, [0, 2, 1]), judgement(2, id, [0, 1])];
  const bad: [string, object[], RegExp][] = [
    ["an example", [...good, judgement(3, "own/elsewhere", [0, 1])], /example "own\/elsewhere", which is not here/],
    ["a class", [...good, judgement(3, id, [0, 77])], /class 77, which is not here/],
    ["one id twice", [...good, judgement(1, id, [0, 1])], /bad.jsonl:3: another record is called/],
    ["half a record", [...good, { v: 2, kind: "judgement" }], /bad.jsonl:3: field "id"/],
  ];
  for (const [what, records, answer] of bad) {
    await load("Load judgements", "bad.jsonl", jsonl(records), answer);
    expect(await linesOf(page, LOG), what).toEqual([]);
  }
  await load("Load judgements", "good.jsonl", jsonl(good), /2 records are new/);
  log = await save("Save the judgements of your own task");
  expect(log).toBe(jsonl(good));
  expect((await linesOf(page, LOG)).length).toBe(2);
});

test("where the storage is full nothing of an import is stored, and it says so", async () => {
  const { examples } = JSON.parse(task);
  const others = examples.map((example: object, i: number) => ({ ...example, id: `own/other ${i}` }));
  await fillStorage(page, true);
  await load(
    "Load classes and examples",
    "own-task.json",
    JSON.stringify({ ...JSON.parse(task), examples: others }),
    /storage is full/,
  );
  await fillStorage(page, true);
  const more = jsonl([judgement(8, examples[6].id, [0, 1]), judgement(9, examples[6].id, [0, 1])]);
  await load("Load judgements", "more.jsonl", more, /none of the 2 records was stored: .*storage is full/);
  await fillStorage(page, false);
  expect(await stored()).toEqual(JSON.parse(task));
  expect(await linesOf(page, LOG)).toEqual(log.trim().split("\n"));
});

test("a damaged file of examples is refused, and changes nothing", async () => {
  const whole = JSON.parse(task);
  const last = whole.examples.at(-1);
  const withLast = (change: object) => ({
    ...whole,
    examples: [...whole.examples.slice(0, -1), { ...last, id: "own/x", ...change }],
  });
  const bad: [unknown, RegExp][] = [
    [null, /bad.json: this is no own task/],
    [{ ...whole, v: 2 }, /this is no own task/],
    [{ ...whole, classes: [{ id: "0", name: "a" }] }, /classes: each has a whole number/],
    [{ ...whole, classes: [...whole.classes, whole.classes[0]] }, /two classes have one id/],
    [
      { ...whole, classes: whole.classes.map((c: object) => ({ ...c, name: "other" })) },
      /is called "other" there and "sol" here/,
    ],
    [withLast({ label: 99 }), /example 7: there is no class 99/],
    [withLast({ text: 5 }), /example 7: its text must be a string/],
    [withLast({ picture: { size: 3, rgb: "AAAA" } }), /example 7: its picture must be a square/],
    [withLast({ sound: { rate: 8000, samples: "AADAfw==" } }), /example 7: its sound holds what is no finite number/],
  ];
  for (const [content, answer] of bad)
    await load("Load classes and examples", "bad.json", JSON.stringify(content), answer);
  expect(await stored()).toEqual(whole);
});

test("after everything was deleted, classes, examples and judgements come back from the files", async () => {
  await page.getByRole("button", { name: "Delete everything" }).click();
  await page.getByRole("button", { name: "Press again" }).click();
  await page.waitForURL(site.url, { timeout: 60_000 });
  await firstAnswer(page);
  await show("keep");
  await load("Load classes and examples", "own-task.json", task, /7 examples added/);
  await load("Load judgements", "own-feedback.jsonl", log, /2 records are new/);
  expect(await stored()).toEqual(JSON.parse(task));
  expect(await save("Save the judgements of your own task")).toBe(log);
  await load("Load classes and examples", "own-task.json", task, /0 examples added/);
  await show("own");
  expect(await shelves()).toEqual(["sol 2", "star 2", "moon 2", "not said: to be judged 1"]);
});

test("an example that is deleted takes what was judged of it back, and the log still loads", async () => {
  await page.getByRole("button", { name: "Remove this example: what is this" }).click();
  await expect.poll(examples).toBe(6);
  await show("keep");
  const after = await save("Save the judgements of your own task");
  expect(after.startsWith(log)).toBe(true);
  expect(after.match(/"kind":"retraction"/g)?.length).toBe(2);
  await load("Load judgements", "own-feedback.jsonl", after, /0 records are new/);
  // The service worker's script was kept from it (`changeWorker`).
  expect(site.errors.filter((error) => !error.includes("fetching the script"))).toEqual([]);
});
