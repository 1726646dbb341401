import { readFileSync } from "node:fs";

/** Whose work a part of the data is. */
export interface Credit {
  source: string;
  license: string;
  credit: string;
}

/** The table of sources in the data's README, which is the one place where they are written down. */
export function readCredits(readme: string): Credit[] {
  const rows = readFileSync(readme, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll("`", "")));
  const head = rows.findIndex(([first, second]) => first === "source" && second === "license");
  const credits = rows.slice(head + 2).map(([source = "", license = "", credit = ""]) => ({ source, license, credit }));
  if (head < 0 || credits.length === 0)
    throw new Error(`${readme}: there is no table of sources, licenses and credits.`);
  return credits;
}
