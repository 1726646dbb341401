import { checkText, listOf } from "../check.ts";
import { total } from "../numbers.ts";
import { checkObject } from "./check.ts";
import type { Judgement } from "./judgement.ts";
import { checkJudgements } from "./record.ts";

/*
 * Whether people agree, with each other and with themselves, beyond what chance alone would bring.
 *
 * An item is what was judged: an example and an action. A rating puts it into one of C categories; here `approved`
 * (reward over 0), `disapproved` (under 0) or `undecided` (0). Skips are no ratings.
 */

/** One judge's opinion of one item: the input of all measures of agreement. */
export interface Rating {
  /** What was rated; of judgements the example and the action, as JSON. */
  readonly item: string;
  /** Who rated it. */
  readonly judge: string;
  /** What the judge put it into, such as "approved". */
  readonly category: string;
}

/**
 * Judgements as ratings: `approved` for a reward above 0, `disapproved` below 0, `undecided` at 0. Skips are left out.
 *
 * @param judgements of training and of evaluation alike, such as `log.judgements()`.
 * @returns a rating for each judgement that is no skip, in their order.
 * @throws FeedbackLogError naming the judgement and its field that cannot be, such as a reward that is NaN.
 * @example const { kappa } = fleissKappa(ratingsOf(log.judgements()));
 */
export function ratingsOf(judgements: Iterable<Judgement>): Rating[] {
  const list = checkJudgements("ratingsOf", judgements, ["example", "action", "judge", "reward"]);
  return list.flatMap(({ example, action, judge, reward }) => {
    if (reward === null) return [];
    const category = reward > 0 ? "approved" : reward < 0 ? "disapproved" : "undecided";
    return [{ item: JSON.stringify([example, action]), judge, category }];
  });
}

/** Ratings of which each names an item, a judge and a category. */
export function checkRatings(operation: string, ratings: Iterable<Rating>): readonly Rating[] {
  const list = listOf(operation, "ratings", ratings, "a list of ratings, such as ratingsOf(log.judgements())");
  for (let i = 0; i < list.length; i++) {
    const rating = list[i]!;
    checkObject(operation, `rating ${i}`, rating, "{ item, judge, category }");
    for (const name of ["item", "judge", "category"] as const) {
      if (typeof rating[name] !== "string" || rating[name] === "")
        checkText(operation, `${name} of rating ${i}`, rating[name]);
    }
  }
  return list;
}

/** A measure of agreement: κ = (observed − expected) / (1 − expected). */
export interface Agreement {
  /** κ: 1 where all agree, 0 where they agree as often as chance would have it; NaN where all said the same of all. */
  readonly kappa: number;
  /** Share of pairs of ratings that agree. */
  readonly observed: number;
  /** The share that chance would bring. */
  readonly expected: number;
  /** Items that were compared. */
  readonly items: number;
}

const agreement = (observed: number, expected: number, items: number): Agreement => ({
  kappa: (observed - expected) / (1 - expected),
  observed,
  expected,
  items,
});

/**
 * Cohen's kappa (1960) of two judges, over the items that both rated; of several ratings of one item by one judge the
 * first counts.
 *
 * κ = (p_o − p_e) / (1 − p_e),   p_e = Σ_c share of c by the one · share of c by the other
 *
 * @param ratings of any judges; only those of the two are read.
 * @param one the name of a judge.
 * @param other the name of another judge.
 * @returns κ with its parts.
 * @throws RangeError where no item was rated by both, or both are the same judge.
 * @throws TypeError naming the rating that cannot be.
 * @example const { kappa } = cohenKappa(ratingsOf(log.judgements()), "ada", "ben");
 */
export function cohenKappa(ratings: Iterable<Rating>, one: string, other: string): Agreement {
  const list = checkRatings("cohenKappa", ratings);
  checkText("cohenKappa", "one", one);
  checkText("cohenKappa", "other", other);
  if (one === other)
    throw new RangeError(`cohenKappa: both judges are ${one}, expected two. For one with himself use selfConsistency.`);
  const first = new Map<string, string>();
  const second = new Map<string, string>();
  for (const { item, judge, category } of list) {
    const own = judge === one ? first : judge === other ? second : undefined;
    if (own && !own.has(item)) own.set(item, category);
  }
  const pairs = [...first].flatMap(([item, a]) => (second.has(item) ? [[a, second.get(item)!] as const] : []));
  return pairAgreement("cohenKappa", pairs, `no item was rated by both ${one} and ${other}`);
}

/**
 * One judge's agreement with himself: Cohen's kappa between the first and the second rating of each item rated twice.
 *
 * @param ratings of any judges, in the order in which they were made.
 * @param judge whose ratings are compared.
 * @returns κ with its parts.
 * @throws RangeError where the judge rated no item twice.
 * @throws TypeError naming the rating that cannot be.
 * @example const { observed } = selfConsistency(ratingsOf(log.judgements()), "ada");
 */
export function selfConsistency(ratings: Iterable<Rating>, judge: string): Agreement {
  const list = checkRatings("selfConsistency", ratings);
  checkText("selfConsistency", "judge", judge);
  const said = new Map<string, string[]>();
  for (const rating of list) {
    if (rating.judge === judge) said.set(rating.item, [...(said.get(rating.item) ?? []), rating.category]);
  }
  const pairs = [...said.values()].flatMap(([a, b]) => (a !== undefined && b !== undefined ? [[a, b] as const] : []));
  return pairAgreement("selfConsistency", pairs, `nothing was put to ${judge} twice`);
}

function pairAgreement(op: string, pairs: readonly (readonly [string, string])[], nothing: string): Agreement {
  const n = pairs.length;
  if (n === 0) throw new RangeError(`${op}: ${nothing}. Ask about some answers again.`);
  const shares = [count(pairs.map(([a]) => a)), count(pairs.map(([, b]) => b))] as const;
  const expected = total([...shares[0]], ([c, k]) => (k / n) * ((shares[1].get(c) ?? 0) / n));
  return agreement(pairs.filter(([a, b]) => a === b).length / n, expected, n);
}

/**
 * Fleiss' kappa (1971) of any number of judges. Items may have different numbers of ratings n_i; those with one are left out:
 *
 * p_o = Σ_i n_i P_i / Σ_i n_i,  P_i = (Σ_c n_ic² − n_i) / (n_i (n_i − 1)),   p_e = Σ_c (share of c among all ratings)²
 *
 * With the same number of ratings everywhere this is Fleiss' own formula.
 *
 * @param ratings of any judges; of several of one item by one judge the first counts.
 * @returns κ with its parts.
 * @throws RangeError where no item was rated by two judges.
 * @throws TypeError naming the rating that cannot be.
 * @example const { kappa, items } = fleissKappa(ratingsOf(log.judgements()));
 */
export function fleissKappa(ratings: Iterable<Rating>): Agreement {
  const list = checkRatings("fleissKappa", ratings);
  const byItem = new Map<string, Map<string, string>>();
  for (const { item, judge, category } of list) {
    const said = byItem.get(item) ?? new Map<string, string>();
    byItem.set(item, said);
    // A judge counts once: his agreement with himself is another question.
    if (!said.has(judge)) said.set(judge, category);
  }
  const items = [...byItem.values()].map((said) => [...said.values()]).filter((said) => said.length > 1);
  if (items.length === 0) throw new RangeError("fleissKappa: no item was rated by two judges. Show some to several.");
  const all = items.flat();
  const observed = total(items, (said) => {
    const n = said.length;
    const squares = [...count(said).values()].reduce((s, k) => s + k * k, 0);
    return (squares - n) / (n - 1);
  });
  const expected = total([...count(all).values()], (k) => (k / all.length) ** 2);
  return agreement(observed / all.length, expected, items.length);
}

function count(categories: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const category of categories) counts.set(category, (counts.get(category) ?? 0) + 1);
  return counts;
}
