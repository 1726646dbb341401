import { describe, expect, test } from "vitest";
import { batchOf } from "../../src/data/index.ts";
import { crossEntropy, linear, sgd, softmax } from "../../src/index.ts";
import {
  auc,
  evaluate,
  type FitOptions,
  fit,
  MultimodalNet,
  objectives,
  predict,
  type Store,
  setWeights,
  type Trainable,
  trainEpoch,
  type Weights,
  warmStart,
} from "../../src/model/index.ts";
import { useEngine } from "../use-engine.ts";

/* What users give to training and evaluation, and cannot be meant, is refused by name. */

interface Point {
  x: Float32Array;
  label: number;
}
interface Points {
  x: Float32Array;
  label: Int32Array;
}

// biome-ignore lint/suspicious/noExplicitAny: what the types forbid is what is tested.
type Any = any;

const engine = await useEngine({ seed: 1, software: true });

const model = (): Trainable<Points> => {
  const w = engine.parameter([0, 0.1, 0.2, 0.3], [2, 2]);
  return {
    engine,
    parameters: () => ({ w }),
    forward: ({ x }) => linear(engine.tensor(x, [x.length / 2, 2]), w),
  };
};
const points = (labels: readonly number[]): Point[] =>
  labels.map((label, i) => ({ x: Float32Array.of(i / labels.length, 1), label }));
const collate = (all: readonly Point[]): Points => ({
  x: Float32Array.from(all.flatMap(({ x }) => [...x])),
  label: Int32Array.from(all, ({ label }) => label),
});
const settings = { batch: 2, collate, objective: objectives.multiclass };
const data = points([0, 1, 0, 1]);
const run = (options: Any = {}, from: Any = data) => {
  const net = model();
  const optimizer = sgd(net.parameters(), { lr: 0.1 });
  return fit<Points, Point>(net, from, { ...settings, optimizer, epochs: 1, ...options } as FitOptions<Points, Point>);
};

test.each<[string, () => Promise<unknown>, RegExp]>([
  ["an async metric", () => run({ validation: data, metrics: { a: async () => 1 } }), /metric a.*synchronously/],
  ["a metric of nothing", () => run({ validation: data, metrics: { a: () => {} } }), /metric a is undefined/],
  ["a list of metrics", () => run({ validation: data, metrics: [auc] }), /metrics is an array, expected functions by/],
  ["metrics of no data", () => run({ metrics: { auc } }), /metrics auc are of the validation data, of which there/],
  ["a metric called loss", () => run({ validation: data, metrics: { loss: auc } }), /a metric is called "loss"/],
  ["async progress", () => run({ progress: async () => {} }), /fit: progress.*synchronously/],
  ["a schedule of nothing", () => run({ schedule: () => {} }), /what the schedule gives is undefined/],
  ["a signal that is none", () => run({ signal: true }), /signal is true, expected the signal of an AbortController/],
  ["a store that cannot write", () => run({ checkpoint: { read() {} } }), /a store, \{ read, write/],
  ["an objective's name", () => run({ objective: "class" }), /objective\.loss is undefined, expected a function/],
  ["half an objective", () => run({ objective: { loss: crossEntropy } }), /objective\.predict is undefined/],
  [
    "an async loss",
    () => run({ objective: { ...objectives.multiclass, loss: async () => 1 } }),
    /the objective's loss.*synchronously/,
  ],
  [
    "a loss for each example",
    () =>
      evaluate<Points, Point>(model(), data, {
        ...settings,
        objective: { loss: (y, t) => crossEntropy(y, t, { reduction: "none" }), predict: softmax },
      }),
    /the objective's loss gives Tensor \[2\] f32, expected a tensor of one number/,
  ],
  [
    "labels that are no shares",
    () =>
      evaluate<Any, Any>(model(), () => [{ x: new Float32Array(2), label: Float32Array.of(1, 7) }], {
        objective: objectives.multilabel,
      }),
    /labels: target 1 is 7, expected a number from 0 to 1/,
  ],
  ["a missing example", () => run({}, [data[0], undefined]), /there is no example 1/],
  ["no batches", () => run({}, () => undefined), /the function gives undefined, expected batches/],
  ["a promise of batches", () => run({}, async () => [collate(data)]), /the data.*synchronously/],
  [
    "a collate of nothing",
    () => run({ collate: () => {} }),
    /the data: collate gives undefined as a batch, expected an/,
  ],
  ["a collate of null", () => run({ collate: () => null }), /the data: collate gives null as a batch/],
  ["a collate of a number", () => run({ collate: () => 5 }), /the data: collate gives 5 as a batch/],
  ["a collate that promises nothing", () => run({ collate: async () => {} }), /batch gives undefined/],
  ["a batch that is none", () => run({}, () => [undefined]), /the data: the function gives undefined as a batch/],
  [
    "a batch of nothing",
    () => run({}, () => [{ x: new Float32Array(0), label: new Int32Array(0) }]),
    /training: a batch holds no example/,
  ],
  [
    "a batch of nothing to evaluate",
    () => evaluate<Any, Any>(model(), () => [{ x: new Float32Array(0), label: new Int32Array(0) }], settings),
    /evaluate: a batch holds no example/,
  ],
  [
    "a misspelled callback beside a right one",
    () => run({ callbacks: [{ step: () => {}, epohc: () => {} }] }),
    /fit: callbacks: there is no option "epohc". Did you mean epoch\?/,
  ],
  [
    "a callback that is no function",
    () => run({ callbacks: [{ step: () => {}, epoch: 5 }] }),
    /a callback's epoch is 5/,
  ],
  ["no model", () => evaluate<Points, Point>({} as Any, data, settings), /model\.engine is undefined/],
  ["no model to predict", () => predict<Points, Point>(null as Any, data, settings), /the model is null/],
  ["no optimizer", () => trainEpoch(model(), {} as Any, [collate(data)], settings.objective as Any), /option/],
  [
    "no callback",
    () => trainEpoch(model(), sgd(model().parameters(), { lr: 1 }), [], { onStep: 5 as Any }),
    /onStep is 5/,
  ],
])("%s is refused", async (_, call, message) => {
  await expect((async () => call())()).rejects.toThrow(message);
});

test("figures that are no finite numbers go through a checkpoint", async () => {
  const files = new Map<string, Uint8Array>();
  const checkpoint: Store = {
    read: async (name) => files.get(name),
    write: async (name, content) => {
      files.set(name, content);
    },
  };
  const options = { checkpoint, validation: points([0, 0]), metrics: { auc } };
  await run(options);
  const { history } = await run({ ...options, epochs: 2, resume: true });
  expect(history.map(({ validation }) => validation?.metrics.auc)).toEqual([Number.NaN, Number.NaN]);
});

describe("weights are put in all or none", () => {
  const two = () => {
    const [a, b] = [engine.parameter([1]), engine.parameter([2])];
    return { parameters: () => ({ a, b }), numbers: async () => [await a.item(), await b.item()] };
  };
  const weights = (b: Any): Weights => ({
    tensors: new Map([
      ["a", { shape: [1], data: Float32Array.of(9) }],
      ["b", { shape: [1], data: b }],
    ]),
    metadata: {},
  });

  test.each<[string, Any, RegExp]>([
    ["whole numbers", Int32Array.of(1), /tensor "b" is \[1\], expected a Float32Array of 1 numbers/],
    ["too many", new Float32Array(2), /expected a Float32Array of 1 numbers, found 2/],
    ["NaN", Float32Array.of(Number.NaN), /tensor "b" holds NaN at 0/],
  ])("%s", async (_, b, message) => {
    for (const put of [setWeights, warmStart]) {
      const net = two();
      expect(() => put(net, weights(b))).toThrow(message);
      expect(await net.numbers()).toEqual([1, 2]);
    }
  });

  test("NaN where it is allowed", async () => {
    const net = two();
    warmStart(net, weights(Float32Array.of(Number.NaN)), { allowNonFinite: true });
    expect(await net.numbers()).toEqual([9, Number.NaN]);
  });
});

test("batchOf rounds nothing", () => {
  expect(() => batchOf([{ words: [1, 1.5] as Any }])).toThrow(/^batchOf: words of example 0\[1\] is 1.5/);
  expect(() => batchOf([{ words: Float32Array.of(Number.NaN) as Any }])).toThrow(/words of example 0\[0\] is NaN/);
  expect(batchOf([{ image: [0.5] as Any, words: Int32Array.of(3) }])).toMatchObject({
    image: Float32Array.of(0.5),
    words: Int32Array.of(3),
  });
});

test("presence is 1 or 0 in every fusion", async () => {
  for (const fusion of ["concat", "average", "gated", "lowRank"] as const) {
    const net = new MultimodalNet(engine, {
      text: { vocabSize: 3 },
      audio: { features: 2 },
      fusion: { kind: fusion },
      head: { outputs: 2 },
    });
    const run = (present: Any) =>
      engine.step(() => net.forward({ words: Int32Array.of(1), audio: new Float32Array(4), size: 1, present }));
    for (const wrong of [0.5, 2, -1, Number.NaN])
      await expect(run([wrong, 1])).rejects.toThrow(/batch\.present\[0\] is .*, expected 1 for what is there/);
    await expect(run(false)).rejects.toThrow(/batch\.present is false/);
    await run([1, 0]);
  }
});
