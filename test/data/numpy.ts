import { readFileSync } from "node:fs";
import type { NpyArray } from "../../src/data/index.ts";

export const fixtures = new URL("./fixtures/", import.meta.url);
export const file = (name: string) => new Uint8Array(readFileSync(new URL(name, fixtures)));
/** By fixtures/make_npy.py: what numpy has in each file. */
export const expected: Record<string, { shape: number[]; values: (number | string | boolean)[] }> = JSON.parse(
  readFileSync(new URL("npy.json", fixtures), "utf8"),
);
export const plain = ({ data }: NpyArray) =>
  Array.from(data as ArrayLike<unknown>, (x) => (typeof x === "string" ? x : Number(x)));
