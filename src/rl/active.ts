import type { FeedbackRecord, Judgement, Preference, RewardedJudgement } from "./judgement.ts";
import { checkJudgements, checkKinds } from "./record.ts";

/* What of a log counts: judgements and preferences that were not taken back, each once. */

/** What counts: each id once (the first), less what was retracted, in the order of the log. */
function activeRecords(records: Iterable<FeedbackRecord>): (Judgement | Preference)[] {
  const retracted = new Set<string>();
  const said = new Map<string, Judgement | Preference>();
  for (const record of records) {
    if (record.kind === "retraction") retracted.add(record.retracts);
    else if (!said.has(record.id)) said.set(record.id, record);
  }
  return [...said.values()].filter(({ id }) => !retracted.has(id));
}

/**
 * The judgements that count: each id once (the first), without the retracted ones. Skips and judgements for evaluation are
 * among them; `rewarded` leaves them out.
 *
 * @param records of one log, or of merged ones.
 * @returns judgements in the order of the log.
 * @throws FeedbackLogError naming the record and its field that cannot be.
 * @example const judgements = activeJudgements(log.records());
 */
export const activeJudgements = (records: Iterable<FeedbackRecord>): Judgement[] =>
  judgementsOf(checkKinds("activeJudgements", records));

/**
 * The preferences that count: each id once (the first), without the retracted ones.
 *
 * @param records of one log, or of merged ones.
 * @returns preferences in the order of the log.
 * @throws FeedbackLogError naming the record and its field that cannot be.
 * @example const preferences = activePreferences(log.records());
 */
export const activePreferences = (records: Iterable<FeedbackRecord>): Preference[] =>
  preferencesOf(checkKinds("activePreferences", records));

/** As `activeJudgements`, of records that were checked. */
export const judgementsOf = (records: Iterable<FeedbackRecord>): Judgement[] =>
  activeRecords(records).filter((record) => record.kind === "judgement");

/** As `activePreferences`, of records that were checked. */
export const preferencesOf = (records: Iterable<FeedbackRecord>): Preference[] =>
  activeRecords(records).filter((record) => record.kind === "preference");

/** The last that counts of what was said, by this judge where one is given: what an undo takes back. */
export const lastSaid = (records: Iterable<FeedbackRecord>, judge?: string): Judgement | Preference | undefined =>
  activeRecords(records).findLast((record) => judge === undefined || record.judge === judge);

/**
 * The judgements that one can learn from: neither skipped nor for evaluation.
 *
 * @param judgements such as `log.judgements()`.
 * @returns those with a reward, for training, in their order.
 * @throws FeedbackLogError naming the judgement and its field that cannot be.
 * @example const mean = rewarded(log.judgements()).reduce((sum, j) => sum + j.reward, 0);
 */
export function rewarded(judgements: Iterable<Judgement>): RewardedJudgement[] {
  return rewardedOf(checkJudgements("rewarded", judgements, ["reward", "purpose"]));
}

/** As `rewarded`, of judgements that were checked. */
export const rewardedOf = (judgements: readonly Judgement[]): RewardedJudgement[] =>
  judgements.filter((one): one is RewardedJudgement => one.reward !== null && one.purpose === "training");
