import { describe, expect, test } from "vitest";
import { adam, feedbackLoss, policyGradient } from "../../src/index.ts";
import { MultimodalNet, weightsOf } from "../../src/model/index.ts";
import { learner, type Method, memoryLog, methodRecord, methods } from "../../src/rl/index.ts";
import fixture from "../fixtures/reinforce.json" with { type: "json" };
import { expectClose, runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, examples, type Small } from "./small.ts";

const engine = await useEngine({ seed: 5 });

const net = () =>
  new MultimodalNet(engine, {
    image: { shape: [1, 8, 8], channels: [8] },
    text: { vocabSize: 2, embeddingDim: 2 },
    audio: { features: 1, hidden: 2 },
    head: { outputs: 4, hidden: 32 },
    seed: 1,
  });

/** Rounds of 16 answers by a person who knows the label, and an update after each. */
async function teach(method: Method, rounds: number, groups = 1) {
  engine.stepCount = 0;
  const network = net();
  const log = memoryLog();
  // A group whose answers are all wrong teaches nothing: small steps, and a bonus for trying, keep a policy from there.
  const [lr, entropyCoef] = method === "grpo" ? [0.003, 0.03] : [0.01, 0.01];
  const agent = learner<Small>(network, adam(network.parameters(), { lr }), {
    log,
    batchOf,
    method,
    entropyCoef,
    seed: 3,
    stepsPerUpdate: 4,
    batch: 16,
  });
  const rewards: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = (round * 16) % 64;
    const asked = examples.slice(first, first + 16 / groups).flatMap((e) => new Array<Small>(groups).fill(e));
    for (const [i, answer] of (await agent.actOn(asked)).entries()) {
      await agent.judge(answer.id, { reward: answer.action === asked[i]!.label ? 1 : -1, judge: "test" });
    }
    rewards.push((await agent.update()).reward);
  }
  return { agent, log, rewards, network };
}

describe("the rules", () => {
  test("REINFORCE with baseline, entropy and klCoef gives PyTorch's loss and gradient", () =>
    runCase(engine, {
      name: "",
      async run() {
        let baseline = fixture.baseline;
        const advantages = fixture.rewards.data.map((reward) => {
          const advantage = reward - baseline;
          baseline = fixture.decay * baseline + (1 - fixture.decay) * reward;
          return advantage;
        });
        expectClose("advantages", advantages, fixture.advantages.data);
        const logits = engine.parameter(fixture.logits.data, fixture.logits.shape);
        const { entropyCoef, klCoef } = fixture;
        const { loss, d } = await engine.step(() => {
          const loss = policyGradient(logits, fixture.actions.data, advantages, {
            entropyCoef,
            klCoef,
            referenceLogits: fixture.reference.data,
          });
          return { loss, d: loss.backward().get(logits) };
        });
        expectClose("the loss", [await loss.item()], [fixture.loss]);
        expectClose("dlogits", await d.data(), fixture.dlogits.data);
      },
    }));

  test("with a share of mistakes, the likelihood of judgements and its gradient are those of the equation", async () => {
    const x = [0.3, -1.2, 2, 0.1, 0.5, -0.7];
    const [actions, rewards, e] = [[2, 0], [1, -1], 0.1];
    const loss = (x: readonly number[]) =>
      [0, 1].reduce((sum, i) => {
        const row = x.slice(3 * i, 3 * i + 3).map(Math.exp);
        const p = row[actions[i]!]! / (row[0]! + row[1]! + row[2]!);
        return sum - Math.log(rewards[i]! > 0 ? (1 - e) * p + e * (1 - p) : (1 - e) * (1 - p) + e * p) / 2;
      }, 0);
    const expected = x.map((_, i) => {
      const move = (h: number) => loss(x.map((v, k) => (k === i ? v + h : v)));
      return (move(1e-5) - move(-1e-5)) / 2e-5;
    });
    const logits = engine.parameter(x, [2, 3]);
    const { y, d } = await engine.step(() => {
      const y = feedbackLoss(logits, actions, rewards, { labelNoise: e });
      return { y, d: y.backward().get(logits) };
    });
    expectClose("the loss", [await y.item()], [loss(x)]);
    expectClose("its gradient", await d.data(), expected);
  });
});

describe("the learner", () => {
  /** How many rounds each method needs for it. */
  const rounds: Record<Method, number> = {
    posterior: 12,
    replay: 12,
    importance: 40,
    reinforce: 60,
    ppo: 40,
    grpo: 60,
  };

  test.each(methods)("learns a small task from judgements alone (%s)", async (method) => {
    const groups = methodRecord(method).groups ? 4 : 1;
    const { rewards, log } = await teach(method, rounds[method], groups);
    const late = rewards.slice(-4).reduce((a, b) => a + b) / 4;
    expect(rewards[0]).toBeLessThan(0.2);
    expect(late).toBeGreaterThan(0.75);
    expect(log.judgements().every((j) => Math.abs(j.probabilities.reduce((a, b) => a + b) - 1) < 1e-6)).toBe(true);
  });

  test.each(methods)("the same seed learns to the same bits (%s)", async (method) => {
    const [a, b] = [await teach(method, 2, 2), await teach(method, 2, 2)];
    expect((await weightsOf(a.network)).tensors).toEqual((await weightsOf(b.network)).tensors);
  });

  test("judgements may come late, and never for all; each once", async () => {
    const network = net();
    const log = memoryLog();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), { log, batchOf });
    const [first] = await agent.actOn(examples.slice(0, 4));
    await agent.update();
    const second = await agent.act(examples[9]!);
    await agent.judge(second.id, { reward: 1, judge: "b" });
    await agent.update();
    await agent.judge(first!.id, { reward: null, judge: "a" });
    expect(log.judgements().map((j) => [j.judge, j.reward])).toEqual([
      ["b", 1],
      ["a", null],
    ]);
    await expect(agent.judge(first!.id, { reward: 1, judge: "a" })).rejects.toThrow(/a has judged answer .* already/);
    // What was learned from is another model, and the log says so.
    const third = await agent.act(examples[10]!);
    await agent.judge(third.id, { reward: 1, judge: "b" });
    const models = log.judgements().map((j) => j.model);
    expect(models[1]).toBe(models[0]);
    expect(models[2]).not.toBe(models[0]);
  });

  test("several people judge one answer, each once, and a second time is refused without harm", async () => {
    const network = net();
    const log = memoryLog();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), { log, batchOf, session: "s" });
    const { id } = await agent.act(examples[0]!);
    await Promise.all(["a", "b"].map((judge) => agent.judge(id, { reward: 1, judge })));
    await expect(agent.judge(id, { reward: -1, judge: "b" })).rejects.toThrow(/b has judged answer/);
    await expect(agent.judge("s/0/e9", { reward: 1, judge: "b" })).rejects.toThrow(/there is no answer s\/0\/e9/);
    // What the log refuses may be said again.
    await expect(agent.judge(id, { reward: 7, judge: "c" })).rejects.toThrow(/"reward"/);
    await agent.judge(id, { reward: 0.5, judge: "c" });
    expect(log.judgements().map((j) => [j.id, j.judge, j.reward])).toEqual([
      ["s/0/e0", "a", 1],
      ["s/0/e0 b", "b", 1],
      ["s/0/e0 c", "c", 0.5],
    ]);
  });

  test("writes down how an example was chosen, and does not learn from what was asked for evaluation", async () => {
    const network = net();
    const log = memoryLog();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), {
      log,
      batchOf,
      answers: "sampled",
    });
    const asking = [{ acquisition: "bald, floor 0.1", inclusionProbability: 0.25 }, { purpose: "evaluation" as const }];
    const answers = await agent.actOn(examples.slice(0, 2), asking);
    for (const { id } of answers) await agent.judge(id, { reward: 1, judge: "a" });
    const [chosen, blind] = log.judgements();
    expect(chosen).toMatchObject({ ...asking[0], purpose: "training" });
    expect(chosen!.propensity).toBe(chosen!.probabilities[chosen!.action]);
    expect(blind).toMatchObject({
      acquisition: "uniform",
      inclusionProbability: null,
      purpose: "evaluation",
      propensity: 1,
    });
    expect(blind!.probabilities[blind!.action]).toBe(Math.max(...blind!.probabilities));
    expect((await agent.update()).judgements).toBe(1);
  });

  test("takes a preference between an answer and its alternative, with the chance of that pair", async () => {
    const network = net();
    const log = memoryLog();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), {
      log,
      batchOf,
      answers: "sampled",
    });
    for (const answer of await agent.actOn(examples.slice(0, 8))) {
      const { action, alternative, probabilities: p } = answer;
      expect(alternative).not.toBe(action);
      const third = [0, 1, 2, 3].find((a) => a !== action && a !== alternative)!;
      await expect(agent.prefer(answer.id, { better: third, judge: "a" })).rejects.toThrow(/expected/);
      const said = await agent.prefer(answer.id, { better: alternative, judge: "a" });
      expect(said).toMatchObject({ kind: "preference", preferred: alternative, rejected: action });
      const [x, y] = [p[action]!, p[alternative]!];
      expect(said.propensity).toBeCloseTo((x * y) / (1 - x) + (y * x) / (1 - y), 12);
    }
    expect(log.preferences().length).toBe(8);
    expect((await log.undo())?.kind).toBe("preference");
    expect(log.preferences().length).toBe(7);
  });

  test("an answer that was taken back may be given again", async () => {
    const network = net();
    const log = memoryLog();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), { log, batchOf });
    for (const reward of [1, -1]) {
      const answer = await agent.act(examples[0]!);
      await agent.judge(answer.id, { reward, judge: "a" });
      if (reward === 1) await log.undo();
    }
    expect(log.judgements().map((j) => j.reward)).toEqual([-1]);
  });

  test("a log about examples that are not there is refused by name", async () => {
    const { log } = await teach("replay", 1);
    const network = net();
    const agent = learner<Small>(network, adam(network.parameters(), { lr: 0.01 }), { log, batchOf });
    await expect(agent.update()).rejects.toThrow(/is about example e0, which is not in this data/);
  });
});
