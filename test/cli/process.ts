import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

/* The terminal program as people run it: a process, its exit code, what it prints and what it leaves. */

const root = fileURLToPath(new URL("../..", import.meta.url));
export const program = join(root, "dist/cli.js");
/** Where the file's tests run it. */
export let folder: string;
beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build:cli"], { cwd: root });
  folder = mkdtempSync(join(tmpdir(), "handgrad-program-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export function start(args: readonly string[], input = "", env = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, ...env } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  child.stdin.end(input);
  return { child, ended: new Promise((resolve) => child.on("exit", (code) => resolve({ code, out, err }))) };
}
export const run = (...args: string[]) => start(args).ended;
export const place = (name: string) => join(folder, name);
export const bytes = (name: string, file: string) => readFileSync(join(folder, name, file));
export const judgements = (name: string) =>
  existsSync(join(place(name), "feedback.jsonl"))
    ? bytes(name, "feedback.jsonl").toString().split("\n").filter(Boolean)
    : [];

/** Waits until a condition holds that another process brings about. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
