import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, batchNorm2d, reshape, sgd } from "../../src/index.ts";
import {
  accuracy,
  auc,
  decodeSafetensors,
  type EpochRecord,
  encodeSafetensors,
  evaluate,
  type FitOptions,
  f1,
  fit,
  linearLayer,
  meanSquaredError,
  objectives,
  ParameterStore,
  predict,
  type Store,
  trainEpoch,
  weightsOf,
} from "../../src/model/index.ts";
import { folderStore } from "../../src/node.ts";
import { runChild } from "../node/child.ts";
import { useEngine } from "../use-engine.ts";
import { collate, type Point, type Points, pointNet, points, run, settings } from "./small.ts";

const engine = await useEngine({ seed: 5, software: true });

const weights = async (net: Parameters<typeof weightsOf>[0]) => (await weightsOf(net)).tensors;
const memory = (files = new Map<string, Uint8Array>()): Store & { files: typeof files } => ({
  files,
  read: async (name) => files.get(name),
  write: async (name, content) => void files.set(name, content.slice()),
});
/** A run from the beginning of the engine's seeds. */
const fresh = (options: Partial<FitOptions<Points, Point>> = {}) => {
  engine.stepCount = 0;
  return run(engine, options);
};

describe("fit", () => {
  test("learns, and tells of every epoch", async () => {
    engine.stepCount = 0;
    const net = pointNet(engine, { p: 0 });
    const [lines, seen, steps]: [string[], EpochRecord[], number[]] = [[], [], []];
    const { history, best, ended } = await fit<Points, Point>(net, points(300, 1), {
      ...settings,
      optimizer: adam(net.parameters(), { lr: 0.05 }),
      epochs: 12,
      validation: points(200, 2),
      metrics: { accuracy, auc, f1: f1() },
      monitor: "accuracy",
      progress: (line) => lines.push(line),
      callbacks: [{ epoch: (record) => void seen.push(record), step: ({ number }) => steps.push(number) }],
    });
    expect(ended).toBe("epochs");
    expect(history).toHaveLength(12);
    expect(seen).toEqual(history);
    expect(history.map(({ steps }) => steps)).toEqual(history.map((_, i) => (i + 1) * 19));
    expect(steps).toEqual(Array.from({ length: 12 * 19 }, (_, i) => i + 1));
    expect(history.at(-1)!.loss).toBeLessThan(0.5 * history[0]!.loss);
    const figures = history.map(({ validation }) => validation!.metrics.accuracy!);
    expect(Math.max(...figures)).toBeGreaterThan(0.9);
    expect(best).toEqual({ epoch: figures.indexOf(Math.max(...figures)) + 1, value: Math.max(...figures) });
    // On a slow machine there are lines within epochs as well.
    const epochLines = lines.filter((line) => line.includes("validation"));
    expect(epochLines).toHaveLength(12);
    expect(epochLines[0]).toMatch(
      /^epoch 1\/12: 19 steps, loss [\d.]+; validation: loss [\d.]+, accuracy [\d.]+, auc [\d.]+, f1 [\d.]+ \(best so far\), \d+ ms a step$/,
    );

    // The figures are those of the predictions, and the loss that of the probabilities.
    const found = await evaluate<Points, Point>(net, points(200, 2), { ...settings, metrics: { accuracy } });
    const { values } = await predict<Points, Point>(net, points(200, 2), settings);
    expect(values).toEqual(found.predictions.values);
    const labels = points(200, 2).map(({ label }) => label);
    expect([...(found.predictions.targets as number[])]).toEqual(labels);
    const right = labels.filter((label, n) => (values[2 * n + 1]! > values[2 * n]! ? 1 : 0) === label).length;
    expect(found.metrics.accuracy).toBe(right / 200);
    expect(found.metrics.accuracy).toBe(figures.at(-1));
    const loss = labels.reduce((sum, label, n) => sum - Math.log(values[2 * n + label]!) / 200, 0);
    expect(found.loss).toBeCloseTo(loss, 5);
  });

  test("binary labels by a sigmoid, and numbers by squared error", async () => {
    const set = points(200, 3);
    const binary = pointNet(engine, { K: 1, p: 0 });
    const optimizer = adam(binary.parameters(), { lr: 0.05 });
    const labels = { ...settings, objective: objectives.multilabel };
    await fit<Points, Point>(binary, set, { ...labels, optimizer, epochs: 15 });
    const yes = await evaluate<Points, Point>(binary, set, { ...labels, metrics: { accuracy, auc } });
    expect(yes.metrics.accuracy).toBeGreaterThan(0.9);
    expect(yes.metrics.auc).toBeGreaterThan(0.95);

    const net = pointNet(engine, { K: 1, p: 0 });
    const numbers = (some: readonly Point[]) => ({
      ...collate(some),
      label: Float32Array.from(some, ({ x }) => x[0]! * x[1]!),
    });
    const { history } = await fit<ReturnType<typeof numbers>, Point>(net as never, set, {
      batch: 16,
      collate: numbers,
      objective: objectives.regression,
      optimizer: adam(net.parameters(), { lr: 0.03 }),
      epochs: 15,
      validation: points(100, 4),
      metrics: { mse: meanSquaredError },
      monitor: "mse",
    });
    const last = history.at(-1)!.validation!;
    expect(last.metrics.mse).toBeLessThan(0.02);
    expect(last.metrics.mse).toBeCloseTo(last.loss, 6);
  });

  test("the mean loss weighs examples alike, also those of a smaller last batch", async () => {
    const net = pointNet(engine);
    const set = points(20, 1);
    const options = { ...settings, optimizer: sgd(net.parameters(), { lr: 0 }), epochs: 1, seed: null };
    const dry = pointNet(engine, { p: 0 });
    const { history } = await fit<Points, Point>(dry, set, { ...options, optimizer: sgd(dry.parameters(), { lr: 0 }) });
    expect(history[0]!.loss).toBeCloseTo((await evaluate<Points, Point>(dry, set, { ...settings, batch: 7 })).loss, 5);
  });

  test("the schedule gives every step its rate, and the device is never waited for between steps", async () => {
    const rates: number[] = [];
    const net = pointNet(engine);
    const optimizer = sgd(net.parameters(), { lr: 1 });
    await fit<Points, Point>(net, points(40, 1), {
      ...settings,
      optimizer,
      epochs: 2,
      schedule: (step) => {
        rates.push(step);
        return 0.01 / (1 + step);
      },
    });
    expect(rates).toEqual([0, 1, 2, 3, 4, 5]);
    expect(optimizer.lr).toBe(0.01 / 6);
    // A loss is read when the next step has been submitted.
    const order: string[] = [];
    const batches = function* () {
      for (let i = 0; i < 4; i++) {
        order.push(`batch ${i}`);
        yield collate(points(16, i));
      }
    };
    await trainEpoch(net, optimizer, batches(), {
      objective: objectives.multiclass,
      onStep: () => order.push("loss"),
    });
    expect(order.join()).toBe("batch 0,batch 1,loss,batch 2,loss,batch 3,loss,loss");
  });

  test("early stopping ends after `patience` epochs without a better figure, and puts the best weights back", async () => {
    const store = memory();
    // Too high a rate after the third epoch: the figures get worse.
    const { net, fitted } = fresh({
      epochs: 50,
      schedule: (step) => (step < 21 ? 0.02 : 3),
      earlyStopping: { patience: 3 },
      checkpoint: store,
    });
    const { history, best, ended } = await fitted;
    expect(ended).toBe("early");
    expect(history.length).toBe(best!.epoch + 3);
    const losses = history.map(({ validation }) => validation!.loss);
    expect(best!.value).toBe(Math.min(...losses));
    expect(losses.indexOf(best!.value) + 1).toBe(best!.epoch);
    expect((await evaluate<Points, Point>(net, points(60, 2), settings)).loss).toBe(best!.value);
    const file = decodeSafetensors(store.files.get("best.safetensors")!);
    expect(file.tensors).toEqual(await weights(net));
    expect(file.metadata).toEqual({ epoch: String(best!.epoch), loss: String(best!.value) });
  });

  test("minDelta: a gain that is too small does not count", async () => {
    const { history } = await fresh({ epochs: 9, earlyStopping: { patience: 2, minDelta: 100 } }).fitted;
    expect(history).toHaveLength(3);
  });

  test("a callback ends it", async () => {
    const { history, ended } = await fresh({ callbacks: [{ epoch: ({ epoch }) => epoch === 2 }] }).fitted;
    expect([history.length, ended]).toEqual([2, "callback"]);
  });

  test("a loss that is no number is an error, and the checkpoint is from before it", async () => {
    const store = memory();
    const schedule = (step: number) => (step < 10 ? 0.02 : 3e38);
    await expect(fresh({ checkpoint: store, checkpointEvery: 1, schedule }).fitted).rejects.toThrow(
      /checkpoint: tensor "hidden.weight" holds (NaN|-?Infinity) at \d+, expected finite numbers/,
    );
    await expect(fresh({ schedule }).fitted).rejects.toThrow(/the loss is (NaN|Infinity)/);
    await expect(fresh({ schedule: () => Number.NaN }).fitted).rejects.toThrow(
      "training: what the schedule gives is NaN",
    );
    const last = decodeSafetensors(store.files.get("last.safetensors")!);
    expect([...last.tensors.get("hidden.weight")!.data].every(Number.isFinite)).toBe(true);
    expect(JSON.parse(last.metadata.progress!).steps).toBe(10);
  });

  test("wrong use is named", async () => {
    const net = pointNet(engine);
    const optimizer = adam(net.parameters(), { lr: 0.01 });
    const set = points(20, 1);
    const wrong = (options: object, data: unknown = set) =>
      fit<Points, Point>(net, data as Point[], { ...settings, optimizer, epochs: 1, ...options });
    await expect(wrong({ epochs: -1 })).rejects.toThrow("fit: epochs is -1");
    await expect(wrong({ monitor: "auc" })).rejects.toThrow('fit: monitor is "auc", expected one of loss.');
    await expect(wrong({ earlyStopping: { patience: 0 } })).rejects.toThrow("patience is 0");
    await expect(wrong({ batchSize: 4 })).rejects.toThrow('fit: there is no option "batchSize". Did you mean batch?');
    await expect(wrong({ batch: 0 })).rejects.toThrow("fit: batch is 0");
    await expect(wrong({ seed: 0.5 })).rejects.toThrow("fit: seed is 0.5");
    await expect(wrong({ earlyStopping: { patients: 3 } })).rejects.toThrow("Did you mean patience?");
    await expect(wrong({ optimizer: {} })).rejects.toThrow("fit: optimizer is an object");
    await expect(wrong({ checkpointEvery: 0 })).rejects.toThrow("checkpointEvery is 0");
    await expect(wrong({ resume: true })).rejects.toThrow("resume needs checkpoint");
    await expect(wrong({ objective: undefined })).rejects.toThrow("does not say what its outputs mean");
    await expect(wrong({}, [])).rejects.toThrow("epoch 1 has no batches");
    const once = [collate(set)][Symbol.iterator]();
    await expect(wrong({ epochs: 2 }, () => once)).rejects.toThrow("epoch 2 has no batches");
    await expect(wrong({}, () => [{ x: new Float32Array(2) }])).rejects.toThrow("the batch has no label");
    await expect(evaluate<Points, Point>(net, [], settings)).rejects.toThrow("evaluate: the data gave no batch");
    const reads = { length: 20, at: (i: number) => (i === 13 ? Promise.reject(new Error("unreadable")) : set[i]!) };
    await expect(wrong({}, reads)).rejects.toThrow("unreadable");
    const holed = set.with(3, { ...set[3]!, x: [0, Number.NaN] as never });
    await expect(wrong({}, holed)).rejects.toThrow(/the loss is NaN. The batch's x holds NaN at \d+: mend the data/);
  });
});

describe("running averages", () => {
  const set = points(32, 1);
  const normed = (listed: boolean) => {
    const store = new ParameterStore(engine, 1);
    const output = linearLayer(store, "output", { inputs: 2, outputs: 2 });
    const running = {
      mean: engine.parameter(new Float32Array(2)),
      variance: engine.parameter(new Float32Array(2).fill(1)),
    };
    return {
      engine,
      parameters: () => store.parameters(),
      ...(listed && { buffers: () => ({ "norm.mean": running.mean, "norm.variance": running.variance }) }),
      forward({ x }: Points, { training = false } = {}) {
        const images = engine.tensor(x, [x.length / 2, 2, 1, 1]);
        const options = { training, running };
        return output(reshape(batchNorm2d(images, undefined, undefined, options), [x.length / 2, 2]));
      },
    };
  };
  const train = async (listed: boolean, checkpoint: Store, resume: boolean) => {
    const net = normed(listed);
    const optimizer = adam(net.parameters(), { lr: 0.05 });
    await fit<Points, Point>(net, set, { ...settings, optimizer, epochs: 2, checkpoint, resume });
    return (await evaluate<Points, Point>(net, set, settings)).loss;
  };

  test("buffers() are kept by checkpoints and put back", async () => {
    const checkpoint = memory();
    const before = await train(true, checkpoint, false);
    expect(await train(true, checkpoint, true)).toBe(before);
    expect(decodeSafetensors(checkpoint.files.get("best.safetensors")!).tensors.has("norm.mean")).toBe(true);
  });

  test("those that nobody lists are an error where they would be lost", async () => {
    await expect(train(false, memory(), false)).rejects.toThrow(/fit: the model changes running averages of 2 numbers/);
  });
});

test("a checkpoint without what it needs is refused, and changes nothing", async () => {
  const checkpoint = memory();
  await fresh({ epochs: 1, checkpoint }).fitted;
  const file = decodeSafetensors(checkpoint.files.get("last.safetensors")!);
  const progress = JSON.parse(file.metadata.progress!);
  for (const [name, wrong] of [
    ["lr", undefined],
    ["steps", undefined],
    ["sum", null],
    ["engineSteps", 1.5],
    ["history", {}],
    ["best", undefined],
  ] as const) {
    const metadata = { ...file.metadata, progress: JSON.stringify({ ...progress, [name]: wrong }) };
    checkpoint.files.set("last.safetensors", encodeSafetensors({ ...file, metadata }));
    const { net, optimizer, fitted } = fresh({ checkpoint, resume: true });
    const before = pointNet(engine);
    await expect(fitted).rejects.toThrow(new RegExp(`last.safetensors: .*${name}`));
    expect(await weights(net)).toEqual(await weights(before));
    expect((await optimizer.state()).steps).toBe(0);
  }
  const metadata = { ...file.metadata, optimizerSteps: "" };
  checkpoint.files.set("last.safetensors", encodeSafetensors({ ...file, metadata }));
  await expect(fresh({ checkpoint, resume: true }).fitted).rejects.toThrow("steps is NaN");
});

describe("a run that was stopped goes on to the same bits", () => {
  let whole: { weights: Awaited<ReturnType<typeof weights>>; state: unknown; fitted: unknown };
  beforeAll(async () => {
    const { net, optimizer, fitted } = fresh();
    const found = await fitted;
    whole = { weights: await weights(net), state: await optimizer.state(), fitted: found };
  });
  const expectSame = async ({ net, optimizer, fitted }: ReturnType<typeof run>) => {
    expect(await fitted).toEqual(whole.fitted);
    expect(await weights(net)).toEqual(whole.weights);
    expect(await optimizer.state()).toEqual(whole.state);
  };

  test("checkpoints change nothing", () => expectSame(fresh({ checkpoint: memory(), checkpointEvery: 2 })));

  // 7 steps an epoch, checkpoints after every 3: within an epoch, at its end, in the first and the last.
  test.each([1, 3, 4, 7, 8, 20, 34, 41])("thrown out of step %i", async (stopAt) => {
    const checkpoint = memory();
    const callbacks = [
      {
        step: ({ number }: { number: number }) => {
          if (number === stopAt) throw new Error("stop");
        },
      },
    ];
    await expect(fresh({ checkpoint, checkpointEvery: 3, callbacks }).fitted).rejects.toThrow("stop");
    // Another engine would begin with other seeds: whatever came before, the checkpoint's count.
    engine.stepCount = 12345;
    const begun = stopAt > 3;
    if (!begun) engine.stepCount = 0;
    await expectSame(run(engine, { checkpoint, checkpointEvery: 3, resume: true }));
  });

  test("by a signal, twice", async () => {
    const checkpoint = memory();
    for (const stopAt of [5, 24]) {
      const stop = new AbortController();
      const callbacks = [{ step: ({ number }: { number: number }) => void (number === stopAt && stop.abort()) }];
      const options = { checkpoint, signal: stop.signal, callbacks, resume: true };
      const { ended, history } = await (stopAt === 5 ? fresh(options) : run(engine, options)).fitted;
      expect(ended).toBe("signal");
      expect(history).toHaveLength(Math.floor(stopAt / 7));
    }
    await expectSame(run(engine, { checkpoint, resume: true }));
    // A run that has ended is not trained further.
    await expectSame(run(engine, { checkpoint, resume: true }));
  });

  test("with early stopping that had begun to count", async () => {
    const worse = { epochs: 50, schedule: (step: number) => (step < 21 ? 0.02 : 3), earlyStopping: { patience: 3 } };
    const straight = fresh(worse);
    const expected = [await straight.fitted, await weights(straight.net)];
    const checkpoint = memory();
    const stop = new AbortController();
    const callbacks = [{ step: ({ number }: { number: number }) => void (number === 30 && stop.abort()) }];
    await fresh({ ...worse, checkpoint, signal: stop.signal, callbacks }).fitted;
    const resumed = run(engine, { ...worse, checkpoint, resume: true });
    expect([await resumed.fitted, await weights(resumed.net)]).toEqual(expected);
  });

  test("a process that was killed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "handgrad-fit-"));
    try {
      const child = (stopAt: number) =>
        runChild(
          `import { createEngine, folderStore } from "./src/node.ts";
           import { run } from "./test/model/small.ts";
           const engine = await createEngine({ seed: 5, software: true });
           const callbacks = [{ step: ({ number }) => { if (number === ${stopAt}) process.kill(process.pid, "SIGKILL"); } }];
           await run(engine, { checkpoint: folderStore(${JSON.stringify(folder)}), checkpointEvery: 3, resume: true, callbacks }).fitted;`,
          { seconds: 130 },
        );
      for (const stopAt of [12, 33]) expect((await child(stopAt)).code).toBe(null);
      expect(
        readdirSync(folder)
          .filter((name) => !name.endsWith(".part"))
          .sort(),
      ).toEqual(["best.safetensors", "last.safetensors"]);
      await expectSame(run(engine, { checkpoint: folderStore(folder), resume: true }));
      await expect(run(engine, { checkpoint: folderStore(folder) }).fitted).rejects.toThrow(
        /there is a checkpoint already.*resume: true/,
      );
      // Damaged, or of another network: an error that names the file.
      const file = join(folder, "last.safetensors");
      writeFileSync(file, readFileSync(file).subarray(0, 500));
      await expect(run(engine, { checkpoint: folderStore(folder), resume: true }).fitted).rejects.toThrow(
        "last.safetensors",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("data larger than memory: examples are made when their turn comes, a few batches ahead", async () => {
  const net = pointNet(engine);
  let [made, used, most] = [0, 0, 0];
  // 512 examples of a mebibyte: half a gibibyte an epoch.
  const set = {
    length: 512,
    at: async (i: number) => {
      made += 1;
      most = Math.max(most, made - used);
      await null;
      return { ...points(1, i)[0]!, bulk: new Uint8Array(1 << 20).fill(i) };
    },
  };
  const { history } = await fit<Points, Point>(net, set, {
    ...settings,
    optimizer: adam(net.parameters(), { lr: 0.01 }),
    epochs: 2,
    ahead: 2,
    callbacks: [
      {
        step: ({ examples }) => {
          used += examples;
        },
      },
    ],
  });
  expect([made, used]).toEqual([1024, 1024]);
  // Two batches wait, one is being made, one is computed, and the loss of one has not arrived.
  expect(most).toBeLessThanOrEqual(5 * 16);
  expect(history[1]!.loss).toBeLessThan(history[0]!.loss);
});

test("a stream that goes on in the middle of an epoch reads nothing twice", async () => {
  const read: number[] = [];
  const set = {
    length: 100,
    at: (i: number) => {
      read.push(i);
      return points(100, 1)[i]!;
    },
  };
  const checkpoint = memory();
  const stop = new AbortController();
  const first = run(engine, {
    checkpoint,
    signal: stop.signal,
    callbacks: [{ step: ({ number }) => void (number === 3 && stop.abort()) }],
  });
  await first.fitted;
  const net = pointNet(engine);
  const optimizer = adam(net.parameters(), { lr: 0.02 });
  await fit<Points, Point>(net, set, { ...settings, optimizer, epochs: 1, checkpoint, resume: true });
  const progress = JSON.parse(decodeSafetensors(checkpoint.files.get("last.safetensors")!).metadata.progress!);
  expect(progress.steps).toBe(7);
  // Of 7 batches at least the 3 whose losses were seen are left out.
  expect(read.length).toBeLessThanOrEqual(100 - 3 * 16);
  expect(new Set(read).size).toBe(read.length);
});
