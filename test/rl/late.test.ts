import { expect, it } from "vitest";
import { aggregateLabels, fleissKappa, learner, memoryLog, ratingsOf, simulatedPerson } from "../../src/rl/index.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, beginner, examples, type Small } from "./small.ts";

const engine = await useEngine({ seed: 5 });

it("learns from three simulated people who are late, skip, say it twice or never answer, and never waits for them", async () => {
  const { net, optimizer } = beginner(engine);
  const log = memoryLog();
  const agent = learner<Small>(net, optimizer, { log, batchOf, seed: 3, session: "s", stepsPerUpdate: 4, batch: 16 });
  const people = [
    simulatedPerson({ seed: 1, labelNoise: 0.05, delay: 30 }),
    simulatedPerson({ seed: 2, labelNoise: 0.1, laziness: 0.3, delay: 10 }),
    simulatedPerson({ seed: 3, labelNoise: 0.4, delay: 3 }),
  ];
  /** What is on its way, by the question after which it arrives. */
  let coming: { at: number; id: string; judge: string; reward: number | null }[] = [];
  let [question, refused, given] = [0, 0, 0];
  const fresh: number[] = [];
  for (let round = 0; round < 6; round++) {
    const asked = examples.slice(round * 8, round * 8 + 8);
    for (const [i, { id, action }] of (await agent.actOn(asked)).entries()) {
      question += 1;
      for (const [who, person] of people.entries()) {
        // The second never says anything of every fourth question.
        if (who === 1 && question % 4 === 0) continue;
        const answer = person.judge(asked[i]!, action);
        coming.push({
          at: question + answer.late!,
          id,
          judge: person.name,
          reward: "skip" in answer ? null : answer.reward,
        });
      }
      // In the order in which they arrive, which is not that of the questions.
      const here = coming.filter(({ at }) => at <= question).sort((a, b) => b.at - a.at);
      coming = coming.filter(({ at }) => at > question);
      for (const { id, judge, reward } of here) {
        await agent.judge(id, { reward, judge });
        given += 1;
        if (given % 5 !== 0) continue;
        await expect(agent.judge(id, { reward: 1, judge })).rejects.toThrow(/has judged answer .* already/);
        refused += 1;
      }
    }
    fresh.push((await agent.update()).judgements);
  }
  expect(coming.length).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(10);
  expect(log.judgements().length).toBe(given);
  expect(new Set(log.records().map(({ id }) => id)).size).toBe(given);
  // Each was learned from in the update after it came, and once as a new one.
  expect(fresh.reduce((a, b) => a + b, 0)).toBe(log.judgements().filter(({ reward }) => reward !== null).length);

  // Three people of very different care: they agree more often than not, and make one judgement an answer together.
  const { observed, items } = fleissKappa(ratingsOf(log.judgements()));
  expect(items).toBeGreaterThan(20);
  expect(observed).toBeGreaterThan(0.5);
  const together = aggregateLabels(log.judgements());
  expect(together.length).toBeLessThanOrEqual(48);
  const isRight = ({ example, action, reward }: (typeof together)[number]) =>
    reward > 0 === (examples.find(({ id }) => id === example)!.label === action);
  expect(together.filter(isRight).length / together.length).toBeGreaterThan(0.6);
  await agent.update(together);
});
