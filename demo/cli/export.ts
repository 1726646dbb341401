import { Command } from "commander";
import { readFeedbackLog, replaceFile } from "handgrad/node";
import type { FeedbackRecord } from "handgrad/rl";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { refuseExisting } from "./merge.ts";
import { say } from "./progress.ts";
import { filePath } from "./settings.ts";

/*
 * handgrad export LOG --parquet FILE: a feedback log as a Parquet table, a row for each record, for DuckDB, Spark, Polars
 * and others. The log is read twice and never held in memory: which records were taken back is known at its end only.
 */

/** Rows of a row group, which is what is held in memory at once. */
const GROUP = 20_000;

type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** A record's fields, whatever its kind: null where its kind has none. */
type Row = Readonly<Record<string, unknown>> & { readonly id: string };

interface Column {
  name: string;
  schema: readonly SchemaElement[];
  of(row: Row, counts: boolean): unknown;
}

const text = (name: string, field: string = name): Column => ({
  name,
  schema: [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }],
  of: (row) => row[field] ?? null,
});
const numeric = (name: string, type: "INT32" | "DOUBLE", field: string = name): Column => ({
  name,
  schema: [{ name, type, repetition_type: "OPTIONAL" }],
  of: (row) => row[field] ?? null,
});

const columns: readonly Column[] = [
  text("kind"),
  text("id"),
  {
    name: "time",
    schema: [{ name: "time", type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "OPTIONAL" }],
    of: ({ time }) => new Date(time as string),
  },
  text("session"),
  text("judge"),
  text("example"),
  text("input_hash", "inputHash"),
  numeric("action", "INT32"),
  numeric("preferred", "INT32"),
  numeric("rejected", "INT32"),
  numeric("reward", "DOUBLE"),
  {
    name: "probabilities",
    schema: [
      { name: "probabilities", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", type: "DOUBLE", repetition_type: "REQUIRED" },
    ],
    of: ({ probabilities }) => probabilities ?? null,
  },
  numeric("propensity", "DOUBLE"),
  text("chosen_by", "acquisition"),
  numeric("chosen_with", "DOUBLE", "inclusionProbability"),
  text("model"),
  numeric("reaction_ms", "DOUBLE", "reactionMs"),
  {
    name: "seed",
    schema: [{ name: "seed", type: "INT64", repetition_type: "OPTIONAL" }],
    of: ({ seed }) => (seed === undefined ? null : BigInt(seed as number)),
  },
  text("purpose"),
  text("retracts"),
  {
    name: "counts",
    schema: [{ name: "counts", type: "BOOLEAN", repetition_type: "REQUIRED" }],
    of: (_, counts) => counts,
  },
];

const schema: SchemaElement[] = [
  { name: "feedback", num_children: columns.length },
  ...columns.flatMap((column) => column.schema),
];

export const exportCommand = (): Command =>
  new Command("export")
    .description("write a feedback log as a Parquet table")
    .argument("<log>", "feedback log (JSON lines)", filePath("the log"))
    .requiredOption("--parquet <file>", "the file to write; it must not be there yet", filePath("--parquet"))
    .option("--json", "print one JSON object as the last line")
    .action(exportLog);

async function exportLog(log: string, { parquet, json = false }: { parquet: string; json?: boolean }): Promise<void> {
  refuseExisting(parquet);
  const retracted = new Set<string>();
  for await (const record of readFeedbackLog(log, say)) {
    if (record.kind === "retraction") retracted.add(record.retracts);
  }
  const counted = { rows: 0, counting: 0 };
  await replaceFile(parquet, tableOf(log, retracted, counted), { existing: "keep" });
  const { rows, counting } = counted;
  say(`${parquet}: ${rows} records, ${counting} of them count`);
  if (json) console.log(JSON.stringify({ records: rows, counting, parquet }));
}

/** The table's bytes, a row group at a time; `counted` tells how many rows went into it. */
async function* tableOf(
  log: string,
  retracted: ReadonlySet<string>,
  counted: { rows: number; counting: number },
): AsyncGenerator<Uint8Array> {
  const writer = new ByteWriter();
  const table = new ParquetWriter({ writer, schema, createdBy: "handgrad" });
  const seen = new Set<string>();
  let group: FeedbackRecord[] = [];
  const add = () => {
    const counts = group.map(({ id, kind }) => kind !== "retraction" && !retracted.has(id));
    const columnData = columns.map(({ name, of }) => ({
      name,
      // Records are interfaces, which have no index.
      data: group.map((record, i) => of(record as unknown as Row, counts[i]!)),
    }));
    table.write({ columnData, rowGroupSize: GROUP });
    counted.rows += group.length;
    counted.counting += counts.filter(Boolean).length;
    group = [];
  };
  const written = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  for await (const record of readFeedbackLog(log)) {
    // An id counts once, the first time.
    if (seen.has(record.id)) continue;
    seen.add(record.id);
    group.push(record);
    if (group.length < GROUP) continue;
    add();
    yield written();
  }
  if (group.length > 0) add();
  table.finish();
  yield written();
}
