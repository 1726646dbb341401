import { adam, sum, type Tensor } from "../../src/index.ts";
import * as model from "../../src/model/index.ts";
import { type Refusals, testRefusals } from "../refused.ts";
import { useEngine } from "../use-engine.ts";

/* Each export of handgrad/model refuses by its name what is no model, no data, no weights, no option. */

const engine = await useEngine();
const net = new model.MultimodalNet(engine, {
  image: { shape: [1, 4, 4], channels: [2] },
  head: { outputs: 2, hidden: 2 },
});
const optimizer = adam(net.parameters(), { lr: 1e-3 });
const batch = () => ({ image: new Float32Array(32), label: Int32Array.of(0, 1) });
const set = [0, 1].map((label) => ({ image: new Float32Array(16), label }));
const predictions = () => ({ values: Float32Array.of(0.9, 0.1, 0.2, 0.8), numOutputs: 2, targets: [0, 1] });
const numbers = () => ({ values: Float32Array.of(1, 2), numOutputs: 1, targets: [1, 2] });
const weights = await model.weightsOf(net, model.configMetadata(net));
const checkpoint = await model.encodeCheckpoint(net, optimizer, { epoch: 1 });
const onnx = await model.onnxOf(net);
const store = () => new model.ParameterStore(engine, 1);
const waves = () => engine.tensor(new Float32Array(800), [1, 800]);
/** Layers are called in a step. */
const inStep = (layer: (x: Tensor) => Tensor) => (x: Tensor) => engine.step(() => layer(x));

const OPTIONS = "undefined object date map function";
const rows: Record<string, Refusals> = {
  accuracy: { call: model.accuracy, args: () => [predictions()] },
  topK: { call: model.topK, args: () => [1] },
  "topK.call": { call: model.topK(1), args: () => [predictions()], says: "topK" },
  f1: { call: model.f1, args: () => [{}], takes: ["undefined object date map promise"] },
  "f1.call": { call: model.f1(), args: () => [predictions()], says: "f1" },
  auc: { call: model.auc, args: () => [predictions()] },
  meanSquaredError: { call: model.meanSquaredError, args: () => [numbers()] },
  confusionMatrix: { call: model.confusionMatrix, args: () => [predictions()] },
  argmaxRows: { call: model.argmaxRows, args: () => [predictions().values, 2] },
  softmaxOf: { call: model.softmaxOf, args: () => [[0, 1]], takes: ["list"] },
  subsetsOf: { call: model.subsetsOf, args: () => [["image", "text"]], takes: ["list"] },
  presentOf: {
    call: (batch, n) => model.presentOf("presentOf", batch, n),
    args: () => [{ present: [0, 1] }, 2],
    takes: ["object date map promise"],
  },
  evaluateByModality: {
    call: model.evaluateByModality,
    args: () => [net, [batch()], {}],
    takes: ["", "", "undefined object date map promise"],
  },
  evaluate: {
    call: model.evaluate,
    args: () => [net, set, {}],
    takes: ["", "", `${OPTIONS} promise`],
    says: "(evaluate|batchOf|the data)",
  },
  predict: {
    call: model.predict,
    args: () => [net, set, {}],
    takes: ["", "list", `${OPTIONS} promise`],
    says: "(predict|batchOf|the data)",
  },
  fit: {
    call: model.fit,
    args: () => [net, set, { optimizer, epochs: 1 }],
    says: "(fit|batchOf|the data)",
  },
  trainEpoch: {
    call: model.trainEpoch,
    args: () => [net, optimizer, [], {}],
    takes: ["", "", "list map", `${OPTIONS} promise`],
    says: "(trainEpoch|MultimodalNet.forward)",
  },
  trainStep: {
    call: model.trainStep,
    args: () => [net, optimizer, batch()],
    says: "(trainStep|training|MultimodalNet)",
  },
  batchesOf: {
    call: model.batchesOf,
    args: () => [set, {}, { epoch: 0, from: 0, seed: null }],
    takes: ["list function", `${OPTIONS} promise`, "undefined"],
    says: "(batchesOf|batchOf|the data)",
  },
  weightsOf: {
    call: model.weightsOf,
    args: () => [net, {}],
    takes: ["", "undefined object"],
  },
  checkWeights: { call: model.checkWeights, args: () => [net, { ...weights, metadata: {} }] },
  setWeights: { call: model.setWeights, args: () => [net, weights] },
  modelFrom: { call: model.modelFrom, args: () => [engine, weights] },
  configMetadata: { call: model.configMetadata, args: () => [net] },
  warmStart: { call: model.warmStart, args: () => [net, weights, {}], takes: ["", "", `${OPTIONS} promise`] },
  encodeSafetensors: {
    call: model.encodeSafetensors,
    args: () => [weights, {}],
    takes: ["", `${OPTIONS} promise`],
  },
  decodeSafetensors: { call: model.decodeSafetensors, args: () => [model.encodeSafetensors(weights)] },
  encodeCheckpoint: {
    call: model.encodeCheckpoint,
    args: () => [net, optimizer, { epoch: 1 }],
    takes: ["", "", "null NaN half minus text object list holes true date map promise"],
    says: "(encodeCheckpoint|checkpoint)",
  },
  restoreCheckpoint: { call: model.restoreCheckpoint, args: () => [net, optimizer, checkpoint] },
  encodeOnnx: {
    call: model.encodeOnnx,
    args: () => [
      engine,
      { inputs: { x: { shape: ["N", 2] } }, parameters: {}, compute: ({ x }: { x: Tensor }) => ({ y: sum(x) }) },
    ],
  },
  decodeOnnx: { call: model.decodeOnnx, args: () => [onnx] },
  onnxOf: { call: model.onnxOf, args: () => [net] },
  ParameterStore: {
    call: (engine, seed, start) => new model.ParameterStore(engine, seed, start),
    args: () => [engine, 1, () => undefined],
    takes: ["", "minus", "undefined function"],
  },
  "ParameterStore.make": {
    call: (name, shape, initialize) => store().make(name, shape, initialize),
    args: () => ["w", [2], (n: number) => new Float32Array(n)],
    takes: ["text", "list"],
    says: "(ParameterStore.make|engine.parameter)",
  },
  linearLayer: {
    call: model.linearLayer,
    args: () => [store(), "layer", { inputs: 2, outputs: 2 }],
    takes: ["", "text"],
  },
  MultimodalNet: {
    call: (engine, config) => new model.MultimodalNet(engine, config),
    args: () => [engine, net.config],
  },
  "MultimodalNet.forward": {
    call: (x) => engine.step(() => net.forward(x)),
    args: () => [batch()],
    says: "MultimodalNet",
  },
  ConditionalVae: {
    call: (engine, config) => new model.ConditionalVae(engine, config),
    args: () => [engine, { features: 2, image: [1, 4, 4], channels: [2] }],
  },
  ...Object.fromEntries(
    Object.entries({
      melLayer: model.melLayer,
      logMelLayer: model.logMelLayer,
      mfccLayer: model.mfccLayer,
    }).flatMap(([name, layer]): [string, Refusals][] => [
      [
        name,
        {
          call: layer,
          args: () => [engine, {}],
          takes: ["", `${OPTIONS} promise`],
          says: `(${name}|LogMel|Mfcc)`,
        },
      ],
      [`${name}.call`, { call: inStep(layer(engine)), args: () => [waves()], says: "melLayer" }],
    ]),
  ),
};

// What src/optim exports is tested there; an error is made by nobody else.
testRefusals(rows, model, [
  ...["adam", "adamw", "sgd", "constant", "cosine", "stepped", "warmUp", "Optimizer", "WeightsError"],
]);
