import { describe, expect, test } from "vitest";
import { adam } from "../../../src/index.ts";
import { type Batch, type Modality, MultimodalNet, weightsOf } from "../../../src/model/index.ts";
import { type FeedbackLog, learner, memoryLog } from "../../../src/rl/index.ts";
import { useEngine } from "../../use-engine.ts";
import { picture, batchOf as pictures, type Small } from "../small.ts";

/* The posterior: what hints, judgements and the stream without labels are worth, on a task that is small. */

const engine = await useEngine({ seed: 5 });

/** A bright quarter of an 8 × 8 image, and a hint that is one of two words for each label. */
interface Hinted extends Small {
  readonly words: Int32Array;
}
const examples: Hinted[] = Array.from({ length: 96 }, (_, i) => ({
  id: `e${i}`,
  label: i % 4,
  image: picture(i, i % 4, [0.6, 0.3, 0.25]),
  words: Int32Array.of(2 + 2 * (i % 4) + ((i >> 2) % 2)),
}));
const batchOf = (some: readonly Hinted[]): Batch => ({
  ...pictures(some),
  words: Int32Array.from(some.flatMap((e) => [...e.words])),
});
const [labeled, stream, unseen] = [examples.slice(0, 8), examples.slice(8, 64), examples.slice(64)];

function agentOver(
  log: FeedbackLog,
  { late = [], ...options }: { labelNoise?: number; labeled?: Hinted[]; late?: Modality[] } = {},
) {
  engine.stepCount = 0;
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 8, 8], channels: [8] },
    text: { vocabSize: 10, embeddingDim: 4 },
    audio: { features: 1, hidden: 2 },
    fusion: { late },
    head: { outputs: 4, hidden: 32 },
    seed: 1,
  });
  const agent = learner<Hinted>(net, adam(net.parameters(), { lr: 0.01 }), {
    log,
    batchOf,
    session: "s",
    seed: 3,
    stepsPerUpdate: 6,
    batch: 16,
    unlabeledBatch: 24,
    labeled,
    unlabeled: { length: stream.length, at: (i) => stream[i]! },
    recurring: { key: ({ words }) => words.join(" "), rest: ["image", "audio"] },
    find: (id) => stream.find((e) => e.id === id),
    ...options,
  });
  return { net, agent };
}
const right = (said: readonly (readonly number[])[], of: readonly Hinted[]) =>
  said.filter((p, i) => p.indexOf(Math.max(...p)) === of[i]!.label).length / of.length;

describe("posterior", () => {
  test("the stream without labels alone, with eight labels and their hints, teaches the network", async () => {
    const { agent, net } = agentOver(memoryLog());
    for (let i = 0; i < 10; i++) await agent.update();
    expect(right(await agent.predict(unseen), unseen)).toBeGreaterThan(0.95);
    // The network alone, of which the pictures were never labeled.
    const logits = await engine.step(() => net.forward(batchOf(unseen)));
    const numbers = (await logits.data()) as Float32Array;
    const said = unseen.map((_, i) => [...numbers.slice(4 * i, 4 * i + 4)]);
    expect(right(said, unseen)).toBeGreaterThan(0.8);
  });

  test("what the learner knows of hints is taught to the network: alone it then answers as the learner does", async () => {
    const difference = async (late: Modality[], steps: number) => {
      const { agent, net } = agentOver(memoryLog(), { late });
      for (let i = 0; i < 3; i++) await agent.update();
      const told = async () => {
        const logits = await engine.step(() => net.predict(net.forward(batchOf(unseen))));
        const [alone, said] = [(await logits.data()) as Float32Array, (await agent.predict(unseen)).flat()];
        return said.reduce((sum, p, i) => sum + Math.abs(p - alone[i]!), 0) / unseen.length;
      };
      const rest = Object.entries(net.parameters()).filter(([name]) => !/text/.test(name));
      const numbers = async () => Promise.all(rest.map(async ([, p]) => [...(await p.data())]));
      const [before, weights] = [await told(), await numbers()];
      expect(await agent.distill({ steps })).toBeGreaterThan(0);
      // With a head of its own, the hint is all that is learned of.
      if (late.length > 0) expect(await numbers()).toEqual(weights);
      return { before, after: await told() };
    };
    const late = await difference(["text"], 150);
    expect(late.after).toBeLessThan(0.1 * late.before);
    const joined = await difference([], 40);
    expect(joined.after).toBeLessThan(0.6 * joined.before);
  });

  test("there is nothing to teach the network where nothing is known beside it", async () => {
    const { agent, net } = agentOver(memoryLog());
    const before = await weightsOf(net);
    expect(await agent.distill()).toBeUndefined();
    expect(await weightsOf(net)).toEqual(before);
    await expect(agent.distill({ steps: 0 })).rejects.toThrow(/learner\.distill: steps is 0/);
    await expect(agent.distill({ step: 3 } as object)).rejects.toThrow(/no option "step". Did you mean steps/);
  });

  test("from no labels at all, verdicts alone are believed until it is mostly right, and then the rest", async () => {
    const { agent } = agentOver(memoryLog(), { labeled: [], labelNoise: 0 });
    const shares: number[] = [];
    const remembered: number[] = [];
    for (let round = 0; round < 14; round++) {
      const asked = Array.from({ length: 8 }, (_, i) => stream[(8 * round + i) % stream.length]!);
      const answers = await agent.actOn(asked);
      for (const [i, { id, action }] of answers.entries())
        await agent.judge(id, { reward: action === asked[i]!.label ? 1 : -1, judge: "test" });
      shares.push(answers.filter(({ action }, i) => action === asked[i]!.label).length / 8);
      await agent.update();
      remembered.push(Object.keys(agent.state().algorithms[0]!).length);
    }
    expect(shares[0]).toBeLessThan(0.5);
    expect(remembered[0]).toBe(0);
    expect(remembered.at(-1)).toBeGreaterThan(0);
    expect(right(await agent.predict(unseen), unseen)).toBeGreaterThan(0.95);
  });

  test("what it is not given it does not use, be it seen by the network or remembered", async () => {
    const { agent } = agentOver(memoryLog());
    for (let i = 0; i < 6; i++) await agent.update();
    const [one] = unseen;
    const other = unseen.find(({ label }) => label !== one!.label)!;
    const said = async (x: Partial<Hinted>, modalities?: readonly ("image" | "text" | "audio")[]) =>
      (await agent.predict([{ ...one!, ...x }], modalities ? { modalities } : {}))[0]!;
    const read = { words: other.words };
    const seen = { image: other.image };
    expect(await said(read, ["image"])).toEqual(await said({}, ["image"]));
    expect(await said(seen, ["text"])).toEqual(await said({}, ["text"]));
    expect(await said({}, [])).toEqual(await said({ ...read, ...seen }, []));
    // Hints of this label were always right.
    expect((await said({}, ["text"]))[one!.label]).toBeGreaterThan(0.5);
    expect(await said({})).toEqual(await said({}, ["image", "text", "audio"]));
    expect(await said(read)).not.toEqual(await said({}));
  });

  test("an update that was taken apart by a restart gives the same bits", async () => {
    const whole = memoryLog();
    const a = agentOver(whole);
    const judge = async (agent: typeof a.agent, some: readonly Hinted[]) => {
      for (const [i, { id, action }] of (await agent.actOn(some)).entries())
        await agent.judge(id, { reward: action === some[i]!.label ? 1 : -1, judge: "test" });
    };
    await judge(a.agent, stream.slice(0, 8));
    await a.agent.update();
    const { tensors } = await weightsOf(a.net);
    const state = JSON.parse(JSON.stringify(a.agent.state()));
    const steps = engine.stepCount;
    const before = await a.agent.predict(unseen);
    // Another process: the weights and the state come from a file, the log is read again.
    const b = agentOver(memoryLog(whole.records()));
    const { setWeights } = await import("../../../src/model/index.ts");
    setWeights(b.net, { tensors, metadata: {} }, "memory");
    b.agent.restore(state);
    engine.stepCount = steps;
    expect(await b.agent.predict(unseen)).toEqual(before);
  });

  test("judgements that were taken back leave no trace: the same bits as if they had never been made", async () => {
    const one = async (undone: number) => {
      const log = memoryLog();
      const { agent, net } = agentOver(log);
      const asked = stream.slice(0, 8 + undone);
      for (const [i, { id, action }] of (await agent.actOn(asked)).entries())
        await agent.judge(id, { reward: action === asked[i]!.label ? 1 : -1, judge: "test" });
      for (let i = 0; i < undone; i++) await log.undo("test");
      const replayed = agentOver(memoryLog(log.records()));
      await replayed.agent.update();
      await replayed.agent.update();
      void net;
      return (await weightsOf(replayed.net)).tensors;
    };
    expect(await one(5)).toEqual(await one(0));
  });
});
