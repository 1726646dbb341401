import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { activeJudgements, type FeedbackRecord, type Judgement, mergeLogs } from "../../src/rl/index.ts";

function judgement(id: string, seconds: number, judge = "Ada", changes: Partial<Judgement> = {}): Judgement {
  return {
    v: 3,
    kind: "judgement",
    id,
    time: new Date(Date.UTC(2025, 0, 31, 12, 0, seconds)).toISOString(),
    session: "s",
    judge,
    example: "7",
    inputHash: "abc",
    action: 1,
    probabilities: [0.25, 0.75],
    propensity: 0.75,
    acquisition: "uniform",
    inclusionProbability: null,
    model: "m",
    reward: 1,
    reactionMs: 900,
    seed: 1,
    purpose: "training",
    ...changes,
  };
}
const undo = (retracts: string, seconds: number): FeedbackRecord => ({
  v: 3,
  kind: "retraction",
  id: `undo ${retracts}`,
  retracts,
  time: judgement("", seconds).time,
  judge: "Ada",
});
const log = (name: string, ...records: FeedbackRecord[]) => ({ name, records });
const ids = ({ records }: { records: readonly FeedbackRecord[] }) => records.map(({ id }) => id);

describe("mergeLogs", () => {
  it("goes by time between logs, and keeps the order within each", () => {
    const a = log("a", judgement("a1", 1), judgement("a2", 5), judgement("a3", 4));
    const b = log("b", judgement("b1", 2, "Bob"), judgement("b2", 9, "Bob"));
    expect(ids(mergeLogs([a, b]))).toEqual(["a1", "b1", "a2", "a3", "b2"]);
    expect(mergeLogs([b, a])).toEqual(mergeLogs([a, b]));
    expect(mergeLogs([a]).records).toEqual(a.records);
  });

  it("counts what several logs hold once, and a retraction takes its judgement back wherever it is", () => {
    const shared = [judgement("x", 1), judgement("y", 2)];
    const merged = mergeLogs([
      log("a", ...shared, undo("y", 3)),
      log("b", ...shared, judgement("z", 3)),
      log("c", undo("y", 4), undo("b", 1)),
    ]);
    expect(merged.conflicts).toEqual([]);
    // x and y once more, and the second undo of y.
    expect(merged.duplicates).toBe(3);
    expect(activeJudgements(merged.records).map(({ id }) => id)).toEqual(["x", "z"]);
  });

  it("names two different records of one id, and keeps the earlier one", () => {
    const a = log("a.jsonl", judgement("x", 1), judgement("y", 2));
    const b = log("b.jsonl", judgement("x", 3, "Bob", { reward: -1 }));
    const merged = mergeLogs([b, a]);
    expect(ids(merged)).toEqual(["x", "y"]);
    expect(merged.records[0]).toEqual(a.records[0]);
    expect(merged.conflicts).toEqual([
      { id: "x", kept: "a.jsonl", dropped: "b.jsonl", fields: ["time", "judge", "reward"] },
    ]);
  });

  it("of logs in any order is the same, loses nothing, and merging again changes nothing", () => {
    const record = fc
      .tuple(fc.constantFrom(..."abcdefgh"), fc.nat(5), fc.constantFrom("Ada", "Bob"), fc.boolean())
      .map(([id, at, judge, undone]) => (undone ? undo(id, at) : judgement(id, at, judge)));
    const logs = fc.array(fc.uniqueArray(record, { selector: ({ id }) => id }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(logs, fc.integer(), (lists, turn) => {
        const named = lists.map((records, i) => ({ name: `${i}`, records }));
        const merged = mergeLogs(named);
        const k = Math.abs(turn) % named.length;
        const turned = mergeLogs([...named.slice(k), ...named.slice(0, k)]);
        expect(turned.records).toEqual(merged.records);
        expect(turned.duplicates).toBe(merged.duplicates);
        expect(new Set(ids(merged))).toEqual(new Set(lists.flat().map(({ id }) => id)));
        const total = merged.records.length + merged.duplicates + merged.conflicts.length;
        expect(total).toBe(lists.flat().length);
        expect(mergeLogs([log("m", ...merged.records)]).records).toEqual(merged.records);
        const again = mergeLogs([log("m", ...merged.records), ...named]).records;
        expect(new Set(again.map(({ id }) => id))).toEqual(new Set(ids(merged)));
      }),
      { numRuns: 60 },
    );
  });
});
