import type { Engine } from "handgrad";
import { channelsFirst, fromChannelsFirst, type Random, randomShift } from "handgrad/data";
import { MultimodalNet, type Optimizer } from "handgrad/model";
import { type FeedbackLog, type Learner, type LearnerState, methodRecord } from "handgrad/rl";
import { learnerFor, networkConfig, recurringHint } from "../learner/learner.ts";
import { type TriDigit, type TriDigits, triDigitsShape } from "../tridigits/tridigits.ts";
import { type Settings, UsageError } from "./settings.ts";

/* The network of a run, and the learner over it: what they are follows from the run's settings. */

/** Examples judged between two updates: a simulated person is asked in larger rounds. */
const ROUND = { simulated: 40, human: 5 };
/** Policy gradients use a judgement once, and do better with many small updates. */
const SMALL_ROUND = 10;

/** Judgements between two updates. */
export function roundOf({ human, method }: Settings): number {
  if (human) return ROUND.human;
  return methodRecord(method).onPolicy ? SMALL_ROUND : ROUND.simulated;
}

export const networkOf = ({ fusion, network, seed }: Settings, engine: Engine, data: TriDigits): MultimodalNet =>
  new MultimodalNet(engine, { ...networkConfig(data, { kind: fusion, version: network }), seed });

/**
 * The network with what it may learn from: labels, judgements, and the stream without labels.
 *
 * @param given.state what it remembers of earlier updates.
 * @param given.from the file that this is from.
 * @param given.reference the policy that the KL penalty holds to.
 */
export function agentOf(
  net: MultimodalNet,
  optimizer: Optimizer,
  given: {
    settings: Settings;
    data: TriDigits;
    log: FeedbackLog;
    state: LearnerState | null;
    from: string;
    reference?: MultimodalNet;
  },
): Learner<TriDigit> {
  const { settings, data, log, state, from, reference } = given;
  const { seed, labels, set, method } = settings;
  const stream = data.set("stream", seed);
  const byId = new Map(stream.places.map((_, i) => [stream.idAt(i), i]));
  const agent = learnerFor<TriDigit>(net, optimizer, {
    round: roundOf(settings),
    log,
    ...(reference ? { reference } : {}),
    method,
    seed,
    labeled: [...data.set(set, seed, labels)],
    unlabeled: stream,
    recurring: recurringHint,
    augment: shifted,
    find: (id) => (byId.has(id) ? stream.at(byId.get(id)!) : undefined),
  });
  try {
    if (state) agent.restore(state);
  } catch (error) {
    throw new UsageError(`${from}: ${(error as Error).message}`);
  }
  return agent;
}

/** The picture moved by up to a pixel each way: the same digit. */
const move = randomShift(1);
export const shifted = (example: TriDigit, random: Random): TriDigit => {
  const moved = move(fromChannelsFirst(example.image, [...triDigitsShape.image]), random);
  return { ...example, image: channelsFirst(moved) };
};
