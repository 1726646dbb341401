import { afterEach, describe, expect, it } from "vitest";
import { adam, linear, type Tensor } from "../../src/index.ts";
import { type Batch, MultimodalNet } from "../../src/model/index.ts";
import { type LearnerOptions, learner, memoryLog, mergeLogs, methods, type Policy } from "../../src/rl/index.ts";
import { timeOf } from "../../src/rl/time.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, beginner, examples, type Small } from "./small.ts";

const engine = await useEngine({ seed: 5 });

describe("a correction", () => {
  it("is possible after a restart, by the judge who took it back, with the chances of then", async () => {
    const { net, optimizer } = beginner(engine);
    const before = memoryLog();
    const first = learner<Small>(net, optimizer, { log: before, batchOf, answers: "sampled" });
    const { id } = await first.act(examples[0]!);
    const said = await first.judge(id, { reward: 1, judge: "a" });
    await first.judge(id, { reward: 1, judge: "b" });
    const log = memoryLog(before.records());
    const again = learner<Small>(net, optimizer, { log, batchOf, find: () => examples[0] });
    await expect(again.judge(id, { reward: -1, judge: "a" })).rejects.toThrow(/a has judged .* undo that first/);
    await log.undo("a");
    const corrected = await again.judge(id, { reward: -1, judge: "a" });
    const { propensity, model, inputHash, session, action } = said;
    expect(corrected).toMatchObject({ propensity, model, inputHash, session, action, reward: -1 });
    await expect(again.judge(id, { reward: 1, judge: "b" })).rejects.toThrow(/b has judged/);
    expect(log.judgements().map((j) => [j.judge, j.reward])).toEqual([
      ["b", 1],
      ["a", -1],
    ]);
    await expect(again.judge("never", { reward: 1, judge: "a" })).rejects.toThrow(/no answer never/);
  });
});

describe("any batch", () => {
  const parts = {
    image: {
      config: { image: { shape: [1, 2, 2], channels: [2] } },
      of: (i: number) => ({ image: new Float32Array(4).fill(i / 4) }),
    },
    text: {
      config: { text: { vocabSize: 8, embeddingDim: 2 } },
      of: (i: number) => ({ words: Int32Array.of(i + 1, 0) }),
    },
    audio: {
      config: { audio: { features: 2, hidden: 2 } },
      of: (i: number) => ({ audio: new Float32Array(4).fill(i / 4), frames: 2 }),
    },
  } as const;

  it.each(Object.keys(parts).flatMap((part) => methods.map((method) => [part as keyof typeof parts, method] as const)))(
    "of %s alone is answered, judged and learned from (%s), without a word about batches",
    async (part, method) => {
      const { config, of } = parts[part];
      const net = new MultimodalNet(engine, {
        ...config,
        head: { outputs: 2, hidden: 4 },
      });
      const log = memoryLog();
      const agent = learner<{ id: string }>(net, adam(net.parameters(), { lr: 0.01 }), {
        log,
        method,
        stepsPerUpdate: 2,
        batch: 4,
      });
      const some = [0, 1, 2, 3].map((i) => ({ id: `${i}`, ...of(i) }));
      for (const { id } of await agent.actOn([...some, ...some])) await agent.judge(id, { reward: 1, judge: "a" });
      expect(await agent.update()).toMatchObject({ judgements: 8, reward: 1 });
      expect(new Set(log.judgements().map((j) => j.inputHash)).size).toBe(4);
    },
  );

  it.each<[string, (x: number[]) => unknown]>([
    ["Float64Array", (x) => Float64Array.from(x)],
    ["nested lists", (x) => [[x[0]], [x[1]]]],
    ["a tensor", (x) => engine.tensor(x, [1, 2])],
    ["a map", (x) => new Map([["x", x]])],
  ])("of own fields, %s, is hashed by what it holds", async (_, as) => {
    const w = engine.parameter([1, 2, 3, 4], [2, 2]);
    const net = {
      engine,
      numOutputs: 2,
      parameters: () => ({ w }),
      forward: (batch: { n: number }): Tensor => linear(engine.tensor(new Float32Array(2 * batch.n), [batch.n, 2]), w),
    } as unknown as Policy;
    const log = memoryLog();
    const agent = learner<{ id: string; x: number[] }>(net, adam({ w }, { lr: 0.1 }), {
      log,
      method: "reinforce",
      batchOf: (some) => ({ n: some.length, seen: some.map(({ x }) => as(x)) }) as Batch,
    });
    const answers = await agent.actOn([
      { id: "a", x: [1, 2] },
      { id: "b", x: [1, 2] },
      { id: "c", x: [1, 3] },
    ]);
    for (const { id } of answers) await agent.judge(id, { reward: 1, judge: "me" });
    const [a, b, c] = log.judgements().map((j) => j.inputHash);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });
});

describe("weights that are no numbers any more", () => {
  it("stop the learner, and nothing is counted or answered", async () => {
    const { net } = beginner(engine);
    const log = memoryLog();
    const agent = learner<Small>(net, adam(net.parameters(), { lr: 1e38 }), { log, batchOf, method: "replay" });
    for (const { id } of await agent.actOn(examples.slice(0, 8))) await agent.judge(id, { reward: 1, judge: "a" });
    const before = agent.state();
    await expect(agent.update()).rejects.toThrow(/the loss is|holds (NaN|-?Infinity)/);
    expect(agent.state()).toEqual(before);
    await expect(agent.act(examples[9]!)).rejects.toThrow(/not finite|holds/);
    expect(log.records().length).toBe(8);
  });
});

describe("what a learner is given", () => {
  const make = (options: object) => {
    const { net, optimizer } = beginner(engine);
    return learner<Small>(net, optimizer, { log: memoryLog(), batchOf, ...options } as LearnerOptions<Small>);
  };

  it.each<[object, RegExp]>([
    [{ log: undefined }, /log is undefined, expected a feedback log/],
    [{ method: "reenforce" }, /method is "reenforce".*Did you mean "reinforce"\?/],
    [{ baseline: "constructor" }, /baseline is "constructor", expected one of none/],
    [{ metod: "ppo" }, /no option "metod"\. Did you mean method\?/],
    [{ stepsPerUpdate: 0 }, /stepsPerUpdate is 0, expected a whole number of at least 1/],
    [{ clip: Number.NaN }, /clip is NaN/],
    [{ labelNoise: 0.5 }, /labelNoise is 0.5, expected at least 0 and under 0.5/],
    [{ mixture: [0, 0, 0] }, /mixture is .* three numbers/],
    [{ seed: 1.5 }, /seed is 1.5/],
    [
      { labeled: [{ ...examples[0], label: 4 }] },
      /the label of example "e0" is 4, expected a whole number from 0 to 3/,
    ],
  ])("is checked: %o", (options, message) => {
    expect(() => make(options)).toThrow(message);
  });

  it("is checked where it judges, asks and restores", async () => {
    const agent = make({});
    await expect(agent.act(examples[0]!, { purpose: "eval" } as never)).rejects.toThrow(/purpose is "eval"/);
    await expect(agent.actOn(examples.slice(0, 2), [{}])).rejects.toThrow(/1 queries for 2 examples/);
    await expect(agent.act(examples[0]!, { inclusionProbability: 0 })).rejects.toThrow(/inclusionProbability is 0/);
    const { id } = await agent.act(examples[0]!);
    await expect(agent.judge(id, { reward: 1, judge: "a", note: "" } as never)).rejects.toThrow(/no option "note"/);
    for (const reward of [Number.NaN, 2, undefined, "1"])
      await expect(agent.judge(id, { reward: reward as number, judge: "a" })).rejects.toThrow(/"reward"/);
    const state = agent.state();
    for (const wrong of [
      { updates: -1 },
      { learned: 3 },
      { learnedFrom: [1] },
      { labelCounts: [1] },
      { algorithms: [{ e: [Number.NaN] }] },
    ])
      expect(() => agent.restore({ ...state, ...wrong } as never)).toThrow(/learner\.restore/);
    expect(agent.state()).toEqual(state);
  });

  it.each([
    ["posterior", { hint: [1, 2, 3] }, /posterior: its counts are of 3 labels, expected 4\./],
    ["ppo", { value: [1, 2, 3] }, /baseline: the value has 3 weights, expected 5 for 4 classes\./],
    ["reinforce", { hint: [1, 2, 3, 4] }, /baseline: it has no "hint"\./],
  ] as const)("%s refuses the memory of a learner of another kind", (method, memory, message) => {
    const agent = make({ method });
    const state = agent.state();
    expect(() => agent.restore({ ...state, algorithms: [memory] } as never)).toThrow(message);
    expect(agent.state()).toEqual(state);
  });
});

describe("times", () => {
  const { TZ } = process.env;
  afterEach(() => {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  });

  it.each(["UTC", "Asia/Tokyo", "America/New_York"])("mean the same moment in %s, and none without a zone", (zone) => {
    process.env.TZ = zone;
    expect(timeOf("2025-01-31T12:00:00.250Z")).toBe(Date.UTC(2025, 0, 31, 12, 0, 0, 250));
    expect(timeOf("2025-01-31T12:00+05:30")).toBe(Date.UTC(2025, 0, 31, 6, 30));
    for (const none of ["2025-01-31T12:00:00", "2025-01-31", "2025-02-30T12:00:00Z", "2025-01-31T24:00:00Z", 0, null])
      expect(timeOf(none)).toBeUndefined();
    const records = [{ id: "x", time: "2025-01-31T12:00:00" }] as never;
    expect(() => mergeLogs([{ name: "theirs", records }])).toThrow(/theirs: the time of record "x"/);
  });
});
