import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The names of all files of test/ops. Tests and programs are run at the root of the repository. */
export const opNames = (): string[] =>
  readdirSync(join(process.cwd(), "test/ops"))
    .map((file) => file.replace(/\.ts$/, ""))
    .sort();
