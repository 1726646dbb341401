import { checkList, checkNumber, checkOptions, describe, nearest, number } from "../../check.ts";
import type { Random } from "../../data/random.ts";
import { total } from "../../numbers.ts";
import { checkPrediction, type Prediction, type ScoreName, unchecked as scores } from "./scores.ts";

/*
 * Which n of M examples to ask about.
 *
 * Each way of asking gives every example the probability with which it is among the chosen, π_i, Σ π_i = n: `uniform`
 * n/M each; a score 1 to the n best and 0 to the others. Ways are mixed by weights w, which keeps both properties:
 *   π_i = floor · n/M + (1 − floor) · Σ_w w π_i^(w) / Σ_w w
 * Then n are drawn so that each has exactly its π_i, by systematic sampling (Madow 1949) in a shuffled order: the π_i lie
 * end to end on a line, and a comb of step 1 with a random start takes those that its teeth hit.
 *
 * Why the floor: judgements of cleverly chosen examples say little about all examples. With π_i > 0 everywhere and written
 * down, the mean of any f over all M is estimated without bias (Horvitz and Thompson 1952) by 1/M Σ_chosen f_i / π_i.
 */

/** How to choose the examples to ask about. */
export interface ChooseOptions {
  /** A score, or several with their weights, such as `{ bald: 0.5, margin: 0.5 }`. */
  readonly by: ScoreName | Readonly<Partial<Record<ScoreName, number>>>;
  /** Share of the questions that are chosen uniformly, 0 to 1. Default 0.1. With 0 some examples can never be chosen. */
  readonly floor?: number;
}

/** An example that was chosen, and what the log says of how. */
export interface Choice {
  /** Its place among the predictions. */
  readonly index: number;
  /** The name of the mixture, such as "0.5 bald + 0.5 margin, floor 0.1", for `Query`. */
  readonly acquisition: string;
  /** π, over 0 and at most 1. */
  readonly inclusionProbability: number;
}

/**
 * Chooses n of M examples to ask about: by scores of active learning, mixed with a uniform floor; by systematic sampling with
 *
 * π_i = floor · n/M + (1 − floor) · Σ_w w π_i^(w) / Σ_w w        Σ_i π_i = n
 *
 * @param predictions [M][K][A]: of each example the probabilities by K members of an ensemble.
 * @param n how many to choose; all where there are fewer.
 * @param options.by a score, or several with their weights.
 * @param options.floor share of the questions that are chosen uniformly. Default 0.1.
 * @param random the stream that draws them.
 * @returns at most n choices in a shuffled order: the first are no better than the last.
 * @throws TypeError or RangeError naming the prediction, n, the weight or the floor that cannot be.
 * @example const chosen = choose(predictions, 20, { by: "entropy" }, new Random("ask", 1));
 */
export function choose(
  predictions: readonly Prediction[],
  n: number,
  options: ChooseOptions,
  random: Random,
): Choice[] {
  const chances = inclusion(predictions, n, options, random);
  const acquisition = nameOf(options);
  return systematic(chances, random).map((index) => ({ index, acquisition, inclusionProbability: chances[index]! }));
}

/** π [M]: with which probability each example will be chosen. Ties of a score are broken by `random`. */
export function inclusion(
  predictions: readonly Prediction[],
  n: number,
  options: ChooseOptions,
  random: Random,
): number[] {
  checkNumber("choose", "n", n, number.wholeAtLeast0);
  if (options === undefined) throw new TypeError("choose: there are no options, expected { by } at least.");
  checkOptions("choose", options, { by: true, floor: true });
  const { by, floor = 0.1 } = options;
  checkNumber("choose", "floor", floor, number.share);
  const weights = scoreWeights(by);
  if (typeof random?.uniform !== "function" || typeof random.shuffle !== "function")
    throw new TypeError(`choose: random is ${describe(random)}, expected what new Random(…) of handgrad/data makes.`);
  checkList("choose", "predictions", predictions, "a list of predictions, each a list of members");
  for (let i = 0; i < predictions.length; i++)
    checkPrediction("choose", `prediction ${i}`, predictions[i]!, predictions[0]?.[0]?.length);
  const M = predictions.length;
  const size = Math.min(n, M);
  if (size === 0) return new Array<number>(M).fill(0);
  const sum = total(weights, ([, weight]) => weight);
  if (!Number.isFinite(sum)) throw new RangeError(`choose: the weights sum to ${sum}, expected smaller ones.`);
  const chances = new Array<number>(M).fill((floor * size) / M);
  for (const [name, weight] of weights) {
    const share = ((1 - floor) * weight) / sum;
    if (name === "uniform") for (let i = 0; i < M; i++) chances[i]! += (share * size) / M;
    else for (const i of best(predictions.map(scores[name]), size, random)) chances[i]! += share;
  }
  // Rounding may leave a hair over 1.
  return chances.map((p) => Math.min(p, 1));
}

function scoreWeights(by: ChooseOptions["by"]): (readonly [ScoreName, number])[] {
  if (typeof by !== "string" && (typeof by !== "object" || by === null || Array.isArray(by)))
    throw new TypeError(
      `choose: by is ${describe(by)}, expected a score or weights such as { bald: 0.5, margin: 0.5 }.`,
    );
  const weights = typeof by === "string" ? [[by, 1] as const] : (Object.entries(by) as [ScoreName, number][]);
  for (const [name, weight] of weights) {
    if (!Object.hasOwn(scores, name)) {
      const meant = nearest(name, Object.keys(scores));
      throw new RangeError(
        `choose: there is no score "${name}", expected one of ${Object.keys(scores).join(", ")}.${meant ? ` Did you mean ${meant}?` : ""}`,
      );
    }
    checkNumber("choose", `the weight of ${name}`, weight, number.atLeast0);
  }
  if (!weights.some(([, weight]) => weight > 0)) throw new RangeError("choose: no score has a weight over 0.");
  return weights;
}

/** The places of the n highest numbers; which of equal ones, by chance. */
function best(numbers: readonly number[], n: number, random: Random): number[] {
  const order = random.shuffle(numbers.map((_, i) => i));
  return order.sort((a, b) => numbers[b]! - numbers[a]!).slice(0, n);
}

function systematic(chances: readonly number[], random: Random): number[] {
  const order = random.shuffle(chances.map((_, i) => i));
  let tooth = random.uniform();
  let end = 0;
  const chosen: number[] = [];
  for (const i of order) {
    end += chances[i]!;
    if (tooth < end) {
      chosen.push(i);
      tooth += 1;
    }
  }
  // A sum that rounding left a hair under n can lose the last tooth.
  const missed =
    Math.round(end) > chosen.length ? order.findLast((i) => chances[i]! > 0 && !chosen.includes(i)) : undefined;
  if (missed !== undefined) chosen.push(missed);
  return random.shuffle(chosen);
}

/** Such as "bald, floor 0.1" or "0.5 bald + 0.5 margin, floor 0.1". */
function nameOf({ by, floor = 0.1 }: ChooseOptions): string {
  const mix =
    typeof by === "string"
      ? by
      : scoreWeights(by)
          .map(([name, weight]) => `${weight} ${name}`)
          .join(" + ");
  return mix === "uniform" ? mix : `${mix}, floor ${floor}`;
}
