import { describe, expect, test } from "vitest";
import * as model from "../../src/model/index.ts";
import * as node from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Nobody's option is ignored: every exported function is either in the table of those that take options, and refuses a name
 * that it does not know, or in the list of those that take none. A new export is in neither, and fails.
 */

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;
const hg = node;
const engine = await useEngine();

const t = (...shape: number[]) => engine.tensor(new Float32Array(hg.count(shape)), shape);
const weights = (gates: number) => ({ weightIh: t(gates * 2, 3), weightHh: t(gates * 2, 2) });

/** How each is called with options `o`. What is not of `handgrad` is looked up in the other entries. */
const calls: Record<string, (o: Any) => unknown> = {
  leakyRelu: (o) => hg.leakyRelu(t(2), o),
  clamp: (o) => hg.clamp(t(2), { min: 0, ...o }),
  softmax: (o) => hg.softmax(t(2, 3), o),
  logSoftmax: (o) => hg.logSoftmax(t(2, 3), o),
  linear: (o) => hg.linear(t(2, 3), t(4, 3), undefined, o),
  matmul: (o) => hg.matmul(t(2, 3), t(3, 4), o),
  conv2d: (o) => hg.conv2d(t(1, 1, 4, 4), t(1, 1, 2, 2), undefined, o),
  conv1d: (o) => hg.conv1d(t(1, 1, 4), t(1, 1, 2), undefined, o),
  maxPool2d: (o) => hg.maxPool2d(t(1, 1, 4, 4), { kernelSize: 2, ...o }),
  avgPool2d: (o) => hg.avgPool2d(t(1, 1, 4, 4), { kernelSize: 2, ...o }),
  embedding: (o) => hg.embedding([0, 1], t(3, 2), o),
  maskedMean: (o) => hg.maskedMean(t(1, 2, 3), [0, 1], o),
  concat: (o) => hg.concat([t(2), t(3)], o),
  stack: (o) => hg.stack([t(2), t(2)], o),
  split: (o) => hg.split(t(4), 2, o),
  slice: (o) => hg.slice(t(4), o),
  pad: (o) => hg.pad(t(4), [1, 1], o),
  flatten: (o) => hg.flatten(t(4, 2), o),
  gather: (o) => hg.gather(t(2), engine.tensor([1], [1], "i32"), o),
  indexSelect: (o) => hg.indexSelect(t(2), [1], o),
  fuse: (o) => hg.fuse([t(1, 2), t(1, 2)], "average", o),
  dropout: (o) => hg.dropout(t(2), { p: 0.5, ...o }),
  dropModalities: (o) => hg.dropModalities(t(2, 2), { p: 0.5, ...o }),
  sum: (o) => hg.sum(t(2), o),
  mean: (o) => hg.mean(t(2), o),
  max: (o) => hg.max(t(2), o),
  min: (o) => hg.min(t(2), o),
  argmax: (o) => hg.argmax(t(2), o),
  variance: (o) => hg.variance(t(2), o),
  logSumExp: (o) => hg.logSumExp(t(2), o),
  layerNorm: (o) => hg.layerNorm(t(2, 3), undefined, undefined, o),
  batchNorm2d: (o) => hg.batchNorm2d(t(2, 1, 2, 2), undefined, undefined, { training: true, ...o }),
  crossEntropy: (o) => hg.crossEntropy(t(1, 3), [0], o),
  feedbackLoss: (o) => hg.feedbackLoss(t(1, 3), [0], [1], o),
  policyGradient: (o) => hg.policyGradient(t(1, 3), [0], [1], o),
  mse: (o) => hg.mse(t(1), [0], o),
  huber: (o) => hg.huber(t(1), [0], o),
  klDivergence: (o) => hg.klDivergence(t(1), [0], o),
  binaryCrossEntropyWithLogits: (o) => hg.binaryCrossEntropyWithLogits(t(1), [0], o),
  gru: (o) => hg.gru(t(1, 2, 3), weights(3), o),
  lstm: (o) => hg.lstm(t(1, 2, 3), weights(4), o),
  rnn: (o) => hg.rnn(t(1, 2, 3), weights(1), o),
  uniform: (o) => hg.uniform(engine, [1], o),
  normal: (o) => hg.normal(engine, [1], o),
};

const small = { image: { shape: [1, 4, 4], channels: [2] }, head: { outputs: 2, hidden: 2 } } as const;
/** What is called outside of a step, and may give a promise. */
const models: Record<string, (o: Any) => unknown> = {
  createEngine: (o) => hg.createEngine(o).then((e) => e.destroy()),
  openAdapter: (o) => hg.openAdapter(o),
  linearLayer: (o) => model.linearLayer(new model.ParameterStore(engine, 1), "layer", { inputs: 1, outputs: 1, ...o }),
  MultimodalNet: (o) => new model.MultimodalNet(engine, { ...small, ...o }),
  "MultimodalNet.forward": (o) =>
    engine.step(() => new model.MultimodalNet(engine, small).forward({ image: new Float32Array(16) }, o)),
  ConditionalVae: (o) => new model.ConditionalVae(engine, { features: 2, image: [1, 4, 4], channels: [2], ...o }),
  "ConditionalVae.loss": (o) =>
    engine.step(() =>
      new model.ConditionalVae(engine, { features: 2, image: [1, 4, 4], channels: [2] }).loss(t(1, 16), t(1, 2), o),
    ),
  batchesOf: (o) => model.batchesOf([], o),
  evaluateByModality: (o) =>
    model
      .evaluateByModality(
        new model.MultimodalNet(engine, small),
        [{ image: new Float32Array(16), label: Int32Array.of(0) }],
        o,
      )
      .then((all) => all.byModalities),
  f1: (o) => model.f1(o),
  encodeOnnx: (o) =>
    model.encodeOnnx(engine, {
      inputs: { x: { shape: ["N"] } },
      parameters: {},
      compute: ({ x }) => ({ y: hg.neg(x!) }),
      ...o,
    }),
  "encodeOnnx: input x": (o) =>
    model.encodeOnnx(engine, {
      inputs: { x: { shape: ["N"], ...o } },
      parameters: {},
      compute: ({ x }) => ({ y: hg.neg(x!) }),
    }),
};

/** Functions of tensors and numbers alone: what follows these is one argument too many. */
const plain: Record<string, (...more: Any[]) => unknown> = {
  ...Object.fromEntries(
    (["add", "sub", "mul", "div", "pow", "maximum", "minimum"] as const).map((name) => [
      name,
      (...more: Any[]) => (hg[name] as Any)(t(1), t(1), ...more),
    ]),
  ),
  ...Object.fromEntries(
    (["relu", "tanh", "sigmoid", "neg", "exp", "log", "sqrt", "abs", "gelu", "silu", "softplus"] as const).map(
      (name) => [name, (...more: Any[]) => (hg[name] as Any)(t(1), ...more)],
    ),
  ),
  categorical: (...more) => (hg.categorical as Any)(t(1, 2), ...more),
  detach: (...more) => (hg.detach as Any)(t(2), ...more),
  globalAvgPool2d: (...more) => (hg.globalAvgPool2d as Any)(t(1, 1, 2, 2), ...more),
  where: (...more) => (hg.where as Any)(t(1), 1, 2, ...more),
  reshape: (...more) => (hg.reshape as Any)(t(1), [1], ...more),
  expand: (...more) => (hg.expand as Any)(t(1), [2], ...more),
  permute: (...more) => (hg.permute as Any)(t(1), [0], ...more),
  transpose: (...more) => (hg.transpose as Any)(t(1, 1), 0, 1, ...more),
};

/** In an open step, whose recording is thrown away: nothing of it is computed. */
async function failureOf(call: () => unknown): Promise<unknown> {
  class Done extends Error {}
  try {
    await engine.step(() => {
      call();
      throw new Done();
    });
  } catch (error) {
    return error instanceof Done ? undefined : error;
  }
}

describe.each(Object.entries(calls))("%s", (name, call) => {
  test("takes what it knows", async () => expect(await failureOf(() => call({}))).toBeUndefined());
  test.each(["nonsenseOption", "toString", "__proto__x"])("refuses %s", async (option) => {
    const failure = await failureOf(() => call({ [option]: 1 }));
    expect(failure).toBeInstanceOf(TypeError);
    expect(String(failure)).toContain(`${name}: there is no option "${option}"`);
  });
});

describe.each(Object.entries(models))("%s", (name, call) => {
  const run = async (o: object) => {
    try {
      await call(o);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  test("takes what it knows", async () => expect(await run({})).toBeUndefined());
  test.each(["nonsenseOption", "toString"])("refuses %s", async (option) => {
    const failure = await run({ [option]: 1 });
    expect(failure).toBeInstanceOf(TypeError);
    expect(String(failure)).toContain(`${name}: there is no option "${option}"`);
  });
});

describe.each(Object.entries(plain))("%s", (name, call) => {
  test("takes no options", async () => {
    expect(await failureOf(() => call())).toBeUndefined();
    for (const extra of [{ nonsenseOption: 1 }, 2, "tanh", true])
      expect(String(await failureOf(() => call(extra)))).toContain(`${name}: there is one argument too many`);
  });
});

test("options that are no object are refused, such as an axis by its place", async () => {
  for (const call of [() => hg.sum(t(2, 2), 1 as Any), () => hg.softmax(t(2, 2), 0 as Any)])
    expect(String(await failureOf(call))).toMatch(/its options are \d, expected an object such as { axis: … }/);
  expect(String(await failureOf(() => hg.mean(t(2), null as Any)))).toContain("its options are null");
});

test("arrays' own map and reduce still take functions of tensors", async () => {
  const y = await engine.step(() => [engine.tensor([-1, 2]), engine.tensor([3, 4])].map(hg.relu).reduce(hg.add));
  expect([...(await y.data())]).toEqual([3, 6]);
});

test("softmax along any axis", async () => {
  const x = engine.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  const found = await engine.step(() => [
    hg.softmax(x, { axis: 0 }),
    hg.transpose(hg.softmax(hg.transpose(x))),
    hg.softmax(x, { axis: 1 }),
    hg.softmax(x),
    hg.logSoftmax(x, { axis: -2 }),
    hg.log(hg.softmax(x, { axis: 0 })),
  ]);
  const [first, turned, last, plainly, logs, byHand] = await Promise.all(found.map((y) => y.data()));
  expect(first).toEqual(turned);
  expect(last).toEqual(plainly);
  for (let i = 0; i < 6; i++) expect(logs![i]).toBeCloseTo(byHand![i]!, 5);
  expect(String(await failureOf(() => hg.softmax(x, { axis: 2 })))).toContain("softmax: axis 2 is outside of x [2, 3]");
});

describe("every function that is exported", () => {
  /** Those that take no options: values, lists and functions alone. */
  const none = {
    handgrad: ["noGrad", "customOp", "kernel", "wgsl", "count", "allocate", "grid", "adapterName", "decodeImage"],
    model: [
      ...[
        "accuracy",
        "auc",
        "confusionMatrix",
        "argmaxRows",
        "meanSquaredError",
        "topK",
        "softmaxOf",
        "subsetsOf",
        "presentOf",
      ],
      ...["decodeOnnx", "onnxOf", "configMetadata", "weightsOf"],
      ...["decodeSafetensors"],
    ],
  };
  /** Those whose options are held by the tests of their own files. */
  const elsewhere = {
    // test/optim; test/node and test/data
    handgrad: [
      ...["sgd", "adam", "adamw", "rmsprop", "constant", "cosine", "stepped", "warmUp"],
      ...["openFeedbackLog", "openFolder", "readFeedbackLog", "replaceFile", "appendLine", "lock"],
      // test/model/safetensors.test.ts
      ...["loadSafetensors", "saveSafetensors", "loadModel", "saveModel", "saveOnnx", "folderStore"],
    ],
    model: [
      // test/model/fit.test.ts and warmStart
      ...[
        "fit",
        "evaluate",
        "predict",
        "trainEpoch",
        "trainStep",
        "warmStart",
        "encodeCheckpoint",
        "restoreCheckpoint",
      ],
      // test/model/mel.test.ts, with those of src/data
      ...["logMelLayer", "melLayer", "mfccLayer"],
      // test/model/safetensors.test.ts
      ...["checkWeights", "encodeSafetensors", "setWeights"],
      ...["modelFrom"],
    ],
  };
  const functionsOf = (room: object) =>
    Object.entries(room)
      .filter(([name, value]) => typeof value === "function" && !/^[A-Z]/.test(name))
      .map(([name]) => name);
  const known = new Set([calls, models, plain].flatMap((table) => Object.keys(table)));

  test("of handgrad is in one of the tables", () => {
    const all = [...none.handgrad, ...elsewhere.handgrad];
    expect(functionsOf(hg).filter((name) => !known.has(name) && !all.includes(name))).toEqual([]);
  });
  test("of handgrad/model is in one of the tables", () => {
    const all = [...none.model, ...elsewhere.model, ...elsewhere.handgrad];
    expect(functionsOf(model).filter((name) => !known.has(name) && !all.includes(name))).toEqual([]);
  });
});
