import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSettings } from "../../demo/cli/settings.ts";
import { upgradedProgress } from "../../demo/cli/upgrade.ts";
import {
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  MultimodalNet,
  modelFrom,
  restoreCheckpoint,
  weightsOf,
} from "../../src/model/index.ts";
import { adam } from "../../src/node.ts";
import { learner, memoryLog } from "../../src/rl/index.ts";
import { useEngine } from "../use-engine.ts";

/* What version 0.1 wrote, under the names it used, is read to the same numbers, or refused by name. Records of logs: rl/log.test.ts. */

const engine = await useEngine();

const small = { text: { vocabSize: 4, embeddingDim: 2 }, head: { outputs: 2, hidden: 2 } } as const;

test.each([
  ["class", "multiclass"],
  ["labels", "multilabel"],
  ["values", "regression"],
] as const)("a model of the task %s is one of %s", async (before, now) => {
  const net = new MultimodalNet(engine, { ...small, fusion: { rank: 3 }, head: { ...small.head, task: now } });
  const config = `{"task":"${before}","channels":[16,32],"words":2,"text":"mean","sentence":64,"recurrence":"gru","hidden":64,
    "layers":1,"bidirectional":false,"projection":64,"rank":3,"head":2,"dropout":0,"modalityDropout":0,"vocabulary":4,
    "classes":2,"fusion":"concat"}`;
  const file = encodeSafetensors(await weightsOf(net, { config }));
  expect(modelFrom(engine, decodeSafetensors(file)).config).toEqual(net.config);
});

test("a checkpoint that spells optimiser goes on to the same numbers", async () => {
  const net = new MultimodalNet(engine, small);
  const optimizer = adam(net.parameters(), { lr: 0.1 });
  const batch = { words: Int32Array.of(1, 2), label: Int32Array.of(0, 1), size: 2 };
  const step = () => engine.step(() => optimizer.update(net.loss(net.forward(batch), batch.label).backward()));
  await step();
  const { tensors, metadata } = decodeSafetensors(await encodeCheckpoint(net, optimizer, { at: 1 }));
  const spelled = (name: string) => name.replace(/^optimizer/, "optimiser");
  const old = encodeSafetensors({
    tensors: new Map([...tensors].map(([name, tensor]) => [spelled(name), tensor])),
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [spelled(name), value])),
  });
  expect(Buffer.from(old).includes("optimiser.m")).toBe(true);
  await step();
  const after = (await weightsOf(net)).tensors;
  expect(restoreCheckpoint(net, optimizer, old, "old")).toEqual({ at: 1 });
  await step();
  expect((await weightsOf(net)).tensors).toEqual(after);
});

test("the state of a learner", () => {
  const net = new MultimodalNet(engine, small);
  const agent = learner(net, adam(net.parameters(), { lr: 0.1 }), { log: memoryLog(), method: "posterior" });
  agent.restore({ updates: 3, learned: 0, confirmed: [2, 1], memories: [{ "a hint": [1, 2] }] } as never);
  expect(agent.state()).toMatchObject({ updates: 3, labelCounts: [2, 1], algorithms: [{ "a hint": [1, 2] }] });
});

test("a run's settings, and how far it had come", () => {
  const folder = mkdtempSync(join(tmpdir(), "handgrad-earlier-"));
  try {
    const before = {
      ...{ v: 1, command: "learn", set: "start", labels: 300, epochs: 40, fusion: "concat", seed: 1, lr: 1e-3 },
      ...{ judgements: 5, target: null, method: "beliefs", noise: 0.1, human: false, software: false },
      look: "test-strangers",
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(before));
    const { noise, look, ...same } = before;
    const now = { ...same, v: 2, network: 1, method: "posterior", labelNoise: noise, validateOn: "test-unseen" };
    expect(readSettings(join(folder, "config.json"))).toEqual(now);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const [a, b] = [
    { accuracy: 0.5, ece: 0.1 },
    { accuracy: 0.6, ece: 0.2 },
  ];
  expect(upgradedProgress({ stage: "learn", before: { strangers: a, met: b } })).toEqual({
    stage: "learn",
    before: { unseen: a, seen: b },
  });
  expect(upgradedProgress({ stage: "learn", before: null })).toEqual({ stage: "learn", before: null });
});

test("what was tuned then is to be measured again, as the variants had other names", () => {
  const old = { v: 1, adapter: engine.adapter, ways: { sum: "alone" } };
  expect(() => engine.tuning.import(old as never)).toThrow(/version 0\.1.*Call engine\.tune again/);
});
