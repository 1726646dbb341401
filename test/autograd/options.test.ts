import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as model from "../../src/model/index.ts";
import * as node from "../../src/node.ts";
import { tensorsOf } from "../agree.ts";
import { opNames } from "../cases/names.ts";
import { loadOps } from "../cases/ops.ts";
import { callWith } from "../descriptor/index.ts";
import { failureInStep } from "../refused.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Nobody's option is ignored: every op of test/ops, and every other exported function of the tables here, refuses a name that
 * it does not know, or an argument too many where it takes no options. A new export that is neither fails.
 */

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;
const hg = node;
const engine = await useEngine();

const t = (...shape: number[]) => engine.tensor(new Float32Array(hg.count(shape)), shape);

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

const failureOf = (call: () => unknown) => failureInStep(engine, call);

/** Every op, called with something that it does not take (`misuse` of its file in test/ops). */
const ops = await loadOps(opNames());
const misuses: Record<string, (wrong: Any) => unknown> = { detach: (wrong) => callWith(hg.detach, t(2), wrong) };
for (const [name, { misuse }] of ops.random) misuses[name] = (wrong) => misuse(engine, wrong);
for (const [name, [op]] of ops.byName) {
  if (!Object.hasOwn(hg, name)) continue;
  const [drawn] = fc.sample(op!.property.draw, { numRuns: 1, seed: 1 });
  const { parameters, others } = tensorsOf(engine, drawn!);
  const { misuse = (x, options, wrong) => op!.call(x, { ...options, ...wrong }) } = op!;
  misuses[name] = (wrong) => misuse({ ...parameters, ...others }, drawn!.options ?? {}, wrong);
}

test.each(Object.entries(misuses))("%s refuses what it does not take", async (name, misuse) => {
  const failure = await failureOf(() => misuse({ nonsenseOption: 1 }));
  expect(failure).toBeInstanceOf(TypeError);
  const tooMany = `${name}: there is one argument too many`;
  if (String(failure).includes(tooMany)) {
    for (const extra of [2, "tanh", true]) expect(String(await failureOf(() => misuse(extra)))).toContain(tooMany);
  } else {
    for (const option of ["nonsenseOption", "toString", "__proto__x"])
      expect(String(await failureOf(() => misuse({ [option]: 1 })))).toContain(
        `${name}: there is no option "${option}"`,
      );
  }
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
  const known = new Set([misuses, models].flatMap((table) => Object.keys(table)));

  test("of handgrad is in one of the tables", () => {
    const all = [...none.handgrad, ...elsewhere.handgrad];
    expect(functionsOf(hg).filter((name) => !known.has(name) && !all.includes(name))).toEqual([]);
  });
  test("of handgrad/model is in one of the tables", () => {
    const all = [...none.model, ...elsewhere.model, ...elsewhere.handgrad];
    expect(functionsOf(model).filter((name) => !known.has(name) && !all.includes(name))).toEqual([]);
  });
});
