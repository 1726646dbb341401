import { checkNumber, checkOptions, number } from "../check.ts";
import { largest, total } from "../numbers.ts";
import { rewardedOf } from "./active.ts";
import { checkRatings, type Rating, ratingsOf } from "./agreement.ts";
import type { Judgement, RewardedJudgement } from "./judgement.ts";
import { checkJudgements } from "./record.ts";

/** How reliable judges are, and what the items are, both from their ratings. */
export interface Reliability {
  /** In alphabetical order: the order of all arrays here. */
  readonly categories: readonly string[];
  /** How the true categories are spread. */
  readonly prior: readonly number[];
  /** By judge: confusion[true category][rated category], rows summing to 1. */
  readonly confusion: ReadonlyMap<string, readonly (readonly number[])[]>;
  /** By judge: the probability that a rating is right, Σ_c prior_c · confusion[c][c]. */
  readonly accuracy: ReadonlyMap<string, number>;
  /** By item: the probability of each true category. */
  readonly items: ReadonlyMap<string, readonly number[]>;
}

/** How `reliability` is estimated. */
export interface ReliabilityOptions {
  /** Rounds of the expectation maximization, at most. Default 200. */
  readonly rounds?: number;
}

/**
 * Reliability of judges without known labels (Dawid and Skene 1979), by expectation maximization of
 *
 * P(ratings) = Π_items Σ_c prior_c Π_ratings confusion_judge[c][rating]
 *
 * from majority vote. Pseudo-counts that favor the diagonal keep the confusion of a judge with few ratings near a prior. It
 * finds careless judges, not that all are wrong together.
 *
 * @param ratings of any judges.
 * @param options.rounds of the expectation maximization, at most. Default 200.
 * @returns confusion and accuracy by judge, category probabilities by item.
 * @throws TypeError naming the rating that cannot be; RangeError where `rounds` is none.
 * @example const { accuracy } = reliability(ratingsOf(log.judgements()));
 */
export function reliability(ratings: Iterable<Rating>, options: ReliabilityOptions = {}): Reliability {
  checkOptions("reliability", options, { rounds: true });
  const { rounds = 200 } = options;
  checkNumber("reliability", "rounds", rounds, number.wholeAtLeast1);
  const said = checkRatings("reliability", ratings);
  const categories = [...new Set(said.map(({ category }) => category))].sort();
  const C = categories.length;
  const judges = [...new Set(said.map(({ judge }) => judge))];
  const names = [...new Set(said.map(({ item }) => item))];
  const placeOf = (list: readonly string[]) => new Map(list.map((name, i) => [name, i]));
  const [category, judge, item] = [placeOf(categories), placeOf(judges), placeOf(names)];
  const rows = said.map((one) => ({
    item: item.get(one.item)!,
    judge: judge.get(one.judge)!,
    said: category.get(one.category)!,
  }));

  // The majority's view, to begin with.
  let posterior = names.map(() => new Array<number>(C).fill(0));
  for (const { item, said } of rows) posterior[item]![said]! += 1;
  posterior = posterior.map(normalized);

  let prior: number[] = [];
  let confusion: number[][][] = [];
  for (let round = 0; round < rounds; round++) {
    prior = normalized(categories.map((_, c) => 1 + total(posterior, (p) => p[c]!)));
    const counts = judges.map(() => categories.map((_, c) => categories.map((_, k) => (c === k ? 2 : 1) / C)));
    for (const { item, judge, said } of rows) {
      for (let c = 0; c < C; c++) counts[judge]![c]![said]! += posterior[item]![c]!;
    }
    confusion = counts.map((matrix) => matrix.map(normalized));

    const logs = names.map(() => prior.map(Math.log));
    for (const { item, judge, said } of rows) {
      for (let c = 0; c < C; c++) logs[item]![c]! += Math.log(confusion[judge]![c]![said]!);
    }
    const before = posterior;
    posterior = logs.map((row) => normalized(row.map((x) => Math.exp(x - largest(row)))));
    const moved = posterior.reduce(
      (most, row, i) => Math.max(most, largest(row.map((p, c) => Math.abs(p - before[i]![c]!)))),
      0,
    );
    if (moved < 1e-6) break;
  }
  return {
    categories,
    prior,
    confusion: new Map(judges.map((name, j) => [name, confusion[j]!])),
    accuracy: new Map(judges.map((name, j) => [name, prior.reduce((sum, p, c) => sum + p * confusion[j]![c]![c]!, 0)])),
    items: new Map(names.map((name, i) => [name, posterior[i]!])),
  };
}

/**
 * Aggregates the judgements of several people: each answer once, its reward P(right) − P(wrong) by `reliability`. Skips and
 * judgements for evaluation are left out.
 *
 * @param judgements of any judges.
 * @returns one judgement for each answer, for `agent.update`.
 * @throws FeedbackLogError naming the judgement and its field that cannot be.
 * @example await agent.update(aggregateLabels(log.judgements()));
 */
export function aggregateLabels(judgements: Iterable<Judgement>): RewardedJudgement[] {
  const all = rewardedOf(
    checkJudgements("aggregateLabels", judgements, ["example", "action", "judge", "reward", "purpose"]),
  );
  const ratings = ratingsOf(all);
  const { categories, items } = reliability(ratings);
  const chance = (item: string, name: string) => items.get(item)![categories.indexOf(name)] ?? 0;
  const first = new Map<string, RewardedJudgement>();
  all.forEach((judgement, i) => {
    const { item } = ratings[i]!;
    if (first.has(item)) return;
    first.set(item, { ...judgement, reward: chance(item, "approved") - chance(item, "disapproved") });
  });
  return [...first.values()];
}

function normalized(numbers: readonly number[]): number[] {
  const sum = numbers.reduce((a, b) => a + b, 0);
  return numbers.map((x) => x / sum);
}
