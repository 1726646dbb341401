import { batches } from "handgrad/data";
import {
  accuracy as accuracyOf,
  argmaxRows,
  confusionMatrix,
  evaluateByModality,
  f1,
  type MultimodalNet,
  type Predictions,
} from "handgrad/model";
import { type Calibration, calibration, type Learner } from "handgrad/rl";
import type { TriDigit, TriDigitSet, TriDigits } from "../tridigits/tridigits.ts";
import { progress } from "./progress.ts";

/* How well a network does on examples that nothing was learned from: speakers that it was taught with, and speakers that it never heard. */

export const heldOut = { unseen: "test-unseen", seen: "test-seen" } as const;
export type HeldOut = keyof typeof heldOut;

export interface Figures {
  accuracy: number;
  /** Mean cross-entropy, natural logarithm. */
  loss: number;
  /** Mean over the digits. */
  f1: number;
  /** Whether what is held likely is as often right. */
  calibration: Calibration;
  /** confusion[digit][answer]: how many. */
  confusion: number[][];
}

export interface TestResult extends Figures {
  /** By subset of what the network alone is given. */
  byModalities: Record<string, number>;
  /** Known here alone: the network does not know who spoke. */
  bySpeaker: Record<string, { accuracy: number; count: number }>;
  /** Accuracy of the answers that the learner gave, with what it knows beside the network. */
  agent: number;
}

/**
 * Both sets, by the network alone, as it is saved; where a learner is given, how good its answers are stands beside.
 *
 * @param options.subsets whether by all subsets of the modalities, or by all of them together alone.
 */
export async function testOn(
  { net, data, seed, agent }: { net: MultimodalNet; data: TriDigits; seed: number; agent?: Learner<TriDigit> },
  options: { subsets: boolean },
): Promise<Record<HeldOut, TestResult>> {
  const names = ["unseen", "seen"] as const;
  const sets = names.map((name) => data.set(heldOut[name], seed));
  const bar = progress(
    "evaluating",
    sets.reduce((sum, { length }) => sum + length, 0),
    { unit: "examples" },
  );
  let done = 0;
  const test = async (set: TriDigitSet): Promise<TestResult> => {
    const counted = function* () {
      for (const batch of batches(set, 100)) {
        yield batch;
        done += batch.label.length;
        bar.at(done);
      }
    };
    const { predictions, byModalities, accuracy } = await evaluateByModality(net, counted(), options);
    return {
      ...figuresOf(predictions),
      byModalities,
      bySpeaker: bySpeaker(set, predictions),
      agent: agent ? accuracyOf(await answersOf(agent, set)) : accuracy,
    };
  };
  const [unseen, seen] = [await test(sets[0]!), await test(sets[1]!)];
  bar.done();
  return { unseen, seen };
}

/** What a learner answers to a set. */
export async function answersOf(agent: Learner<TriDigit>, set: TriDigitSet): Promise<Predictions> {
  const examples = [...set];
  const said = await agent.predict(examples);
  return {
    values: Float32Array.from(said.flat()),
    numOutputs: said[0]!.length,
    targets: examples.map(({ label }) => label),
  };
}

export function figuresOf(predictions: Predictions): Figures {
  const { values, numOutputs, targets } = predictions;
  const rows = Array.from({ length: targets.length }, (_, n) => [
    ...values.subarray(n * numOutputs, (n + 1) * numOutputs),
  ]);
  const loss = rows.reduce((sum, row, n) => sum - Math.log(Math.max(row[targets[n]!]!, Number.MIN_VALUE)), 0);
  return {
    accuracy: accuracyOf(predictions),
    loss: loss / rows.length,
    f1: f1({ average: "macro" })(predictions),
    calibration: calibration(rows, targets),
    confusion: confusionMatrix(predictions),
  };
}

function bySpeaker(set: TriDigitSet, { values, numOutputs }: Predictions): TestResult["bySpeaker"] {
  const answers = argmaxRows(values, numOutputs);
  const speakers = new Map<string, { accuracy: number; count: number }>();
  [...set].forEach(({ speaker, label }, i) => {
    const entry = speakers.get(speaker) ?? { accuracy: 0, count: 0 };
    speakers.set(speaker, entry);
    entry.accuracy = (entry.accuracy * entry.count + (answers[i] === label ? 1 : 0)) / (entry.count + 1);
    entry.count += 1;
  });
  return Object.fromEntries(speakers);
}
