import { checkFlag, checkIterable, checkList, checkName, checkNumber, checkOptions, number } from "../check.ts";
import { checkBatch, presentOf } from "./batch.ts";
import { modalities as known } from "./encoder/index.ts";
import { outputs } from "./evaluate.ts";
import { accuracy, confusionMatrix, type Predictions } from "./metrics.ts";
import { type Batch, expectNet, type Modality, type MultimodalNet } from "./multimodal.ts";
import { targetOf } from "./trainable.ts";

/** A batch with the class of each example, [N]. */
export type LabeledBatch = Batch & {
  /** [N] */
  label: Int32Array;
};

/** What `evaluateByModality` evaluates. */
export interface ModalityEvaluationOptions {
  /** False: all modalities together alone. Default true. */
  subsets?: boolean;
}

/** How well a network classifies by each subset of its modalities. */
export interface ModalityEvaluation {
  /** Share of examples whose argmax is their label, with all modalities. */
  accuracy: number;
  /** Mean loss of the head's task: of classes the cross-entropy, natural logarithm. */
  loss: number;
  /** Accuracy by subset: "image", "image+text", …, "all". */
  byModalities: Record<string, number>;
  /** confusion[label][answer]: how many. */
  confusion: number[][];
  /** The probabilities of each example, with all modalities. */
  predictions: Predictions;
}

/**
 * Evaluates a classifier on every non-empty subset of its modalities; each modality of a batch is encoded only once.
 *
 * @param net of the task "multiclass" or "binary".
 * @param batches with labels.
 * @param options.subsets false: all modalities together alone. Default true.
 * @returns accuracy by subset, and loss, confusion and predictions with all modalities.
 * @throws TypeError or RangeError naming the option, or the part of a batch, that cannot be.
 * @example const { byModalities } = await evaluateByModality(net, batches(testSet, 100));
 */
export async function evaluateByModality(
  net: MultimodalNet,
  batches: Iterable<LabeledBatch>,
  options: ModalityEvaluationOptions = {},
): Promise<ModalityEvaluation> {
  checkOptions("evaluateByModality", options, { subsets: true });
  checkFlag("evaluateByModality", "subsets", options.subsets);
  expectNet("evaluateByModality", net);
  checkIterable("evaluateByModality", "batches", batches);
  const chosen = subsetsOf(net.modalities).slice(options.subsets === false ? -1 : 0);
  const numOutputs = net.numOutputs;
  const values: number[][] = chosen.map(() => []);
  const targets: number[] = [];
  let loss = 0;
  const results = outputs(net.engine, batches, (batch: LabeledBatch) => {
    checkBatch("evaluateByModality", batch);
    targetOf("evaluateByModality", batch);
    const features = net.encode(batch);
    const logits = chosen.map((subset) => net.classify(features, maskOf(net, batch, subset)));
    return [...logits.map((y) => net.predict(y)), net.loss(logits.at(-1)!, batch.label)];
  });
  for await (const { batch, arrays } of results) {
    loss += arrays.at(-1)![0]! * batch.label.length;
    for (const label of batch.label) targets.push(label);
    for (const [i, subset] of values.entries()) for (const value of arrays[i]!) subset.push(value);
  }
  if (targets.length === 0)
    throw new RangeError(
      "evaluateByModality: there is no example in the batches. A generator gives its batches only once.",
    );
  const of = (i: number) => ({ values: Float32Array.from(values[i]!), numOutputs, targets });
  const names = chosen.map((subset) => (subset.length === net.modalities.length ? "all" : subset.join("+")));
  const all = of(chosen.length - 1);
  return {
    accuracy: accuracy(all),
    loss: loss / targets.length,
    byModalities: Object.fromEntries(names.map((name, i) => [name, accuracy(of(i))])),
    confusion: confusionMatrix(all),
    predictions: all,
  };
}

/**
 * Every non-empty subset of some modalities.
 *
 * @param modalities M of them.
 * @returns 2^M − 1 subsets, small ones first; the last holds all.
 * @example subsetsOf(["image", "text"]); // [["image"], ["text"], ["image", "text"]]
 */
export function subsetsOf(modalities: readonly Modality[]): Modality[][] {
  checkList("subsetsOf", "modalities", modalities, "a list of modalities");
  for (const [i, name] of modalities.entries()) checkName("subsetsOf", `modality ${i}`, name, known);
  const subsets = Array.from({ length: 2 ** modalities.length - 1 }, (_, i) =>
    modalities.filter((_, m) => ((i + 1) >> m) & 1),
  );
  return subsets.sort((a, b) => a.length - b.length);
}

/** [N, M]: 1 where a modality is in the subset, and the example has it. */
function maskOf({ modalities }: MultimodalNet, batch: LabeledBatch, subset: readonly Modality[]) {
  const { label } = batch;
  const present = presentOf("evaluateByModality", batch, label.length * modalities.length);
  const mask = Float32Array.from({ length: label.length * modalities.length }, (_, i) =>
    subset.includes(modalities[i % modalities.length]!) ? 1 : 0,
  );
  return present ? mask.map((x, i) => x * present[i]!) : mask;
}

/**
 * Softmax of one row of logits, in float64 on the host: p_a = e^(x_a − max x) / Σ_b e^(x_b − max x).
 *
 * @param row [A]
 * @returns [A], summing to 1.
 * @example softmaxOf([0, 0]); // [0.5, 0.5]
 */
export function softmaxOf(row: ArrayLike<number>): number[] {
  checkList("softmaxOf", "the row", row, "a typed array or a list of logits");
  for (let i = 0; i < row.length; i++) checkNumber("softmaxOf", `logit ${i}`, row[i], number.any);
  const logits = Array.from(row);
  const top = logits.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
