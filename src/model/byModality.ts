import { checkFlag, checkOptions } from "../check.ts";
import { presentOf } from "./batch.ts";
import { outputs } from "./evaluate.ts";
import { accuracy, confusionMatrix, type Predictions } from "./metrics.ts";
import type { Batch, Modality, MultimodalNet } from "./multimodal.ts";

export type LabeledBatch = Batch & { label: Int32Array };

export interface ModalityEvaluation {
  /** Share of examples whose likeliest class is their label, with all modalities. */
  accuracy: number;
  /** Mean loss of the head's task: of classes the cross-entropy, natural logarithm. */
  loss: number;
  /** Accuracy by subset: "image", "image+text", …, "all". */
  byModalities: Record<string, number>;
  /** confusion[label][answer]: how many. */
  confusion: number[][];
  /** What was said of each example, with all modalities. */
  predictions: Predictions;
}

/**
 * Evaluates a network that tells classes apart, or yes from no, by every subset of its modalities at once: each modality
 * is encoded only once.
 */
export async function evaluateByModality(
  net: MultimodalNet,
  batches: Iterable<LabeledBatch>,
  options: { subsets?: boolean } = {},
): Promise<ModalityEvaluation> {
  checkOptions("evaluateByModality", options, { subsets: true });
  checkFlag("evaluateByModality", "subsets", options.subsets);
  const chosen = subsetsOf(net.modalities).slice(options.subsets === false ? -1 : 0);
  const numOutputs = net.config.classes;
  const values: number[][] = chosen.map(() => []);
  const targets: number[] = [];
  let loss = 0;
  const results = outputs(net.engine, batches, (batch: LabeledBatch) => {
    const features = net.encode(batch);
    const logits = chosen.map((subset) => net.classify(features, maskOf(net, batch, subset)));
    return [...logits.map((y) => net.predict(y)), net.loss(logits.at(-1)!, batch.label)];
  });
  for await (const { batch, arrays } of results) {
    loss += arrays.at(-1)![0]! * batch.label.length;
    for (const label of batch.label) targets.push(label);
    for (const [i, subset] of values.entries()) for (const value of arrays[i]!) subset.push(value);
  }
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

/** Every non-empty subset, small ones first; the last holds all. */
export function subsetsOf(modalities: readonly Modality[]): Modality[][] {
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

/** Softmax of a row of logits, in float64 on the host. */
export function softmaxOf(row: ArrayLike<number>): number[] {
  const logits = Array.from(row);
  const top = logits.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
