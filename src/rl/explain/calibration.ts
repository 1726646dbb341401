import { checkList, checkNumber, checkOptions, number, placeIn } from "../../check.ts";
import { largest, total } from "../../numbers.ts";
import { checkProbabilities } from "../check.ts";

/** The examples whose largest probability (confidence) lies between two edges. */
export interface Bin {
  /** The lower edge, excluded. */
  readonly low: number;
  /** The upper edge, included. */
  readonly high: number;
  /** How many examples are in the bin. */
  readonly count: number;
  /** Their mean confidence; NaN where there are none. */
  readonly confidence: number;
  /** The share of them whose argmax is right; NaN where there are none. */
  readonly accuracy: number;
}

/** How well confidence matches accuracy. */
export interface Calibration {
  /** Expected calibration error, 0 to 1. */
  readonly ece: number;
  /** The bins, from low confidence to high: a reliability diagram. */
  readonly bins: readonly Bin[];
}

/** How `calibration` groups examples. */
export interface CalibrationOptions {
  /** The number of bins. Default 15. */
  readonly bins?: number;
}

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017): whether answers of confidence 80 % are right in 80 % of
 * cases, over bins of equal width.
 *
 * ECE = Σ_b n_b / N · |accuracy_b − confidence_b|
 *
 * @param probabilities [N][A]
 * @param labels [N], or where only judgements are known, whether each answer was right.
 * @param options.bins their number. Default 15.
 * @returns the error and its bins.
 * @throws TypeError or RangeError naming the row or the label that cannot be.
 * @example const { ece } = calibration(await agent.predict(examples), labels);
 */
export function calibration(
  probabilities: readonly (readonly number[])[],
  labels: ArrayLike<number | boolean>,
  options: CalibrationOptions = {},
): Calibration {
  checkOptions("calibration", options, { bins: true });
  const { bins = 15 } = options;
  checkNumber("calibration", "bins", bins, number.wholeAtLeast1);
  checkList("calibration", "probabilities", probabilities, "a list of rows of probabilities");
  checkList("calibration", "labels", labels, "a list of labels, or of true and false");
  if (probabilities.length === 0 || probabilities.length !== labels.length) {
    throw new RangeError(
      `calibration: ${probabilities.length} rows of probabilities and ${labels.length} labels, expected as many of both, at least 1.`,
    );
  }
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  probabilities.forEach((p, i) => {
    checkProbabilities("calibration", `row ${i}`, p, probabilities[0]!.length);
    if (typeof labels[i] !== "boolean") checkNumber("calibration", `label ${i}`, labels[i], placeIn(p.length));
    const confidence = largest(p);
    const label = labels[i]!;
    const right = typeof label === "boolean" ? label : p.indexOf(confidence) === label;
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!;
    bin.count += 1;
    bin.confidence += confidence;
    bin.right += right ? 1 : 0;
  });
  const found = sums.map(
    ({ count, confidence, right }, b): Bin => ({
      low: b / bins,
      high: (b + 1) / bins,
      count,
      confidence: confidence / count,
      accuracy: right / count,
    }),
  );
  const N = probabilities.length;
  const ece = total(sums, ({ confidence, right }) => Math.abs(right - confidence) / N);
  return { ece, bins: found };
}
