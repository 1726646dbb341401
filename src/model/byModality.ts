import type { Tensor } from "../autograd/index.ts";
import { outputs } from "./evaluate.ts";
import { type Batch, type Modality, type MultimodalNet, modalities } from "./multimodal.ts";

export type LabelledBatch = Batch & { label: Int32Array };

export interface ModalityEvaluation {
  /** Share of examples whose likeliest class is their label, with all modalities. */
  accuracy: number;
  /** Mean cross-entropy, natural logarithm. */
  loss: number;
  /** Accuracy by subset: "image", "image+text", …, "all". */
  byModalities: Record<string, number>;
  /** confusion[label][answer]: how many. */
  confusion: number[][];
  /** The likeliest class of each example, in order, with all modalities. */
  answers: number[];
}

/** Every non-empty subset, small ones first; the last is called "all". */
const subsets: readonly (readonly Modality[])[] = [1, 2, 4, 3, 5, 6, 7].map((bits) =>
  modalities.filter((_, m) => (bits >> m) & 1),
);
const nameOf = (subset: readonly Modality[]) => (subset.length === modalities.length ? "all" : subset.join("+"));

/** Evaluates a network on labelled batches, by every subset of modalities at once: each is encoded only once. */
export async function evaluateByModality(
  net: MultimodalNet,
  batches: Iterable<LabelledBatch>,
  options: { subsets?: boolean } = {},
): Promise<ModalityEvaluation> {
  const classes = net.config.classes;
  const chosen = options.subsets === false ? subsets.slice(-1) : subsets;
  const right = new Map(chosen.map((subset) => [nameOf(subset), 0]));
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const answers: number[] = [];
  let loss = 0;
  const results = outputs(net.engine, batches, (batch: LabelledBatch) =>
    logitsOf(net, batch, batch.label.length, chosen),
  );
  for await (const { batch, arrays } of results) {
    for (const [i, subset] of chosen.entries()) {
      const rows = arrays[i]!;
      for (let n = 0; n < batch.label.length; n++) {
        const row = rows.subarray(n * classes, (n + 1) * classes);
        const answer = row.indexOf(Math.max(...row));
        const label = batch.label[n]!;
        if (answer === label) right.set(nameOf(subset), right.get(nameOf(subset))! + 1);
        if (nameOf(subset) !== "all") continue;
        confusion[label]![answer]! += 1;
        answers.push(answer);
        loss -= Math.log(Math.max(softmaxOf(row)[label]!, Number.MIN_VALUE));
      }
    }
  }
  const total = answers.length;
  const byModalities = Object.fromEntries([...right].map(([name, n]) => [name, n / total]));
  return { accuracy: byModalities.all!, loss: loss / total, byModalities, confusion, answers };
}

function logitsOf(net: MultimodalNet, batch: LabelledBatch, N: number, chosen: typeof subsets): Tensor[] {
  const features = net.encode(batch);
  return chosen.map((subset) => {
    const mask = new Float32Array(N * modalities.length);
    for (let i = 0; i < mask.length; i++) mask[i] = subset.includes(modalities[i % modalities.length]!) ? 1 : 0;
    if (batch.present)
      (batch.present as Float32Array).forEach((p, i) => {
        mask[i]! *= p;
      });
    return net.classify(features, mask);
  });
}

/** Softmax of a row of logits, in float64 on the host. */
export function softmaxOf(row: ArrayLike<number>): number[] {
  const logits = Array.from(row);
  const top = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
