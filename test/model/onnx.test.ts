import { createRequire } from "node:module";
import fc from "fast-check";
import type * as Ort from "onnxruntime-common";
import { describe, expect, test } from "vitest";
import * as ops from "../../src/index.ts";
import { type Engine, lstm, noGrad, rnn, softmax, type Tensor } from "../../src/index.ts";
import {
  decodeOnnx,
  encodeOnnx,
  fusions,
  type MultimodalConfig,
  MultimodalNet,
  modelFrom,
  type OnnxInput,
  onnxOf,
  tasks,
  textEncoders,
  WeightsError,
  warmStart,
  weightsOf,
} from "../../src/model/index.ts";
import { createEngine } from "../../src/node.ts";
import { hashed } from "../reference/network-inputs.ts";
import { useEngine } from "../use-engine.ts";

/* Exports run in ONNX Runtime, and give what we give. */

const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof Ort;
const engine = await useEngine();

type Feeds = Record<string, { data: Float32Array | Int32Array; shape: number[] }>;

/** Runs an ONNX file on named inputs. */
async function run(file: Uint8Array, feeds: Feeds): Promise<Record<string, ArrayLike<number>>> {
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(([name, { data, shape }]) => [
    name,
    new ort.Tensor(data instanceof Int32Array ? "int32" : "float32", data as Float32Array, shape),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, t.data as Float32Array]));
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!) || 0), 0);
};

const [N, L, T, D] = [100, 6, 5, 3];
const image = [1, 8, 8] as const;
const config: MultimodalConfig = {
  image: { shape: image, channels: [3] },
  text: { vocabSize: 9, length: L, embeddingDim: 4, hidden: 3 },
  audio: { features: D, hidden: 4 },
  fusion: { dim: 5, rank: 2, kind: "concat" },
  head: { hidden: 6, outputs: 3 },
};
/** 100 examples: texts with padding and gaps, some empty; sounds of any length, some without a frame; parts missing. */
const examples = {
  image: Float32Array.from(hashed(1, N * 64)),
  words: Int32Array.from(hashed(2, N * L), (u, i) => (i % L >= Math.floor(i / L) % (L + 1) ? 0 : Math.floor(u * 9))),
  audio: Float32Array.from(hashed(3, N * T * D), (u) => 2 * u - 1),
  frames: Int32Array.from({ length: N }, (_, n) => (7 * n) % (T + 1)),
  present: Float32Array.from({ length: 3 * N }, (_, i) => ((Math.floor(i / 3) % 8) >> (i % 3)) & 1),
};
const feeds: Feeds = {
  image: { data: examples.image, shape: [N, ...image] },
  words: { data: examples.words, shape: [N, L] },
  audio: { data: examples.audio, shape: [N, T, D] },
  frames: { data: examples.frames, shape: [N] },
  present: { data: examples.present, shape: [N, 3] },
};

/** The largest difference between a network's answers and those of its export. */
async function difference(net: MultimodalNet): Promise<number> {
  const file = await onnxOf(net);
  const M = net.modalities.length;
  const present = Float32Array.from({ length: M * N }, (_, i) => examples.present[3 * Math.floor(i / M) + (i % M)]!);
  const given = {
    ...(net.modalities.includes("image") ? { image: feeds.image! } : {}),
    ...(net.modalities.includes("text") ? { words: feeds.words! } : {}),
    ...(net.modalities.includes("audio") ? { audio: feeds.audio!, frames: feeds.frames! } : {}),
    present: { data: present, shape: [N, M] },
  };
  const found = await run(file, given);
  const ours = await engine.step(() =>
    noGrad(() => {
      const logits = net.forward({ ...examples, present });
      return { logits, prediction: net.predict(logits) };
    }),
  );
  const differences = [
    largest(found.logits!, await ours.logits.data()),
    largest(found.prediction!, await ours.prediction.data()),
  ];
  for (const t of [ours.logits, ours.prediction, ...Object.values(net.parameters())]) t.dispose();
  return Math.max(...differences);
}

describe("every fusion × head × text encoder × audio encoder, on 100 examples, within 1e-4", () => {
  for (const fusion of fusions) {
    test(fusion, async () => {
      for (const task of tasks) {
        for (const text of textEncoders) {
          for (const recurrence of ["gru", "lstm"] as const) {
            const classes = task === "binary" ? 1 : 3;
            const net = new MultimodalNet(engine, {
              ...config,
              text: { ...config.text!, encoder: text },
              audio: { ...config.audio!, cell: recurrence },
              fusion: { ...config.fusion, kind: fusion },
              head: { ...config.head, task, outputs: classes },
              seed: 5,
            });
            expect(await difference(net), `${fusion}, ${task}, ${text}, ${recurrence}`).toBeLessThan(1e-4);
          }
        }
      }
    });
  }

  test.each<Partial<MultimodalConfig>>([
    { audio: { ...config.audio!, cell: "lstm", numLayers: 2, bidirectional: true }, fusion: { dim: 5, kind: "gated" } },
    {
      audio: { ...config.audio!, cell: "gru", numLayers: 3, bidirectional: true },
      fusion: { dim: 5, kind: "weighted" },
    },
    { image: { shape: image, channels: [2, 3, 4], pool: [true, false, true] } },
    { text: undefined, fusion: { ...config.fusion, kind: "lowRank" } },
    {
      image: { shape: image, channels: [2, 3], kernelSize: [5, 3], stride: [2, 1], pool: [false, true] },
      audio: { ...config.audio!, stack: 2, length: T },
      fusion: { kind: "concat", late: ["text"] },
    },
    { image: undefined, audio: undefined, text: { ...config.text!, encoder: "gru" } },
  ])("deeper and smaller networks: %o", async (more) => {
    expect(await difference(new MultimodalNet(engine, { ...config, ...more, seed: 6 }))).toBeLessThan(1e-4);
  });
});

describe("ops", () => {
  /** Exports a function of inputs and compares its outputs with our own for a batch of another size. */
  async function same(
    inputs: Record<string, OnnxInput>,
    compute: (x: Record<string, Tensor>) => Record<string, Tensor>,
    sizes: Record<string, number> = { N: 5, T: 3 },
    parameters: Record<string, Tensor> = {},
  ): Promise<void> {
    const file = await encodeOnnx(engine, { inputs, parameters, compute });
    const given: Feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, dtype }], k) => {
        const full = shape.map((size) => (typeof size === "number" ? size : sizes[size]!));
        const numbers = hashed(
          50 + k,
          full.reduce((a, b) => a * b, 1),
        );
        const data =
          dtype === "i32" ? Int32Array.from(numbers, (u) => 3 * u) : Float32Array.from(numbers, (u) => 4 * u - 2);
        return [name, { data, shape: full }];
      }),
    );
    const found = await run(file, given);
    const ours = await engine.step(() =>
      noGrad(() =>
        compute(
          Object.fromEntries(
            Object.entries(given).map(([name, { data, shape }]) => [name, engine.tensor(data, shape)]),
          ),
        ),
      ),
    );
    for (const [name, y] of Object.entries(ours))
      expect(largest(found[name]!, await y.data()), name).toBeLessThan(1e-5);
  }
  const x = { shape: ["N", 4] };

  test("number by number", async () => {
    const { neg, exp, abs, gelu, silu, softplus, leakyRelu, relu, tanh, sigmoid, softmax, logSoftmax } = ops;
    const { add, sub, mul, maximum, minimum } = ops;
    const unary = { neg, exp, abs, gelu, silu, softplus, leakyRelu, relu, tanh, sigmoid, softmax, logSoftmax };
    await same({ x, y: x }, ({ x, y }) => ({
      ...Object.fromEntries(Object.entries(unary).map(([name, f]) => [name, f(x!)])),
      ...Object.fromEntries(Object.entries({ add, sub, mul, maximum, minimum }).map(([name, f]) => [name, f(x!, y!)])),
      div: ops.div(x!, ops.add(ops.abs(y!), 1)),
      log: ops.log(ops.add(ops.abs(x!), 0.5)),
      sqrt: ops.sqrt(ops.abs(x!)),
      pow: ops.pow(ops.abs(x!), 1.5),
      clamp: ops.clamp(x!, { min: -0.5, max: 1 }),
    }));
  });

  test("shapes, orders, sums", async () => {
    await same({ x: { shape: ["N", 3, 4] }, i: { shape: ["N", 2, 4], dtype: "i32" } }, ({ x, i }) => ({
      permute: ops.permute(x!, [1, 0, 2]),
      flat: ops.flatten(x!, { start: 1 }),
      slice: ops.slice(x!, { axis: 1, start: 1 }),
      stepped: ops.slice(x!, { axis: -1, start: -3, end: 4, step: 2 }),
      concat: ops.concat([x!, x!], { axis: 2 }),
      stack: ops.stack([x!, x!]),
      pad: ops.pad(x!, [1, 2, 0, 1], { value: 0.5 }),
      expand: ops.expand(ops.slice(x!, { axis: 1, end: 1 }), [x!.shape[0]!, 5, 4]),
      select: ops.indexSelect(x!, [2, 0], { axis: 1 }),
      gather: ops.gather(x!, i!, { axis: 1 }),
      sum: ops.sum(x!, { axis: [0, -1] }),
      mean: ops.mean(x!, { axis: 1, keepDims: true }),
      max: ops.max(x!, { axis: 2 }),
      min: ops.min(x!),
      argmax: ops.argmax(x!, { axis: 1 }),
      argmaxOfAll: ops.argmax(x!),
      logSumExp: ops.logSumExp(x!, { axis: 2 }),
      variance: ops.variance(x!, { axis: 1 }),
      layerNorm: ops.layerNorm(x!),
      where: ops.where(i!, 1, -1),
    }));
  });

  test("layers", async () => {
    const p = (seed: number, ...shape: number[]) =>
      engine.parameter(
        Float32Array.from(
          hashed(
            seed,
            shape.reduce((a, b) => a * b),
          ),
          (u) => u - 0.5,
        ),
        shape,
      );
    const w = {
      conv: p(1, 4, 1, 3, 2),
      b: p(2, 4),
      linear: p(3, 5, 6),
      plain: p(4, 6, 2),
      scale: p(5, 6),
      shift: p(6, 6),
    };
    await same(
      { x: { shape: ["N", 2, 7, 6] } },
      ({ x }) => ({
        conv: ops.conv2d(x!, w.conv, w.b, {
          stride: [2, 1],
          padding: [1, 2],
          dilation: [1, 2],
          groups: 2,
          activation: "tanh",
        }),
        average: ops.avgPool2d(x!, { kernelSize: 3, stride: 2, padding: 1 }),
        global: ops.globalAvgPool2d(x!),
        deep: ops.linear(x!, w.linear, undefined, { activation: "relu" }),
        product: ops.matmul(ops.mean(x!, { axis: [1, 2] }), w.plain),
        turned: ops.matmul(ops.mean(x!, { axis: [1, 2] }), w.linear, { transposeB: true }),
        norm: ops.layerNorm(x!, w.scale, w.shift, { eps: 1e-3 }),
      }),
      { N: 3 },
      Object.fromEntries(Object.entries(w).map(([name, p]) => [`w.${name}`, p])),
    );
  });

  test("windows: even and odd, padded alike and to the same size, spread, in groups", async () => {
    const [C, H, W] = [4, 9, 8];
    const parameters: Record<string, Tensor> = {};
    const weights = (name: string, shape: number[]): Tensor => {
      const size = shape.reduce((a, b) => a * b);
      parameters[name] = engine.parameter(
        Float32Array.from(hashed(7 + Object.keys(parameters).length, size), (u) => u - 0.5),
        shape,
      );
      return parameters[name];
    };
    const convolved = [
      [2, 2],
      [2, 3],
      [3, 4],
      [4, 1],
    ].flatMap(([kH, kW]) =>
      [1, [2, 3] as const].flatMap((dilation) =>
        [1, 2].flatMap((groups) => {
          const window = { dilation, groups };
          const w = weights(`w${kH}${kW}.${dilation}.${groups}`, [4, C / groups, kH!, kW!]);
          return [
            [`same ${kH}×${kW} ${dilation} ${groups}`, w, { ...window, padding: "same" }],
            [`strided ${kH}×${kW} ${dilation} ${groups}`, w, { ...window, stride: [2, 1], padding: [1, 3] }],
          ] as const;
        }),
      ),
    );
    const pooled = [2, 3, [2, 3] as const, [4, 1] as const].flatMap((kernel) =>
      [undefined, [1, 2] as const].flatMap((stride) =>
        [0, [1, 0] as const].map((padding) => ({ kernelSize: kernel, padding, ...(stride && { stride }) })),
      ),
    );
    const line = weights("w.line", [3, C * H, 4]);
    await same(
      { x: { shape: ["N", C, H, W] } },
      ({ x }) => ({
        ...Object.fromEntries(convolved.map(([name, w, options]) => [name, ops.conv2d(x!, w, undefined, options)])),
        ...Object.fromEntries(
          pooled.flatMap((options) => {
            const name = JSON.stringify(options);
            return [
              [`max ${name}`, ops.maxPool2d(x!, options)],
              [`average ${name}`, ops.avgPool2d(x!, { ...options, activation: "relu" })],
            ];
          }),
        ),
        line: ops.conv1d(ops.reshape(x!, [x!.shape[0]!, C * H, W]), line, undefined, { padding: "same" }),
        spread: ops.conv1d(ops.reshape(x!, [x!.shape[0]!, C * H, W]), line, undefined, {
          padding: "same",
          dilation: 3,
        }),
      }),
      { N: 2 },
      parameters,
    );
  });

  test("recurrences with states, both ways, and the earlier GRU", async () => {
    const H = 3;
    const set = (G: number, seed: number, I = 2) => {
      const p = (k: number, ...shape: number[]) =>
        engine.parameter(
          Float32Array.from(
            hashed(
              seed + k,
              shape.reduce((a, b) => a * b),
            ),
            (u) => u - 0.5,
          ),
          shape,
        );
      return { weightIh: p(0, G * H, I), weightHh: p(1, G * H, H), biasIh: p(2, G * H), biasHh: p(3, G * H) };
    };
    const [g, l, r] = [set(3, 10), set(4, 20), set(1, 30)];
    const two = [set(4, 40), set(4, 50)];
    const inputs = { x: { shape: ["N", "T", 2] }, n: { shape: ["N"], dtype: "i32" as const }, h: { shape: ["N", H] } };
    const parameters = Object.fromEntries(
      [g, l, r, ...two].flatMap((weights, i) => Object.entries(weights).map(([name, p]) => [`${i}.${name}`, p])),
    );
    await same(
      inputs,
      ({ x, n, h }) => {
        const both = lstm(x!, two, { bidirectional: true, lengths: n! });
        return {
          gru: ops.gru(x!, g, { lengths: n!, h0: h! }).output,
          before: ops.gru(x!, g, { resetAfter: false, reverse: true, lengths: n! }).output,
          lstm: lstm(x!, l, { h0: ops.stack([h!, ops.tanh(h!)]) }).hidden,
          rnn: rnn(x!, r, { lengths: n! }).hidden,
          both: both.output,
          states: both.hidden,
        };
      },
      { N: 4, T: 3 },
      parameters,
    );
  });

  test("what cannot be exported is named", async () => {
    const with_ = (compute: (x: Tensor) => Tensor) =>
      encodeOnnx(engine, { inputs: { x }, parameters: {}, compute: ({ x }) => ({ y: compute(x!) }) });
    await expect(with_((x) => ops.dropout(x, { p: 0.5 }))).rejects.toThrow(/onnx: dropout has no ONNX form here/);
    await expect(
      with_((x) => ops.add(x, engine.tensor(new Float32Array(x.shape[0]!), [x.shape[0]!, 1]))),
    ).rejects.toThrow(/add reads a tensor \[2, 1\] that changes with the batch/);
    await expect(
      encodeOnnx(engine, { inputs: { x }, parameters: {}, compute: ({ x }) => ({ x: ops.relu(x!) }) }),
    ).rejects.toThrow(/two of inputs, parameters and outputs are called x/);
    await expect(with_((x) => x)).resolves.toBeInstanceOf(Uint8Array);
    await expect(
      onnxOf(new MultimodalNet(engine, { ...config, text: { ...config.text!, encoder: "gru", length: undefined } })),
    ).rejects.toThrow(/Give text\.length/);
  });

  test("an export leaves the engine's random numbers as they were", async () => {
    const draw = async (engine: Engine, between: () => Promise<unknown>) => {
      await engine.step(() => softmax(engine.tensor([1, 2], [1, 2])));
      await between();
      return (await engine.step(() => ops.uniform(engine, [4]))).data();
    };
    const engines = [await createEngine({ seed: 3 }), await createEngine({ seed: 3 })] as const;
    const net = new MultimodalNet(engines[1], config);
    expect(await draw(engines[1], () => onnxOf(net))).toEqual(await draw(engines[0], async () => {}));
    for (const engine of engines) engine.destroy();
  });
});

describe("back from a file", () => {
  test("an export is a checkpoint", async () => {
    const net = new MultimodalNet(engine, {
      ...config,
      text: { ...config.text!, encoder: "gru" },
      audio: { ...config.audio!, cell: "lstm" },
      fusion: { ...config.fusion, kind: "lowRank" },
      seed: 8,
    });
    const again = modelFrom(engine, decodeOnnx(await onnxOf(net)));
    expect(again.config).toEqual(net.config);
    expect((await weightsOf(again)).tensors).toEqual((await weightsOf(net)).tensors);
  });

  test("encoders start warm, by prefix, and what fitted is reported", async () => {
    const [from, to] = [1, 2].map((seed) => new MultimodalNet(engine, { ...config, seed }));
    const weights = decodeOnnx(await onnxOf(from!));
    const before = (await weightsOf(to!)).tensors;
    expect(warmStart(to!, weights, { to: "image." })).toEqual({
      loaded: ["image.conv1.weight", "image.conv1.bias"],
      missing: [],
      otherShape: [],
      unused: [],
    });
    const after = (await weightsOf(to!)).tensors;
    for (const [name, { data }] of after)
      expect(data, name).toEqual((name.startsWith("image.") ? weights.tensors : before).get(name)!.data);
    const wide = new MultimodalNet(engine, {
      ...config,
      text: undefined,
      audio: { features: D, numLayers: 2, hidden: 4 },
    });
    const renamed = { ...weights, tensors: new Map([...weights.tensors].map(([name, t]) => [`old.${name}`, t])) };
    expect(warmStart(wide, renamed, { to: "audio.", from: "old.audio." })).toMatchObject({
      loaded: expect.arrayContaining(["audio.gru.weight_ih_l0"]),
      missing: expect.arrayContaining(["audio.gru.weight_ih_l1"]),
      unused: [],
    });
    expect(warmStart(wide, weights)).toMatchObject({
      otherShape: ["head.hidden.weight"],
      unused: ["text.embedding.weight"],
    });
    expect(() => warmStart(to!, weights, { to: "video." })).toThrow(/no tensor "video\.…" fits/);
  });

  test("any damage is a WeightsError or another valid file, never anything else", async () => {
    const good = await onnxOf(
      new MultimodalNet(engine, { audio: { features: 2, hidden: 2 }, head: { hidden: 2, outputs: 2 } }),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
        const bad = good.slice(0, length);
        if (at < length) bad[at] = byte;
        try {
          decodeOnnx(bad, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(WeightsError);
          expect((error as Error).message).toMatch(/^f: not an ONNX file/);
        }
      }),
      { numRuns: 2000, seed: 20251124 },
    );
    expect(() => decodeOnnx(good.slice(0, 40), "f")).toThrow(WeightsError);
  });
});
