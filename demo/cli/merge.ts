import { lstatSync } from "node:fs";
import { Command } from "commander";
import { readFeedbackLog, replaceFile } from "handgrad/node";
import { activeJudgements, activePreferences, type FeedbackRecord, mergeLogs } from "handgrad/rl";
import { say } from "./progress.ts";
import { filePath, UsageError } from "./settings.ts";

/* handgrad merge LOG… --out FILE: the logs of several people, judged on their own machines, as one. */

interface Options {
  out: string;
  keepEarlier?: boolean;
  json?: boolean;
}

export const mergeCommand = (): Command =>
  new Command("merge")
    .description("bring the feedback logs of several people together in one")
    .argument("<logs...>", "feedback logs (JSON lines)")
    .requiredOption("--out <file>", "the log to write; it must not be there yet", filePath("--out"))
    .option("--keep-earlier", "where two different records have one id, keep the earlier one instead of stopping")
    .option("--json", "print one JSON object as the last line")
    .action(merge);

async function merge(files: readonly string[], { out, keepEarlier = false, json = false }: Options): Promise<void> {
  refuseExisting(out);
  for (const file of files) filePath("the name of a log")(file);
  const logs = await Promise.all(files.map(async (name) => ({ name, records: await all(name) })));
  const { records, duplicates, conflicts } = mergeLogs(logs);
  for (const { id, kept, dropped, fields } of conflicts.slice(0, 10)) {
    say(`conflict: "${id}" is in ${kept} and in ${dropped}, with different ${fields.join(", ")}`);
  }
  if (conflicts.length > 10) say(`and ${conflicts.length - 10} more conflicts`);
  if (conflicts.length > 0 && !keepEarlier) {
    throw new UsageError(
      `${conflicts.length} ids stand for two different records; nothing was written. Were runs given the same session? --keep-earlier takes the earlier of each two.`,
    );
  }
  await replaceFile(out, lines(records), { existing: "keep" });
  const [judgements, preferred] = [activeJudgements(records), activePreferences(records)];
  const judges = new Set([...judgements, ...preferred].map(({ judge }) => judge)).size;
  say(
    `${out}: ${records.length} records of ${logs.length} logs and ${judges} judges; ${judgements.length} judgements and ${preferred.length} preferences count, ${duplicates} duplicates were left out`,
  );
  const result = { records: records.length, judgements: judgements.length, preferences: preferred.length, judges };
  if (json) console.log(JSON.stringify({ ...result, duplicates, conflicts: conflicts.length, out }));
}

async function all(file: string): Promise<FeedbackRecord[]> {
  const records: FeedbackRecord[] = [];
  for await (const record of readFeedbackLog(file, say)) records.push(record);
  return records;
}

/** @throws UsageError where the file is there: what people said is never written over. */
export function refuseExisting(file: string): void {
  // Also a link that leads nowhere: something is called that.
  if (lstatSync(file, { throwIfNoEntry: false }))
    throw new UsageError(`${file} is there already. Name another file with --out, or move it away.`);
}

/** A thousand lines at a time. */
function* lines(records: readonly FeedbackRecord[]): Generator<string> {
  for (let from = 0; from < records.length; from += 1000) {
    const some = records.slice(from, from + 1000);
    yield some.map((record) => `${JSON.stringify(record)}\n`).join("");
  }
}
