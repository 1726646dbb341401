import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { checkText, describe } from "../check.ts";
import { WriteError, writeAll } from "./replace-file.ts";

/**
 * Adds a line to a file of lines, made if missing. A last line that lacks its newline, as a process killed within a write
 * leaves it, is ended first: it would take the new one with it.
 *
 * @throws WriteError with the path and the system's reason; the file's lines are then as they were.
 * @example await appendLine("metrics.jsonl", JSON.stringify({ step, loss }));
 */
export async function appendLine(path: string, line: string): Promise<void> {
  checkText("appendLine", "path", path);
  if (typeof line !== "string" || line.includes("\n"))
    throw new TypeError(`appendLine: line is ${describe(line)}, expected a text without line breaks.`);
  let file: FileHandle | undefined;
  try {
    file = await open(path, "a+");
    const { size } = await file.stat();
    const last = new Uint8Array(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const isOpen = size > 0 && last[0] !== 0x0a;
    try {
      await writeAll(file, `${isOpen ? "\n" : ""}${line}\n`);
    } catch (error) {
      // Where this fails as well, half a line stays, which the next one ends.
      await file.truncate(size).catch(() => {});
      throw error;
    }
  } catch (cause) {
    throw new WriteError(path, cause);
  } finally {
    await file?.close();
  }
}
