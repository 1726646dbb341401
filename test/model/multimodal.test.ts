import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noGrad } from "../../src/index.ts";
import {
  configMetadata,
  encodeSafetensors,
  fusions,
  type MultimodalConfig,
  MultimodalNet,
  modelFrom,
  tasks,
  textEncoders,
  WeightsError,
  weightsOf,
} from "../../src/model/index.ts";
import { loadModel, saveModel } from "../../src/node.ts";
import { batchOf, modelCases, modelOf, models, nameOf } from "../cases/models.ts";
import { expectClose, runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

describe("encoders, fusions and heads", () => {
  for (const one of modelCases) test(one.name, () => runCase(engine, one));

  test("the fixtures show every choice there is", () => {
    const shown = (name: (config: MultimodalConfig) => unknown) => models.map(({ config }) => name(config));
    for (const kind of fusions) expect(shown((c) => c.fusion?.kind)).toContain(kind);
    for (const task of tasks) if (task !== "multiclass") expect(shown((c) => c.head.task)).toContain(task);
    for (const encoder of textEncoders) expect(shown((c) => c.text && (c.text.encoder ?? "mean"))).toContain(encoder);
    expect(shown((c) => c.audio?.cell)).toContain("lstm");
  });
});

const N = 3;
const [T, L] = [4, 5];
const logitsOf = (net: MultimodalNet, batch: Parameters<MultimodalNet["forward"]>[0]) =>
  engine.step(() => noGrad(() => net.forward(batch)));

const configurations = fc
  .record({
    kind: fc.constantFrom(...fusions),
    encoder: fc.constantFrom(...textEncoders),
    cell: fc.constantFrom("gru" as const, "lstm" as const),
    numLayers: fc.integer({ min: 1, max: 2 }),
    bidirectional: fc.boolean(),
    stack: fc.integer({ min: 1, max: 3 }),
    late: fc.boolean(),
    takes: fc.constantFrom(1, 2, 3, 4, 5, 6, 7),
    seed: fc.nat(1000),
  })
  .map(
    ({
      kind,
      encoder,
      cell,
      numLayers,
      bidirectional,
      stack,
      late,
      takes,
      seed,
    }): MultimodalConfig & { seed: number } => ({
      image: takes & 1 ? { shape: [1, 4, 5], channels: [2] } : undefined,
      text: takes & 2 ? { vocabSize: 6, embeddingDim: 3, encoder, length: L, hidden: 3 } : undefined,
      audio: takes & 4 ? { features: 2, stack, cell, hidden: 2, numLayers, bidirectional } : undefined,
      fusion: { kind, dim: 4, rank: 2, late: late && takes > 2 && takes & 2 ? ["text"] : [] },
      head: { outputs: 3, hidden: 5 },
      seed,
    }),
  );

describe("properties", () => {
  test("what a missing modality holds never matters, and neither does padding or an example's neighbors", async () => {
    await fc.assert(
      fc.asyncProperty(configurations, fc.nat(100), async (config, salt) => {
        const net = new MultimodalNet(engine, config);
        const M = net.modalities.length;
        const noise = (n: number, k: number) =>
          Float32Array.from({ length: n }, (_, i) => Math.sin(salt + 12.9898 * (i + 1) * k));
        const frames = Int32Array.of(0, 2, T);
        const words = Int32Array.of(0, 0, 0, 0, 0, 3, 1, 0, 0, 0, 2, 4, 5, 1, 2);
        const present = Float32Array.from({ length: N * M }, (_, i) => (M > 1 && i % (M + 1) === 0 ? 0 : 1));
        const batch = (k: number) => {
          const image = noise(N * 20, 1);
          const audio = noise(N * T * 2, 2);
          const ids = words.slice();
          const hidden = (n: number, m: string) => {
            const at = net.modalities.indexOf(m as "image");
            return at >= 0 && present[n * M + at] === 0;
          };
          for (let n = 0; n < N; n++) {
            if (hidden(n, "image")) image.set(noise(20, 3 + k), n * 20);
            if (hidden(n, "text")) ids.fill(k, n * L, (n + 1) * L);
            if (hidden(n, "audio")) audio.set(noise(T * 2, 5 + k), n * T * 2);
            audio.set(noise((T - frames[n]!) * 2, 7 + k), (n * T + frames[n]!) * 2);
          }
          return { image, audio, words: ids, frames, present };
        };
        const [one, other] = [await logitsOf(net, batch(1)), await logitsOf(net, batch(2))];
        expect(await other.data()).toEqual(await one.data());
        const whole = batch(1);
        const last = await logitsOf(net, {
          image: whole.image.slice(2 * 20),
          words: whole.words.slice(2 * L),
          audio: whole.audio.slice(2 * T * 2),
          frames: whole.frames.slice(2),
          present: whole.present.slice(2 * M),
        });
        expectClose("an example alone", await last.data(), ((await one.data()) as Float32Array).slice(2 * 3), 1e-5);
        for (const t of [one, other, last, ...Object.values(net.parameters())]) t.dispose();
      }),
      { numRuns: 15, seed: 20251124 },
    );
  });

  test("what no example has costs nothing, need not be there, and is not learned", async () => {
    const { config } = models.find(({ config }) => config.fusion?.late?.includes("text"))!;
    const net = new MultimodalNet(engine, { ...config, seed: 3 });
    const words = Int32Array.of(1, 2, 0, 0, 3, 0);
    const alone = { words, present: Float32Array.of(0, 1, 0, 0, 1, 0) };
    const zeros = { image: new Float32Array(2 * 2 * 9 * 8), audio: new Float32Array(2 * 7 * 3), frames: [7, 7] };
    const given = { ...zeros, words, present: engine.tensor(alone.present, [2, 3]) };
    const values = async (batch: Parameters<MultimodalNet["forward"]>[0]) => {
      const logits = await logitsOf(net, batch);
      return [[...(await logits.data())], engine.stats().step.dispatches] as const;
    };
    const [cheap, dispatches] = await values(alone);
    const [whole, all] = await values(given);
    expect(cheap).toEqual(whole);
    expect(dispatches).toBeLessThan(all / 2);
    const learned = await engine.step(() => {
      const gradients = net.loss(net.forward(alone), [0, 1]).backward();
      return Object.entries(net.parameters()).flatMap(([name, p]) => (gradients.has(p) ? [name] : []));
    });
    expect(learned.map((name) => name.split(".").slice(0, 2).join("."))).toEqual([
      "text.embedding",
      ...Array(4).fill("late.text"),
    ]);
    const { words: _, ...missing } = alone;
    await expect(logitsOf(net, { ...missing, size: 2 })).rejects.toThrow(/the batch has no words/);
  });

  test("frames of a stacked recurrence are whole and within the sound", async () => {
    const net = new MultimodalNet(engine, { audio: { features: 1, stack: 4, hidden: 2 }, head: { outputs: 2 } });
    const audio = new Float32Array(6);
    for (const frames of [[7], [1.5], [-1]])
      await expect(logitsOf(net, { audio, frames, size: 1 })).rejects.toThrow(
        /frames\[0\] is .*, expected a whole number from 0 to 6/,
      );
    const [host, device] = [[5], engine.tensor([5], [1], "i32")];
    const said = await Promise.all(
      [host, device].map(async (frames) => (await logitsOf(net, { audio, frames, size: 1 })).data()),
    );
    expect(said[0]).toEqual(said[1]);
  });

  test("dropping modalities in training changes no more than hiding them does", async () => {
    const net = modelOf(engine, { ...models[0]!, config: { ...models[0]!.config, modalityDropout: 0.9 } });
    const { present: _, ...batch } = batchOf(models[0]!);
    const logits = (await (await engine.step(() => net.forward(batch, { training: true }))).data()) as Float32Array;
    // Each example must be one of the seven that hiding some modalities gives.
    const hidden = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7].map(async (bits) => {
        const present = Float32Array.from({ length: 15 }, (_, i) => (bits >> (i % 3)) & 1);
        return (await (await logitsOf(net, { ...batch, present })).data()) as Float32Array;
      }),
    );
    const subsets = Array.from({ length: 5 }, (_, n) =>
      hidden.findIndex((rows) => [0, 1, 2, 3].every((a) => Math.abs(rows[4 * n + a]! - logits[4 * n + a]!) < 1e-6)),
    );
    expect(subsets.every((s) => s >= 0)).toBe(true);
    expect(subsets.some((s) => s < 6)).toBe(true);
  });
});

describe("a model in a file", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "handgrad-models-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(models.map((model) => [nameOf(model.config), model] as const))("is built again: %s", async (_, model) => {
    const net = modelOf(engine, model);
    const path = join(folder, "model.safetensors");
    await saveModel(net, path, { note: "kept" });
    const again = await loadModel(engine, path);
    expect(again.config).toEqual(net.config);
    expect((await weightsOf(again)).tensors).toEqual((await weightsOf(net)).tensors);
    const [a, b] = [await logitsOf(net, batchOf(model)), await logitsOf(again, batchOf(model))];
    expect(await b.data()).toEqual(await a.data());
  });

  test("that is damaged is refused by name", async () => {
    const net = modelOf(engine, models[0]!);
    const good = await weightsOf(net, configMetadata(net));
    const config = JSON.parse(good.metadata.config!) as MultimodalConfig;
    const withConfig = (config: unknown) => ({
      ...good,
      metadata: { config: typeof config === "string" ? config : JSON.stringify(config) },
    });
    const wrong: [Parameters<typeof modelFrom>[1], RegExp][] = [
      [{ ...good, metadata: {} }, /m: its metadata hold no "config"/],
      [withConfig("{"), /m: its configuration is not JSON/],
      [withConfig("[]"), /m: its configuration is not an object/],
      [withConfig({ ...config, fusion: { kind: "sum" } }), /m: its configuration cannot be: .*fusion\.kind is "sum"/],
      [
        withConfig({ ...config, text: { ...config.text, vocabSize: 1e12 } }),
        /tensor "text\.embedding\.weight" is \[11, 5\].*\[1000000000000, 5\]/,
      ],
      [
        withConfig({ ...config, audio: { ...config.audio, cell: "lstm" } }),
        /there is no tensor "audio\.lstm\.weight_ih_l0"/,
      ],
      [withConfig({ ...config, fusion: { kind: "concat", dim: 6 } }), /"head\.hidden\.weight" is \[7, 6\]/],
      [
        { ...good, tensors: new Map([...good.tensors, ["x", { shape: [1], data: new Float32Array(1) }]]) },
        /tensor "x" is not/,
      ],
    ];
    for (const [weights, message] of wrong) {
      expect(() => modelFrom(engine, weights, "m")).toThrow(WeightsError);
      expect(() => modelFrom(engine, weights, "m")).toThrow(message);
    }
    expect(encodeSafetensors(good).length).toBeGreaterThan(1000);
  });
});

describe("what cannot be is named", () => {
  const config = {
    image: { shape: [1, 8, 8] },
    text: { vocabSize: 7 },
    audio: { features: 3 },
    head: { outputs: 4 },
  } as const;
  test.each<[object, RegExp]>([
    [{ image: undefined, text: undefined, audio: undefined }, /takes nothing. Give at least one of image, text, audio/],
    [{ image: [1, 8, 8] }, /image: its options are an array, expected an object such as { shape: … }/],
    [{ vocabulary: 7 }, /no option "vocabulary". It takes image, text, audio, fusion, head, modalityDropout/],
    [{ fusion: "sum" }, /fusion: its options are "sum", expected an object such as { kind: … }/],
    [{ fusion: { kind: "sum" } }, /fusion\.kind is "sum", expected one of concat, .*lowRank/],
    [{ fusion: { kind: "lowRank", rank: 0 } }, /fusion\.rank is 0/],
    [{ head: { task: "guess", outputs: 4 } }, /head\.task is "guess"/],
    [{ head: { task: "binary", outputs: 4 } }, /head\.outputs is 4, expected 1, as the task is "binary"/],
    [{ head: {} }, /head\.outputs is undefined/],
    [{ head: undefined }, /head\.outputs is undefined/],
    [{ text: { vocabSize: 7, encoder: "flatten" } }, /text\.length is undefined/],
    [{ text: { vocabSize: 7, encoder: "bag" } }, /text\.encoder is "bag"/],
    [{ audio: { features: 3, cell: "rnn" } }, /audio\.cell is "rnn"/],
    [{ audio: { features: 3, numLayers: 0 } }, /audio\.numLayers is 0/],
    [{ audio: { features: 3, bidirectional: 1 } }, /audio\.bidirectional is 1/],
    [{ image: { shape: [1, 8, 8], pool: [true] } }, /image\.pool is \[true\], expected 2 times/],
    [
      { image: { shape: [1, 8, 8], channels: [1, 1, 1, 1] } },
      /image\.shape is \[1,8,8\], expected larger sides: its strides and poolings leave 0 × 0/,
    ],
    [
      { image: { shape: [1, 8, 8], kernelSize: [3, 4] } },
      /image\.kernelSize is \[3,4\], expected 2 times an odd number/,
    ],
    [{ image: { shape: [1, 8, 8], stride: [2] } }, /image\.stride is \[2\], expected 2 times a whole number/],
    [{ image: { shape: [1, 8, 8], stride: [0, 1] } }, /image\.stride\[0\] is 0/],
    [{ audio: { features: 3, stack: 0 } }, /audio\.stack is 0/],
    [{ fusion: { late: "text" } }, /fusion\.late is "text", expected a list/],
    [{ fusion: { late: ["words"] } }, /fusion\.late\[0\] is "words", expected one of image, text, audio/],
    [{ fusion: { late: ["text", "text"] } }, /fusion\.late is \[text,text\], expected each once/],
    [{ fusion: { late: ["text", "image", "audio"] } }, /at least one of image, text, audio left to be fused/],
    [{ image: { shape: [1, 8, 8], chanels: [1] } }, /image: there is no option "chanels". Did you mean channels/],
    [{ modalityDropout: 1 }, /modalityDropout is 1/],
  ])("%o", (wrong, message) => {
    expect(() => new MultimodalNet(engine, { ...config, ...(wrong as object) })).toThrow(message);
  });

  test("a deeper network than poolings allow, told which to leave out", async () => {
    const net = new MultimodalNet(engine, {
      image: { shape: [1, 4, 4], channels: [2, 2, 2, 2, 2, 2], pool: [true, false, false, true, false, false] },
      head: { outputs: 2, hidden: 3 },
    });
    expect(net.fusedSize).toBe(2);
    expect((await logitsOf(net, { image: new Float32Array(32) })).shape).toEqual([2, 2]);
  });

  test.each<[object, RegExp]>([
    [{ words: new Int32Array(5) }, /the batch has no image, which this network takes/],
    [{ image: new Float32Array(64), words: new Int32Array(5) }, /the batch has no audio/],
    [{ image: new Float32Array(65), words: new Int32Array(5), audio: new Float32Array(3) }, /batch\.image holds 65/],
    [
      { image: new Float32Array(64), words: new Int32Array(5), audio: new Float32Array(3), present: [1, 1] },
      /batch\.present holds 2/,
    ],
  ])("a batch %o", async (batch, message) => {
    const net = new MultimodalNet(engine, config);
    await expect(engine.step(() => net.forward({ size: 1, ...batch }))).rejects.toThrow(message);
  });

  test.each<[string, RegExp]>([
    ["frame", /the batch has "frame", which no network reads. Did you mean frames\?/],
    ["labels", /Did you mean label\?/],
    ["img", /the batch has "img"/],
    ["text", /the batch has "text".*It may hold image, words, audio, frames, present, size, label/],
  ])("a batch with %s", async (name, message) => {
    const net = new MultimodalNet(engine, { audio: { features: 3 }, head: { outputs: 2 } });
    const batch = { audio: new Float32Array(12), size: 2, label: Int32Array.of(0, 1) };
    await engine.step(() => net.forward(batch));
    await expect(engine.step(() => net.forward({ ...batch, [name]: [1, 2] }))).rejects.toThrow(message);
    await expect(engine.step(() => net.encode({ ...batch, [name]: [1, 2] }))).rejects.toThrow(message);
  });

  test("what is no batch", async () => {
    const net = new MultimodalNet(engine, { audio: { features: 3 }, head: { outputs: 2 } });
    for (const wrong of [undefined, null, 5, [], new Float32Array(3)])
      await expect(engine.step(() => net.forward(wrong as never))).rejects.toThrow(
        /^MultimodalNet.forward: the batch is /,
      );
  });

  test("a batch of words alone needs its size", async () => {
    const net = new MultimodalNet(engine, { text: { vocabSize: 7 }, head: { outputs: 2 } });
    const words = Int32Array.of(1, 2, 3, 4, 5, 0);
    await expect(engine.step(() => net.forward({ words }))).rejects.toThrow(/Give `size`/);
    expect((await logitsOf(net, { words, size: 3 })).shape).toEqual([3, 2]);
    const tensor = engine.tensor(words, [2, 3]);
    expect((await logitsOf(net, { words: tensor })).shape).toEqual([2, 2]);
    await expect(engine.step(() => net.forward({ words: engine.tensor([1, 2]) }))).rejects.toThrow(
      /batch\.words is \[2\], expected \[2, …\]/,
    );
  });
});
