import { afterEach, beforeEach, expect, test } from "vitest";
import {
  adam,
  add,
  allocate,
  argmax,
  customOp,
  dropout,
  type Engine,
  embedding,
  exp,
  type Gradients,
  kernel,
  mul,
  noGrad,
  reshape,
  sgd,
  sum,
  wgsl,
} from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";

/* What goes wrong on a device, or would have to be kept, is said or counted; nothing passes in silence. */

let engine: Engine;
beforeEach(async () => {
  engine = await createEngine({ seed: 1 });
});
afterEach(() => engine.destroy());

test("a parameter survives its view, and a result its twin", async () => {
  const p = engine.parameter(new Float32Array(2000).fill(3));
  const view = await engine.step(() => reshape(p, [1000, 2]));
  view.dispose();
  view.dispose();
  expect((await p.data())[0]).toBe(3);
  const [y, twin] = await engine.step(() => {
    const y = mul(p, 2);
    return [y, reshape(y, [1000, 2])] as const;
  });
  y.dispose();
  expect((await twin.data())[0]).toBe(6);
  await expect(y.data()).rejects.toThrow(/disposed/);
});

test("a parameter survives dropout that drops nothing", async () => {
  const p = engine.parameter([1, 2]);
  const y = await engine.step(() => dropout(p, { p: 0 }));
  y.dispose();
  expect([...(await p.data())]).toEqual([1, 2]);
});

test("ids that came back from the GPU are checked as whole numbers", async () => {
  const w = engine.tensor([1, 2, 3, 4], [2, 2]);
  const best = await engine.step(() => argmax(engine.tensor([0, 1, 0, 0, 0, 1], [2, 3]), { axis: 1 }));
  expect([...(await best.data())]).toEqual([1, 2]);
  await expect(engine.step(() => embedding(best, w))).rejects.toThrow(/^embedding: ids\[1\] is 2, expected 0 … 1/);
});

test("gradients and results of an earlier step are refused wherever they are used", async () => {
  const p = engine.parameter([1, 2]);
  // Kept by hand: a step refuses gradients as its result.
  const gradients = await new Promise<Gradients>((resolve) => {
    void engine.step(() => resolve(sum(mul(p, p)).backward()));
  });
  await expect(engine.step(() => gradients.get(p))).rejects.toThrow(/earlier step/);
  await expect(engine.step(() => gradients.has(p))).rejects.toThrow(/earlier step/);
  const optimizer = sgd([p], { lr: 1 });
  await expect(engine.step(() => optimizer.update(gradients))).rejects.toThrow(/earlier step/);
  expect([...(await p.data())]).toEqual([1, 2]);
});

test("one gradient for two parameters moves both", async () => {
  const [a, b] = [engine.parameter([1, 2]), engine.parameter([3, 4])];
  const optimizer = adam([a, b], { lr: 0.5 });
  await engine.step(() => optimizer.update(sum(add(a, b)).backward()));
  expect((await a.data())[0]).toBeCloseTo(0.5, 4);
  expect((await b.data())[1]).toBeCloseTo(3.5, 4);
});

test("a read sees the step that was asked for before it, awaited or not", async () => {
  const p = engine.parameter([1]);
  const optimizer = sgd([p], { lr: 1 });
  const step = engine.step(() => optimizer.update(sum(p).backward()));
  expect((await p.data())[0]).toBe(0);
  await step;
});

test("async functions are refused before anything of them runs", async () => {
  let ran = false;
  const late = async () => {
    ran = true;
  };
  await expect(engine.step(late)).rejects.toThrow(/step: .*synchronously/);
  await expect(engine.tune(late)).rejects.toThrow(/tune: .*synchronously/);
  expect(() => noGrad(late)).toThrow(/noGrad: .*synchronously/);
  expect(ran).toBe(false);
});

test("a promise within a step's result is refused, and nothing that it becomes is left unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const late = async () => {
    await null;
    return sum(engine.tensor([1]));
  };
  await expect(engine.step(() => ({ loss: late(), deeper: [late(), 1] }))).rejects.toThrow(/step: .*synchronously/);
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test("cyclic and deep results pass", async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  await engine.step(() => cyclic);
  let deep: unknown = [];
  for (let i = 0; i < 20_000; i++) deep = [deep];
  await engine.step(() => deep);
});

test("what is no number is refused by engine.tensor, and nothing is converted", () => {
  for (const data of [[[1, 2]], [1, undefined], [1, "2"], [null], "12", { length: 1 }])
    expect(() => engine.tensor(data as never)).toThrow(/engine\.tensor/);
  expect(() => engine.tensor([1.5], [1], "i32")).toThrow(/whole number|1\.5/);
  expect(() => engine.tensor([1], 1 as never)).toThrow(/shape/);
  expect(() => engine.tensor([1], [1], null as never)).toThrow(/dtype is null/);
});

test("what is kept for reuse is of the order of the largest step", async () => {
  for (let n = 1; n <= 12; n++) {
    const x = engine.tensor(new Float32Array(65536 * n));
    const y = await engine.step(() => exp(mul(x, 0.5)));
    y.dispose();
    x.dispose();
  }
  expect(engine.stats().bytes).toBeLessThan((32 << 20) + 8 * 12 * 65536 * 4);
});

test("a lost device ends every wait with its reason", async () => {
  const p = engine.parameter(new Float32Array(1000));
  const reading = p.data();
  const synchronizing = engine.synchronize();
  engine.gpu.device.destroy();
  await expect(synchronizing).rejects.toThrow(/device was lost/);
  expect(await engine.lost).toMatchObject({ message: expect.stringMatching(/device was lost.*new engine/) });
  await expect(reading).rejects.toThrow(/device was lost.*new engine/);
  await expect(p.data()).rejects.toThrow(/device was lost.*new engine/);
  await expect(engine.step(() => sum(p))).rejects.toThrow(/device was lost/);
  expect(engine.tuning.export().variants).toEqual({});
});

test("engine.lost settles with the reason, engine.stepCount takes whole numbers alone, engine.features are the device's", async () => {
  const own = await createEngine({ seed: 1 });
  const before = own.stepCount;
  await own.step(() => exp(own.tensor([1])));
  expect(own.stepCount).toBe(before + 1);
  for (const wrong of [-1, 1.5, Number.NaN, "1"])
    expect(() => {
      own.stepCount = wrong as number;
    }).toThrow(/engine: stepCount is .*, expected a whole number of at least 0/);
  expect([...own.features]).toEqual([...own.gpu.device.features]);
  await own.synchronize();
  own.destroy();
  expect(await own.lost).toEqual({ reason: "destroyed", message: "this engine was destroyed; create another one." });
  await expect(own.synchronize()).rejects.toThrow(/engine.synchronize: this engine was destroyed/);
});

test("a shader that does not compile is an error of its step alone", async () => {
  const broken = kernel("broken", () => wgsl`no shader`);
  const op = customOp("broken", (recording, [x]) => {
    const y = allocate(recording, [1]);
    recording.dispatch({ kernel: broken({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] });
    return { outputs: [y] };
  });
  const own = await createEngine({ seed: 1 });
  await expect(own.step(() => op([own.tensor([1])], {}))).rejects.toThrow(/broken: its shader did not compile/);
  expect(await (await own.step(() => exp(own.tensor([0])))).item()).toBe(1);
  own.destroy();
});
