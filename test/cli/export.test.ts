import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportCommand } from "../../demo/cli/export.ts";
import { mergeCommand } from "../../demo/cli/merge.ts";
import { Random } from "../../src/data/index.ts";
import { openFeedbackLog } from "../../src/node/feedback-log.ts";
import { activeJudgements, type FeedbackRecord, type Judgement, rowsOf, snips } from "../../src/rl/index.ts";

/* handgrad merge and handgrad export, and what an engine that exists for tables makes of it. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "handgrad-export-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string) => join(folder, name);
const lines = (records: readonly FeedbackRecord[]) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
const write = (name: string, records: readonly FeedbackRecord[]) => {
  writeFileSync(place(name), lines(records));
  return place(name);
};
const merge = (...args: string[]) => mergeCommand().exitOverride().parseAsync(args, { from: "user" });
const exporting = (...args: string[]) => exportCommand().exitOverride().parseAsync(args, { from: "user" });

/** What a judge says in a session: judgements, some skipped, some of them for evaluation, some taken back. */
function session(judge: string, n: number): FeedbackRecord[] {
  const random = new Random("session", judge);
  return Array.from({ length: n }, (_, i): FeedbackRecord[] => {
    const powers = Array.from({ length: 4 }, () => Math.exp(random.normal()));
    const sum = powers.reduce((a, b) => a + b);
    const probabilities = powers.map((p) => p / sum);
    const action = random.integer(4);
    const said: Judgement = {
      v: 3,
      kind: "judgement",
      id: `${judge}/${i}`,
      time: new Date(Date.UTC(2025, 0, 31, 12, 0, i)).toISOString(),
      session: `of ${judge}`,
      judge,
      example: `ä${i}`,
      inputHash: `${i}`,
      action,
      probabilities,
      propensity: probabilities[action]!,
      acquisition: "entropy, floor 0.1",
      inclusionProbability: 0.1 + 0.9 * random.uniform(),
      model: "m",
      reward: i % 7 === 3 ? null : random.uniform() < 0.6 ? 1 : -0.5,
      reactionMs: 1000 * random.uniform(),
      seed: 1,
      purpose: i % 11 === 5 ? "evaluation" : "training",
    };
    if (i % 13 !== 4) return [said];
    return [said, { v: 3, kind: "retraction", id: `undo ${said.id}`, retracts: said.id, time: said.time, judge }];
  }).flat();
}

describe("handgrad merge", () => {
  it("writes one log of several, which opens as any other", async () => {
    const [a, b] = [session("Ada", 40), session("Bob", 30)];
    const out = place("both.jsonl");
    await merge(write("a.jsonl", a), write("b.jsonl", b), write("again.jsonl", a.slice(0, 10)), "--out", out);
    const log = await openFeedbackLog(out);
    expect(log.records().length).toBe(a.length + b.length);
    expect(new Set(log.judgements().map(({ id }) => id))).toEqual(
      new Set(activeJudgements([...a, ...b]).map(({ id }) => id)),
    );
    await log.close();
  });

  it("names conflicts and writes nothing, unless the earlier is to be kept", async () => {
    const [said] = session("Cyd", 1) as [Judgement];
    const later = { ...said, time: "2025-02-01T00:00:00.000Z", reward: -1 };
    const [a, b, out] = [write("c.jsonl", [said]), write("d.jsonl", [later]), place("conflict.jsonl")];
    await expect(merge(a, b, "--out", out)).rejects.toThrow(
      /1 ids stand for two different records; nothing was written/,
    );
    expect(() => readFileSync(out)).toThrow();
    await merge(b, a, "--keep-earlier", "--out", out);
    expect(readFileSync(out, "utf8")).toBe(lines([said]));
  });

  it("leaves what is there alone, reads a log whose end is cut off, and names a line that is none", async () => {
    const records = session("Dan", 5);
    const cut = place("cut.jsonl");
    writeFileSync(cut, lines(records).slice(0, -20));
    await merge(cut, "--out", place("whole.jsonl"));
    expect(readFileSync(place("whole.jsonl"), "utf8")).toBe(lines(records.slice(0, -1)));
    expect(readFileSync(cut, "utf8")).toBe(lines(records).slice(0, -20));
    await expect(merge(cut, "--out", place("whole.jsonl"))).rejects.toThrow(/is there already/);
    writeFileSync(place("bad.jsonl"), `${lines(records)}{"v":3}\n${lines(records)}`);
    await expect(merge(place("bad.jsonl"), "--out", place("x.jsonl"))).rejects.toThrow(/bad\.jsonl:7: field "kind"/);
    await expect(merge(place("none.jsonl"), "--out", place("x.jsonl"))).rejects.toThrow(/none\.jsonl: cannot be read/);
  });
});

describe("handgrad export", () => {
  it("gives a table that DuckDB reads, in which SNIPS by SQL is ours", async () => {
    const records = [...session("Ada", 400), ...session("Bob", 300)];
    const { action: _, reward: __, ...asked } = records[0] as Judgement;
    records.push({ ...asked, id: "p", kind: "preference", preferred: 2, rejected: 0 });
    const table = place("feedback.parquet");
    await exporting(write("all.jsonl", records), "--parquet", table);

    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();
    const from = `FROM read_parquet('${table}')`;
    // Every record as it was.
    const rows = await ask(`SELECT * ${from}`);
    expect(rows.map(({ id }) => id)).toEqual(records.map(({ id }) => id));
    const counting = new Set(activeJudgements(records).map(({ id }) => id));
    for (const [i, row] of rows.entries()) {
      const record = records[i]!;
      expect(row.kind).toBe(record.kind);
      expect(new Date(`${String(row.time).replace(" ", "T")}Z`).toISOString()).toBe(record.time);
      expect(row.counts).toBe(record.kind === "preference" || counting.has(record.id));
      if (record.kind === "retraction") expect(row).toMatchObject({ retracts: record.retracts, reward: null });
      else {
        const { session, judge, example, probabilities, propensity, purpose, model } = record;
        expect(row).toMatchObject({ session, judge, example, probabilities, propensity, purpose, model });
        const { inputHash, acquisition, inclusionProbability, reactionMs } = record;
        expect(row).toMatchObject({
          input_hash: inputHash,
          chosen_by: acquisition,
          chosen_with: inclusionProbability,
          reaction_ms: reactionMs,
        });
        expect(Number(row.seed)).toBe(record.seed);
      }
      if (record.kind === "judgement") expect(row).toMatchObject({ action: record.action, reward: record.reward });
      if (record.kind === "preference") expect(row).toMatchObject({ preferred: 2, rejected: 0, action: null });
    }

    // "How good would a policy be that is surer of itself", π = p² / Σ p², by what people already said?
    const sharper = (p: readonly number[]) => {
      const squares = p.map((x) => x * x);
      const sum = squares.reduce((a, b) => a + b);
      return squares.map((x) => x / sum);
    };
    const judgements = activeJudgements(records);
    const policy = new Map(
      judgements.map(({ example, judge, probabilities }) => [`${judge} ${example}`, probabilities]),
    );
    const own = judgements.map((one) => ({ ...one, example: `${one.judge} ${one.example}` }));
    const ours = snips(rowsOf(own, (example) => sharper(policy.get(example)!)));
    const [theirs] = await ask(`
      WITH judged AS (
        SELECT reward,
          probabilities[action + 1] ** 2 / list_sum(list_transform(probabilities, lambda p: p * p))
            / propensity / chosen_with AS w
        ${from}
        WHERE kind = 'judgement' AND counts AND reward IS NOT NULL AND purpose = 'training'
      )
      SELECT sum(w * reward) / sum(w) AS value, sum(w) ** 2 / sum(w * w) AS effective, count(*)::INT AS n FROM judged`);
    expect(theirs!.n).toBe(ours.judgements);
    expect(Number(theirs!.value)).toBeCloseTo(ours.value, 12);
    expect(Number(theirs!.effective)).toBeCloseTo(ours.effectiveSampleSize, 8);
  });

  it("of an empty log is a table without rows", async () => {
    const table = place("empty.parquet");
    await exporting(write("empty.jsonl", []), "--parquet", table);
    const connection = await (await DuckDBInstance.create(":memory:")).connect();
    const rows = await connection.runAndReadAll(`SELECT count(*)::INT AS n FROM read_parquet('${table}')`);
    expect(rows.getRowObjectsJson()).toEqual([{ n: 0 }]);
    await expect(exporting(place("empty.jsonl"), "--parquet", table)).rejects.toThrow(/is there already/);
  });
});
