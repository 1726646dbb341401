import { readFileSync } from "node:fs";
import { UsageError } from "./settings.ts";

/** All bytes of a file that somebody named. @throws UsageError with its path: the system's own reason may lack it. */
export function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}
