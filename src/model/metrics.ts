import { checkList, checkName, checkNumber, checkObject, checkOptions, describe, number } from "../check.ts";
import { total } from "../numbers.ts";

const f1Options = { average: true } as const;

/** The predictions for N examples, beside their targets. */
export interface Predictions {
  /**
   * [N, K], row by row. K > 1: the probabilities of K classes, or of K labels of which several may hold; K = 1: the
   * probability of "yes"; for numbers, K of them.
   */
  readonly values: Float32Array;
  /** K. */
  readonly numOutputs: number;
  /** [N] classes, or 0 and 1; or [N, K]: 0 and 1 for each label, or numbers. */
  readonly targets: ArrayLike<number>;
}

/** A figure of all predictions together, for `evaluate` and `fit`. */
export type Metric = ((predictions: Predictions) => number) & {
  /** Whether a lower figure is better, for `fit`'s best epoch. Default false. */
  readonly lowerIsBetter?: boolean;
};

/**
 * The share of right answers: the argmax (the first of equals), or a probability of at least ½. With several labels each
 * counts by itself. A prediction that holds NaN is wrong.
 *
 * @param predictions of classes or labels.
 * @returns 0 to 1; NaN where there are none.
 * @throws RangeError where a target cannot be.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { accuracy } });
 */
export const accuracy: Metric = (predictions) => {
  checkPredictions("accuracy", predictions);
  const { expected, found } = answers("accuracy", predictions);
  return meanOf(expected, (label, i) => (label === found[i] ? 1 : 0));
};

/**
 * Top-k accuracy: the share of examples whose class is among the k largest probabilities; of equal ones the first come first.
 *
 * @param k at least 1.
 * @returns the metric.
 * @throws RangeError where k is none.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { top5: topK(5) } });
 */
export function topK(k: number): Metric {
  checkNumber("topK", "k", k, number.wholeAtLeast1);
  return (predictions) => {
    checkPredictions("topK", predictions);
    const { values, numOutputs, targets } = predictions;
    checkRows("topK", values, numOutputs);
    expectClasses("topK", { values, numOutputs, targets });
    checkTargets("topK", { values, numOutputs, targets }, numOutputs);
    return meanOf(targets, (label, n) => {
      const row = values.subarray(n * numOutputs, (n + 1) * numOutputs);
      const own = row[label]!;
      let before = 0;
      for (let c = 0; c < numOutputs; c++) if (row[c]! > own || (row[c] === own && c < label)) before++;
      return !row.some(Number.isNaN) && before < k ? 1 : 0;
    });
  };
}

/** What `f1` averages over. */
export interface F1Options {
  /** "binary": of "yes" (K = 1) or class 1; "macro": the mean over classes or labels. Default "binary". */
  average?: "binary" | "macro";
}

/**
 * F1 score, scikit-learn's `f1_score`: 2·TP / (2·TP + FP + FN), 0 where there is nothing to divide by.
 *
 * @param options.average "binary": of "yes" (K = 1) or class 1; "macro": the mean over the classes that occur as answer or
 * target, or over all K labels. Default "binary".
 * @returns the metric.
 * @throws RangeError where `average` is none.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { f1: f1({ average: "macro" }) } });
 */
export function f1(options: F1Options = {}): Metric {
  checkOptions("f1", options, f1Options);
  const { average = "binary" } = options;
  checkName("f1", "average", average, ["binary", "macro"]);
  return (predictions) => {
    checkPredictions("f1", predictions);
    const { values, numOutputs, targets } = predictions;
    const { expected, found } = answers("f1", predictions);
    const of = (yes: number, from = 0, every = 1) => {
      let [right, there, answered] = [0, 0, 0];
      for (let i = from; i < expected.length; i += every) {
        if (expected[i] === yes) there++;
        if (found[i] === yes) answered++;
        if (expected[i] === yes && found[i] === yes) right++;
      }
      return { score: there + answered === 0 ? 0 : (2 * right) / (there + answered), occurs: there + answered > 0 };
    };
    const several = numOutputs > 1 && targets.length === values.length;
    if (average === "binary") {
      if (several || numOutputs > 2)
        throw new RangeError(
          `f1: there are ${numOutputs} classes or labels, expected two classes. Use average: "macro".`,
        );
      return of(1).score;
    }
    if (several) return meanOf(Array.from({ length: numOutputs }, (_, k) => of(1, k, numOutputs).score));
    const classes = Array.from({ length: Math.max(2, numOutputs) }, (_, c) => of(c)).filter(({ occurs }) => occurs);
    return meanOf(classes.map(({ score }) => score));
  };
}

/**
 * Area under the ROC curve, scikit-learn's `roc_auc_score`: the probability that a "yes" scores higher than a "no", equals
 * counting half. Of two classes that of class 1; of more the mean over the classes, one against the rest; of labels the mean
 * over them.
 *
 * @param predictions of classes or labels.
 * @returns 0 to 1; NaN where a class has no "yes" or no "no".
 * @throws RangeError where a target cannot be.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { auc } });
 */
export const auc: Metric = (predictions) => {
  checkPredictions("auc", predictions);
  const { values, numOutputs, targets } = predictions;
  const N = checkRows("auc", values, numOutputs);
  checkList("auc", "targets", targets, "a typed array or a list of classes");
  const several = numOutputs > 1 && targets.length === values.length;
  if (!several && targets.length !== N) throw wrongCount("auc", N, numOutputs, targets.length);
  checkTargets("auc", { values, numOutputs, targets }, several || numOutputs === 1 ? 2 : numOutputs);
  const columns = several || numOutputs > 2 ? Array.from({ length: numOutputs }, (_, k) => k) : [numOutputs - 1];
  return meanOf(
    columns.map((k) => {
      const column = Array.from({ length: N }, (_, n) => values[n * numOutputs + k]!);
      const yes = (n: number) =>
        several ? targets[n * numOutputs + k] === 1 : targets[n] === (numOutputs === 1 ? 1 : k);
      return areaOf(column, yes);
    }),
  );
};

/**
 * Mean squared error: 1/(N·K) Σ (value − target)². Lower is better.
 *
 * @param predictions of numbers.
 * @returns at least 0; NaN where there are none.
 * @throws RangeError where there are not as many targets.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { meanSquaredError } });
 */
export const meanSquaredError: Metric = Object.assign(
  (predictions: Predictions) => {
    checkPredictions("meanSquaredError", predictions);
    const { values, numOutputs, targets } = predictions;
    checkRows("meanSquaredError", values, numOutputs);
    checkList("meanSquaredError", "targets", targets, "a typed array or a list of numbers");
    if (targets.length !== values.length)
      throw new RangeError(
        `meanSquaredError: ${values.length} numbers and ${targets.length} targets, expected as many.`,
      );
    return meanOf(targets, (target, i) => {
      checkNumber("meanSquaredError", `target ${i}`, target, number.any);
      return (values[i]! - target) ** 2;
    });
  },
  { lowerIsBetter: true },
);

/**
 * Confusion matrix: how many examples of a class got which answer. K = 1 counts as the classes no (0) and yes (1).
 *
 * @param predictions of classes; one that holds NaN is left out.
 * @returns [target][answer], counts.
 * @throws RangeError where the predictions are not of classes, or a target cannot be.
 * @example const { predictions } = await evaluate(net, testSet); confusionMatrix(predictions);
 */
export function confusionMatrix(predictions: Predictions): number[][] {
  checkPredictions("confusionMatrix", predictions);
  const { numOutputs, values, targets } = predictions;
  checkRows("confusionMatrix", values, numOutputs);
  if (numOutputs > 1) expectClasses("confusionMatrix", { values, numOutputs, targets });
  const { expected, found } = answers("confusionMatrix", predictions);
  const classes = Math.max(2, numOutputs);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < expected.length; i++) {
    const row = counts[expected[i]!]!;
    // An answer that holds NaN is none of the classes.
    if (found[i]! >= 0) row[found[i]!]! += 1;
  }
  return counts;
}

/** The answer of each example (or of each label of each example), -1 where it holds NaN, beside what is right. */
function answers(
  who: string,
  { values, numOutputs, targets }: Predictions,
): {
  expected: ArrayLike<number>;
  found: Int32Array;
} {
  const N = checkRows(who, values, numOutputs);
  checkList(who, "targets", targets, "a typed array or a list");
  if (numOutputs > 1 && targets.length === N) {
    checkTargets(who, { values, numOutputs, targets }, numOutputs);
    return { expected: targets, found: argmaxRows(values, numOutputs) };
  }
  if (targets.length !== values.length) throw wrongCount(who, N, numOutputs, targets.length);
  checkTargets(who, { values, numOutputs, targets }, 2);
  return { expected: targets, found: Int32Array.from(values, (p) => (Number.isNaN(p) ? -1 : p >= 0.5 ? 1 : 0)) };
}

/**
 * The index of each row's largest number, the first of equals; -1 where a row holds NaN.
 *
 * @param values [N, K], row by row.
 * @param numOutputs K.
 * @returns [N]
 * @throws RangeError where `numOutputs` is no whole number of at least 1.
 * @example argmaxRows(Float32Array.of(0.2, 0.8, 0.6, 0.4), 2); // Int32Array [1, 0]
 */
export function argmaxRows(values: Float32Array, numOutputs: number): Int32Array {
  const N = checkRows("argmaxRows", values, numOutputs);
  return Int32Array.from({ length: N }, (_, n) => {
    const row = values.subarray(n * numOutputs, (n + 1) * numOutputs);
    return row.indexOf(row.reduce((most, x) => Math.max(most, x), -Infinity));
  });
}

function checkPredictions(operation: string, predictions: unknown): void {
  checkObject(operation, "predictions", predictions, "{ values, numOutputs, targets }, as evaluate gives");
}

/**
 * How many rows of `numOutputs` numbers there are.
 *
 * @throws TypeError where they are no typed array of numbers with a point, RangeError where they do not fill whole rows.
 */
function checkRows(who: string, values: unknown, numOutputs: unknown): number {
  checkNumber(who, "numOutputs", numOutputs, number.wholeAtLeast1);
  if (!(values instanceof Float32Array || values instanceof Float64Array))
    throw new TypeError(`${who}: values is ${describe(values)}, expected a Float32Array, row by row.`);
  if (values.length % numOutputs !== 0)
    throw new RangeError(`${who}: ${values.length} values do not fill rows of ${numOutputs} numbers (numOutputs).`);
  return values.length / numOutputs;
}

const wrongCount = (who: string, N: number, numOutputs: number, targets: number) =>
  new RangeError(
    `${who}: ${N} predictions of ${numOutputs} numbers and ${targets} targets, expected ${numOutputs === 1 ? N : `${N} or ${N * numOutputs}`}.`,
  );

/** By ranks (Mann and Whitney 1947), equal ones sharing the mean of theirs. */
function areaOf(column: readonly number[], yes: (n: number) => boolean): number {
  const order = column.map((_, n) => n).sort((a, b) => column[a]! - column[b]!);
  let [positives, ranks] = [0, 0];
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && column[order[to]!] === column[order[from]!]) to++;
    if (to === from) return Number.NaN; // a NaN equals nothing
    const here = order.slice(from, to).filter(yes).length;
    positives += here;
    ranks += here * ((from + to + 1) / 2);
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * (column.length - positives));
}

function expectClasses(who: string, { values, numOutputs, targets }: Predictions): void {
  if (numOutputs < 2 || targets.length !== values.length / numOutputs)
    throw new RangeError(
      `${who}: ${values.length / numOutputs} predictions of ${numOutputs} numbers and ${targets.length} targets, expected one class for each prediction, of at least 2.`,
    );
}

/** Targets that name classes 0 … K − 1 (yes and no where K is 1): anything else would count as a wrong answer. */
function checkTargets(who: string, { targets, numOutputs }: Predictions, classes: number): void {
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i]!;
    if (!(Number.isInteger(target) && target >= 0 && target < classes))
      throw new RangeError(
        `${who}: target ${i} is ${target}, expected a class of 0 … ${classes - 1} as predictions are ${numOutputs} numbers each.`,
      );
  }
}

/** NaN of nothing. */
function meanOf(numbers: ArrayLike<number>, of: (x: number, i: number) => number = (x) => x): number {
  return total(numbers, of) / numbers.length;
}
