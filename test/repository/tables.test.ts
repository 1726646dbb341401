import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fusions, tasks, textEncoders } from "../../src/model/index.ts";
import { methods } from "../../src/rl/index.ts";
import { opNames } from "../cases/names.ts";

/* What there is to choose from stands in the tables of the docs, so that somebody who looks for it finds it. */

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
/** The rows of a page's tables. */
const rowsOf = (name: string) =>
  page(name)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .join("\n");

test("README's table has every function", () => {
  const named = new Set(rowsOf("README.md").match(/\w+/g));
  // Two functions one after the other.
  const missing = opNames().filter((name) => !named.has(name) && name !== "meanEmbedding");
  expect(missing).toEqual([]);
});

test("docs/learning-from-people.md has every method", () => {
  const rows = rowsOf("docs/learning-from-people.md");
  expect(methods.filter((name) => !rows.includes(`| \`${name}\``))).toEqual([]);
});

test("docs/models.md has every text encoder, fusion and task", () => {
  const rows = rowsOf("docs/models.md");
  expect(textEncoders.filter((name) => !rows.includes(`encoder: "${name}"`))).toEqual([]);
  expect([...fusions, ...tasks].filter((name) => !rows.includes(`| \`${name}\``))).toEqual([]);
});

test("README has every command of the program", () => {
  const files = readdirSync(new URL("../../demo/cli", import.meta.url)).filter((file) => file.endsWith(".ts"));
  const texts = files.map((file) => page(`demo/cli/${file}`)).join("\n");
  const commands = [...texts.matchAll(/\b(?:new Command|addCommand\(command)\("(\w+)"/g)].map(([, name]) => name!);
  expect(commands).toContain("evaluate");
  const readme = page("README.md");
  // `npm run demo` is what somebody runs who has the repository, and `handgrad` is the program itself.
  const missing = commands.filter((name) => !new RegExp(`(?:npx handgrad|npm run) ${name}\\b`).test(readme));
  expect(missing.filter((name) => name !== "handgrad")).toEqual([]);
});
