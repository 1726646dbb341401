import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSettings, type Settings } from "../../demo/cli/settings.ts";

/* config.json of a run, which people edit: each field is checked, by name. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good: Settings = {
  v: 2,
  command: "learn",
  set: "start",
  labels: 300,
  epochs: 2,
  fusion: "concat",
  network: 2,
  seed: 1,
  lr: 0.0015,
  judgements: 10,
  target: null,
  method: "posterior",
  labelNoise: 0,
  human: false,
  software: false,
};
const read = (content: unknown) => {
  const file = join(folder, "config.json");
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return readSettings(file);
};

test("settings as they are written are read", () => {
  expect(read(good)).toEqual(good);
  expect(read({ ...good, target: 0.5, validateOn: "validation" }).validateOn).toBe("validation");
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /config\.json is not JSON/],
  ["an array", [], /holds an array/],
  ["null", null, /holds null/],
  ["another version", { ...good, v: 9 }, /another version/],
  ["an unknown field", { ...good, epoch: 3 }, /no setting "epoch"\. Did you mean epochs\?/],
  ["a name of Object.prototype", `{"__proto__": 1, ${JSON.stringify(good).slice(1)}`, /no setting "__proto__"/],
  ["a set called constructor", { ...good, set: "constructor" }, /set is "constructor", expected one of start, full/],
  ["labels as text", { ...good, labels: "32" }, /labels is "32", expected a whole number from 0 to 6000/],
  ["too many labels for the set", { ...good, labels: 301 }, /labels is 301, but the set "start" has 300/],
  ["no fusion", { ...good, fusion: undefined }, /fusion is missing/],
  ["half a seed", { ...good, seed: 1.5 }, /seed is 1\.5, expected a whole number/],
  ["a rate below 0", { ...good, lr: -1 }, /lr is -1, expected a number from 0 to 1/],
  ["a switch that is a number", { ...good, human: 1 }, /human is 1, expected true or false/],
  ["a method for other data", { ...good, method: "grpo" }, /method is "grpo", expected one of/],
])("%s is refused by name", (_, content, message) => {
  expect(() => read(content)).toThrow(message);
});

test("what cannot be read is named with the system's reason", () => {
  expect(() => readSettings(folder)).toThrow(/cannot be read \(EISDIR/);
});
