import { adam, cosine } from "handgrad";
import type { Fusion, MultimodalConfig, MultimodalNet, Optimizer } from "handgrad/model";
import { type Identified, type Learner, type LearnerOptions, learner, type Recurring } from "handgrad/rl";
import { type TriDigit, type TriDigits, triDigitsShape } from "../tridigits/tridigits.ts";

/*
 * What the terminal program and the page have in common, so that weights and judgements of either are of use to the other: the
 * network, its optimizer, and the learner over it.
 */

/** Steps for each judgement, and unlabeled examples that are looked at for each. */
const STEPS = 1.1;
const UNLABELED = 8;
/** How often an example is shown whole, without its hint, and by picture or sound alone: what the rest says is what is learned late. */
const MASK = [0.4, 0.4, 0.2] as const;

/** The demo's networks: 1 is version 0.1's, which its runs and nothing else go on with. */
export type NetworkVersion = 1 | 2;

/**
 * The network of the digits, without its seed. A hint says nothing of how a digit is written or spoken but by the digit: so the
 * hint has a head of its own, and the rest is joined. The first convolution takes each second pixel, the recurrence four frames at once:
 * a step takes three quarters of the time, and learns as much.
 */
export const networkConfig = (
  data: TriDigits,
  { kind = "concat", version = 2 }: { kind?: Fusion; version?: NetworkVersion } = {},
): MultimodalConfig => {
  const first = version === 1;
  return {
    image: {
      shape: triDigitsShape.image,
      ...(first ? {} : { kernelSize: [5, 3], stride: [2, 1], pool: [false, true] }),
    },
    text: { vocabSize: data.tokenizer.size },
    audio: { features: triDigitsShape.bands, stack: first ? 1 : 4, length: triDigitsShape.frames },
    fusion: { kind, late: first ? [] : ["text"] },
    head: { outputs: triDigitsShape.classes, dropout: 0.3 },
    modalityDropout: 0.15,
  };
};

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
    modalityMask: MASK,
  });
}

/** The learning rate while a learner's network is taught what is known beside it, and the steps of that. */
const DISTILLED = { lr: 1e-2, steps: 100 };

/**
 * Teaches the network what its learner knows beside it, so that it answers alone as the learner does. Not version 0.1's, where hints
 * are joined with the rest: at this rate it would lose what it has learned.
 */
export async function distilled<E extends Identified>(
  net: MultimodalNet,
  agent: Learner<E>,
  optimizer: Optimizer,
): Promise<void> {
  if (net.late.length === 0) return;
  const { lr } = optimizer;
  const rate = cosine(DISTILLED.lr, 1, 0.05);
  try {
    for (let part = 0; part < 10; part++) {
      optimizer.lr = rate(part / 10);
      await agent.distill({ steps: DISTILLED.steps / 10 });
    }
  } finally {
    optimizer.lr = lr;
  }
}
