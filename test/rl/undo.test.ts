import { describe, expect, it } from "vitest";
import { setWeights, weightsOf } from "../../src/model/index.ts";
import { type FeedbackLog, type FeedbackRecord, type LearnerState, learner, memoryLog } from "../../src/rl/index.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, beginner, examples, type Small } from "./small.ts";

/*
 * What was taken back was never said: a checkpoint and the log rebuild the weights bit for bit, and where the last k
 * judgements were undone these are the weights of a run in which they were never given.
 */
const engine = await useEngine({ seed: 5 });

const ROUND = 12;
const settings = {
  batchOf,
  seed: 3,
  session: "s",
  stepsPerUpdate: 4,
  batch: 16,
  find: (id: string) => examples.find((e) => e.id === id),
};

/** All that a run is continued from, beside the log. */
interface Checkpoint {
  weights: Awaited<ReturnType<typeof weightsOf>>;
  optimizer: Awaited<ReturnType<ReturnType<typeof beginner>["optimizer"]["state"]>>;
  learner: LearnerState;
  engineSteps: number;
}

/** A run that begins anew, or goes on from a checkpoint. */
function start(log: FeedbackLog, from?: Checkpoint) {
  const { net, optimizer } = beginner(engine);
  const agent = learner<Small>(net, optimizer, { ...settings, log });
  engine.stepCount = from?.engineSteps ?? 0;
  if (from) {
    setWeights(net, from.weights);
    optimizer.restore(from.optimizer);
    agent.restore(from.learner);
  }
  return {
    agent,
    weights: async () => (await weightsOf(net)).tensors,
    checkpoint: async (): Promise<Checkpoint> => ({
      weights: await weightsOf(net),
      optimizer: await optimizer.state(),
      learner: agent.state(),
      engineSteps: engine.stepCount,
    }),
    async judge(from: number, to: number) {
      const asked = examples.slice(from, to);
      for (const [i, { id, action }] of (await agent.actOn(asked)).entries()) {
        await agent.judge(id, { reward: action === asked[i]!.label ? 1 : -1, judge: "a" });
      }
    },
  };
}

describe("undo", () => {
  it.each([1, 5, ROUND])("of the last %i judgements leaves the weights of one who never gave them", async (k) => {
    const log = memoryLog();
    const run = start(log);
    await run.judge(0, ROUND);
    await run.agent.update();
    const before = await run.checkpoint();

    // Answers are asked for in rounds; how many of a round were answered in the end makes no difference to the others.
    await run.judge(ROUND, 2 * ROUND);
    for (let i = 0; i < k; i++) await log.undo("a");
    const kept = log.records().filter(({ kind }) => kind === "judgement");
    expect(log.judgements().length).toBe(2 * ROUND - k);

    const undone = start(log, before);
    await undone.agent.update();
    const never = start(memoryLog(kept.slice(0, 2 * ROUND - k) as FeedbackRecord[]), before);
    await never.agent.update();
    expect(await undone.weights()).toEqual(await never.weights());
    // And that is not for want of having learned anything from them.
    const all = start(memoryLog(kept as FeedbackRecord[]), before);
    await all.agent.update();
    expect(await all.weights()).not.toEqual(await never.weights());
  });

  it("a checkpoint and the log rebuild the weights of a run that was never stopped", async () => {
    const log = memoryLog();
    const run = start(log);
    await run.judge(0, ROUND);
    await run.agent.update();
    const before = await run.checkpoint();
    await run.judge(ROUND, 2 * ROUND);
    const atUpdate = engine.stepCount;
    await run.agent.update();

    const again = start(memoryLog(log.records()), { ...before, engineSteps: atUpdate });
    await again.agent.update();
    expect(await again.weights()).toEqual(await run.weights());
  });
});
