import { adam } from "handgrad";
import type { MultimodalConfig, MultimodalNet, Optimizer } from "handgrad/model";
import { type Identified, type Learner, type LearnerOptions, learner, type Recurring } from "handgrad/rl";
import { type TriDigit, type TriDigits, triDigitsShape } from "../tridigits/tridigits.ts";

/*
 * What the terminal program and the page have in common, so that weights and judgements of either are of use to the other: the
 * network, its optimizer, and the learner over it.
 */

/** Steps for each judgement, and unlabeled examples that are looked at for each. */
const STEPS = 1.1;
const UNLABELED = 8;

/** The network of the digits, without its seed. */
export const networkConfig = (data: TriDigits): MultimodalConfig => ({
  image: { shape: triDigitsShape.image },
  text: { vocabSize: data.tokenizer.size },
  audio: { features: triDigitsShape.bands },
  head: { outputs: triDigitsShape.classes, dropout: 0.3 },
  modalityDropout: 0.15,
});

/** The optimizer of every network of the demo. */
export const optimizerOf = (net: MultimodalNet, lr: number): Optimizer => adam(net.parameters(), { lr, clipNorm: 1 });

/** Hints come again and again, with other pictures and voices. */
export const recurringHint: Recurring<TriDigit> = { key: ({ words }) => words.join(" "), rest: ["image", "audio"] };

/** A learner that is told of `round` judgements at a time. */
export function learnerFor<E extends Identified>(
  net: MultimodalNet,
  optimizer: Optimizer,
  { round, ...options }: LearnerOptions<E> & { round: number },
): Learner<E> {
  return learner<E>(net, optimizer, {
    ...options,
    // Without a stream of examples that nobody judges, as many steps as the method takes by itself.
    ...(options.unlabeled ? { stepsPerUpdate: Math.round(STEPS * round) } : {}),
    unlabeledBatch: UNLABELED * round,
  });
}
