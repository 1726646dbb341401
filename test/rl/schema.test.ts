import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import schema from "../../schema/feedback-log.schema.json" with { type: "json" };
import { FeedbackLogError, type FeedbackRecord } from "../../src/rl/judgement.ts";
import { checkRecord } from "../../src/rl/record.ts";

/* The published schema and the rules by hand say the same: one is checked by ajv, the other by `checkRecord`. */

const validate = new Ajv2020({ strictTypes: false }).compile(schema);

const asked = {
  v: 3,
  id: "s/0/e7",
  time: "2025-01-31T12:00:00.000Z",
  session: "s",
  judge: "Ada",
  example: "e7",
  inputHash: "0123456789abcdef",
  probabilities: [0.25, 0.75],
  propensity: 0.75,
  acquisition: "entropy, floor 0.1",
  inclusionProbability: 0.02,
  model: "fedcba9876543210",
  reactionMs: 900,
  seed: 1,
  purpose: "training",
} as const;
const records: FeedbackRecord[] = [
  { ...asked, kind: "judgement", action: 1, reward: 1 },
  { ...asked, kind: "preference", preferred: 0, rejected: 1 },
  { v: 3, kind: "retraction", id: "undo s/0/e7", retracts: "s/0/e7", time: asked.time, judge: "Ada" },
];

const refusedBy = (record: unknown): FeedbackLogError | undefined => {
  try {
    checkRecord(record);
    return undefined;
  } catch (error) {
    if (error instanceof FeedbackLogError) return error;
    throw error;
  }
};

/** What a schema cannot say, and the rules by hand do. */
const beyond = (record: Record<string, unknown>, error: FeedbackLogError): boolean => {
  const { field } = error;
  if (field === "time") return /-(02-(29|3\d)|(04|06|09|11)-31)T/.test(record.time as string);
  if (field === "probabilities") {
    return Math.abs((record.probabilities as number[]).reduce((a, b) => a + b, 0) - 1) > 1e-3;
  }
  if (field === "rejected" && record.rejected === record.preferred) return true;
  const isIndex = field === "action" || field === "preferred" || field === "rejected";
  return isIndex && (record[field] as number) >= (record.probabilities as number[]).length;
};

/** The numbers, texts and lists at which rules end, and anything else that JSON can hold. */
const value = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, "", "x", "training", "evaluation", "judgement", "preference", {}, []),
  fc.constantFrom(-1, -1.001, 0, 1, 1.001, 2, 0.5, -0, 1e-300, 2 ** 53, 2 ** 53 - 1, 1e300),
  fc.constantFrom("2025-01-31", "2025-01-31T12:00", "2025-13-31T12:00:00Z", "yesterday", "2025-01-31T12:00:00+02:00"),
  fc.constantFrom("2025-02-30T12:00:00Z", "2025-01-31T24:00:00Z", "2025-01-31T12:00:00", "2025-01-31T12:00:00.5-09:30"),
  fc.array(fc.constantFrom<unknown>(0, 0.25, 0.5, 0.75, 1, 1.5, -0.5, null, "1"), { maxLength: 4 }),
  fc.jsonValue(),
);

describe("the published schema", () => {
  it("takes each kind of record, and says so in its version", () => {
    for (const record of records) {
      expect(validate(record), JSON.stringify(validate.errors)).toBe(true);
      expect(checkRecord(record)).toEqual(record);
    }
    expect(schema.properties.v.const).toBe(3);
  });

  it("agrees with the rules by hand on every property of every kind, whatever it holds", () => {
    const properties = records.flatMap((record) => Object.keys(record).map((field) => ({ record, field })));
    const seen = { taken: 0, refused: 0 };
    for (const { record, field } of properties) {
      fc.assert(
        fc.property(value, (x) => {
          // As it is written into a file and read again: undefined is then missing.
          const changed = JSON.parse(JSON.stringify({ ...record, [field]: x })) as Record<string, unknown>;
          // Records of version 1 are read by hand and are not of this schema.
          if (changed.v === 1 || changed.v === 2) return;
          const error = refusedBy(changed);
          if (validate(changed)) {
            seen.taken += 1;
            if (error && !beyond(changed, error)) throw new Error(`only the schema takes it: ${error.message}`);
          } else {
            seen.refused += 1;
            if (!error) throw new Error(`only the rules take it: ${JSON.stringify(validate.errors)}`);
          }
        }),
        { numRuns: 150 },
      );
    }
    // Neither says yes or no to everything.
    expect(seen.taken).toBeGreaterThan(200);
    expect(seen.refused).toBeGreaterThan(2000);
  });

  it("describes every field that the rules ask for", () => {
    const { asked, judgement, preference, retraction } = schema.$defs;
    const own = { judgement, preference, retraction };
    for (const record of records) {
      const kind = own[record.kind];
      const described = [
        ...Object.keys(schema.properties),
        ...(record.kind === "retraction" ? [] : Object.keys(asked.properties)),
        ...Object.keys(kind.properties),
      ];
      expect(new Set(described)).toEqual(new Set(Object.keys(record)));
    }
  });
});
