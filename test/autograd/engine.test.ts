import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adam, type Engine, linear, matmul, noGrad, relu, sum } from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { runCase } from "../harness.ts";
import { trainer } from "./trainer.ts";

/* The promises of a step: one submit, nothing created after the second, few uploads, memory flat. */

let engine: Engine;
beforeEach(async () => {
  engine = await createEngine({ seed: 1 });
});
afterEach(() => engine.destroy());

describe("a training step of the reference network", () => {
  // Compiling it takes most of the time, so that is done once.
  let shared: Engine;
  beforeAll(async () => {
    shared = await createEngine({ seed: 1 });
  });
  afterAll(() => shared.destroy());

  test("at most 30 pipelines", async () => {
    await trainer(shared, 8)(0);
    expect(shared.stats().total.pipelines).toBeLessThanOrEqual(30);
  });

  test("from the third on: one submit, nothing created, one upload; at most 48 dispatches whatever the length", async () => {
    const dispatches: number[] = [];
    for (const T of [8, 64]) {
      const step = trainer(shared, T);
      for (let t = 0; t < 5; t++) {
        const loss = await step(t);
        expect(await loss.item()).toBeGreaterThan(0);
        const last = shared.stats().step;
        if (t < 2) continue;
        expect(last).toMatchObject({ submits: 1, buffers: 0, bindGroups: 0, pipelines: 0 });
        expect(last.uploads).toBeLessThanOrEqual(2);
        dispatches.push(last.dispatches);
      }
    }
    expect(new Set(dispatches).size).toBe(1);
    expect(dispatches[0]).toBeLessThanOrEqual(48);
  });

  test("another size of batch compiles nothing", async () => {
    const step = trainer(shared, 8);
    await step(0);
    const { pipelines } = shared.stats().total;
    for (const N of [31, 20, 8, 3, 64]) {
      await step(1, N);
      expect(shared.stats().total.pipelines, `a batch of ${N}`).toBe(pipelines);
    }
  });
});

test("what an engine does not have is not taken for a setting", () => {
  expect(() => Object.assign(engine, { seed: 5 })).toThrow(/seed/);
});

test("the same seed gives the same bits, another one others", async () => {
  const run = async (seed: number) => {
    engine.destroy();
    engine = await createEngine({ seed });
    const step = trainer(engine, 8, 4);
    const losses: number[] = [];
    for (let t = 0; t < 4; t++) losses.push(await (await step(t)).item());
    return losses;
  };
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
});

describe("numbers that change from step to step are data", () => {
  test("learning rate and Adam's step count reach a replayed plan", async () => {
    const w = engine.parameter([1], [1]);
    const optimizer = adam([w], { lr: 0.1 });
    const moves: number[] = [];
    let last = 1;
    for (let t = 0; t < 6; t++) {
      if (t === 4) optimizer.lr = 0.01;
      await engine.step(() => optimizer.update(sum(w).backward()));
      const now = (await w.data())[0]!;
      moves.push(last - now);
      last = now;
    }
    // With a constant gradient Adam moves by the learning rate in every step, if its step count is right.
    for (const [t, move] of moves.entries()) expect(move).toBeCloseTo(t < 4 ? 0.1 : 0.01, 4);
  });

  test("dropout draws anew in each step", async () => {
    const { dropout } = await import("../../src/index.ts");
    const x = engine.tensor(new Float32Array(256).fill(1), [256]);
    const draw = async () => [...(await (await engine.step(() => dropout(x, { p: 0.5 }))).data())].join("");
    const [a, b, c] = [await draw(), await draw(), await draw()];
    expect(new Set([a, b, c]).size).toBe(3);
  });
});

describe("what outlives a step, and wrong use", () => {
  test("results are tensors alone, in arrays and in objects; other values pass", async () => {
    const x = engine.tensor([1, -2, 3], [3]);
    const { a, list, n } = await engine.step(() => ({ a: relu(x), list: [sum(x)], n: 7 }));
    expect([...(await a.data())]).toEqual([1, 0, 3]);
    expect(await list[0]!.item()).toBe(2);
    expect(n).toBe(7);
  });

  test("results in a Map, a Set or an object of a class are refused", async () => {
    const x = engine.parameter([1, -2, 3], [3]);
    class Result {
      readonly inner: object;
      constructor(y: object) {
        this.inner = { y };
      }
    }
    const wrong: [() => unknown, RegExp][] = [
      [() => new Map([["y", relu(x)]]), /its result holds the tensor \[3\] in a Map.*Object\.fromEntries\(map\)/],
      [() => new Map([[relu(x), "y"]]), /in a Map/],
      [() => [7, { deep: new Set([relu(x)]) }], /in a Set.*\[\.\.\.set\]/],
      [() => new Result(relu(x)), /in a Result/],
      [() => new Map([["y", new Result([relu(x)])]]), /in a Map/],
      [() => sum(x).backward(), /its result holds Gradients.*gradients\.get\(parameter\)/],
    ];
    for (const [fn, message] of wrong) {
      await expect(engine.step(fn)).rejects.toThrow(message);
      await expect(engine.tune(fn)).rejects.toThrow(message);
    }
    // What holds none of the step's own tensors passes, and so does what is kept anyway.
    expect(await engine.step(() => new Map([["x", x]]))).toEqual(new Map([["x", x]]));
    const both = await engine.step(() => {
      const y = relu(x);
      return { seen: new Set([y]), y };
    });
    expect([...(await both.y.data())]).toEqual([1, 0, 3]);
    expect(await engine.step(() => new Date(0))).toEqual(new Date(0));
    expect(await engine.step(() => new Float32Array(2))).toEqual(new Float32Array(2));
  });

  test("gradients answer in their step alone", async () => {
    const [w, other] = [engine.parameter([1]), engine.parameter([2])];
    let gradients: ReturnType<ReturnType<typeof sum>["backward"]>;
    await engine.step(() => {
      gradients = sum(w).backward();
      expect([gradients.has(w), gradients.has(other)]).toEqual([true, false]);
      expect(() => gradients.has("w" as never)).toThrow('gradients.has: argument 1 is "w", expected a parameter');
      expect(() => gradients.get(undefined as never)).toThrow("gradients.get: argument 1 is undefined");
    });
    for (const ask of [() => gradients.has(w), () => gradients.get(w)]) {
      expect(ask).toThrow(/gradients: they belong to an earlier step/);
      await expect(engine.step<unknown>(ask)).rejects.toThrow(/gradients: they belong to an earlier step/);
    }
  });

  test("large results stay on the GPU and feed later steps", async () => {
    const x = engine.tensor(
      Float32Array.from({ length: 4096 }, (_, i) => i % 7),
      [64, 64],
    );
    const y = await engine.step(() => matmul(x, x));
    const [z] = await engine.step(() => [sum(y)]);
    const expected = Array.from(await y.data()).reduce((a, b) => a + b, 0);
    expect(await z!.item()).toBeCloseTo(expected, -2);
  });

  test("ops outside a step say how to write it", () => {
    const x = engine.tensor([1], [1]);
    expect(() => relu(x)).toThrow(/relu: no step is open.*engine\.step/);
  });

  test("steps do not nest, and take no promises", async () => {
    const x = engine.tensor([1], [1]);
    await expect(engine.step(() => engine.step(() => relu(x)))).rejects.toThrow(/do not nest/);
    await expect(engine.step(async () => relu(x))).rejects.toThrow(/synchronously/);
    expect(await (await engine.step(() => relu(x))).item()).toBe(1);
  });

  test("a step that throws leaves the engine whole", async () => {
    const x = engine.tensor([1, 2], [2]);
    const step = engine.step(() => {
      relu(x);
      throw new Error("mine");
    });
    await expect(step).rejects.toThrow("mine");
    expect(await (await engine.step(() => sum(x))).item()).toBe(3);
  });

  test("tensors that a step did not return, or that were disposed, say so", async () => {
    const x = engine.tensor([1, 2], [2]);
    let lost = x;
    await engine.step(() => {
      lost = relu(x);
      return sum(lost);
    });
    await expect(lost.data()).rejects.toThrow(/did not outlive it/);
    await expect(engine.step(() => sum(lost))).rejects.toThrow(/earlier step/);
    x.dispose();
    await expect(engine.step(() => sum(x))).rejects.toThrow(/disposed/);
  });

  test("shapes that do not fit name both, and the remedy", async () => {
    const a = engine.tensor(new Float32Array(6), [2, 3]);
    const b = engine.tensor(new Float32Array(12), [4, 3]);
    await expect(engine.step(() => matmul(a, b))).rejects.toThrow(
      "matmul: inner sizes differ: a [2, 3] · b [4, 3] (3 ≠ 4). Did you mean transposeB: true?",
    );
    await expect(engine.step(() => linear(a, engine.tensor(new Float32Array(6), [3, 2])))).rejects.toThrow(
      /transposed/,
    );
    expect(() => engine.tensor([1, 2, 3], [2, 2])).toThrow("3 numbers do not fill the shape [2, 2], which holds 4");
  });

  test("no gradients within noGrad", async () => {
    const w = engine.parameter([2], [1]);
    await expect(engine.step(() => noGrad(() => sum(w)).backward())).rejects.toThrow(/noGrad/);
  });

  test("a destroyed engine says so", async () => {
    const x = engine.tensor([1], [1]);
    engine.destroy();
    await expect(engine.step(() => relu(x))).rejects.toThrow(/destroyed/);
  });
});

test("WebGPU errors inside a test are failures", async () => {
  const wrong = {
    name: "",
    run: async () =>
      void engine.gpu.device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE }),
  };
  await expect(runCase(engine, wrong)).rejects.toThrow(/the GPU reported an error/);
});
