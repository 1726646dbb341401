import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adam, adamw, add, mul, type Optimizer, reshape, rmsprop, sgd, sum, type Tensor } from "../../src/index.ts";
import { constant, cosine, stepped, warmUp } from "../../src/model/index.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine({ seed: 1, software: true });
const other = await useEngine({ seed: 2, software: true });

const numbers = async (p: Tensor) => [...(await p.data())];
/** A step down the sum of these parameters, each times a factor. */
const descend = (optimizer: Optimizer, parameters: readonly Tensor[], factor = 1) =>
  engine.step(() =>
    optimizer.update(
      parameters
        .map((p) => sum(mul(p, factor)))
        .reduce((a, b) => add(a, b))
        .backward(),
    ),
  );

describe("optimizers share parameters", () => {
  test("whichever was made last, each changes what all others read", async () => {
    const [a, b, c] = [engine.parameter([1, 1]), engine.parameter(new Float32Array(100)), engine.parameter([1])];
    const all = sgd([a, b, c], { lr: 0.1 });
    await descend(all, [a, b, c]);
    const backwards = sgd([c, a], { lr: 0.1 });
    await descend(backwards, [a, c]);
    await descend(all, [a, b, c]);
    const head = adam([c], { lr: 0.1 });
    await descend(head, [c], 3);
    await descend(backwards, [a, c]);
    const close = (found: number[], expected: number) => {
      for (const x of found) expect(x).toBeCloseTo(expected, 5);
    };
    close(await numbers(a), 0.6);
    close(await numbers(b), -0.2);
    close(await numbers(c), 0.5);
  });

  test("one made while a step is on its way, or within a step, loses nothing", async () => {
    const [a, c] = [engine.parameter([1]), engine.parameter([1])];
    const all = sgd([a, c], { lr: 0.1 });
    const first = descend(all, [a, c]);
    for (let i = 0; i < 3; i++) await null;
    const late = sgd([c, a], { lr: 0.1 });
    await first;
    await descend(late, [a, c]);
    await engine.step(() => sgd([a], { lr: 0.1 }).update(sum(a).backward()));
    expect((await numbers(a))[0]).toBeCloseTo(0.7, 5);
    expect((await numbers(c))[0]).toBeCloseTo(0.8, 5);
  });

  test("any optimizers over any lists, in any order, as computed in float64", async () => {
    const command = fc.record({
      make: fc.boolean(),
      list: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
      which: fc.nat(),
      momentum: fc.constantFrom(0, 0.5),
      factor: fc.constantFrom(1, -2, 0.5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 8 }), async (commands) => {
        const parameters = [1, 70, 3, 64].map((n) => engine.parameter(new Float32Array(n).fill(n)));
        const model = [1, 70, 3, 64];
        const made: { optimizer: Optimizer; list: number[]; momentum: number; m: Map<number, number> }[] = [];
        for (const { make, list, which, momentum, factor } of commands) {
          if (make || made.length === 0) {
            const optimizer = sgd(
              list.map((i) => parameters[i]!),
              { lr: 0.1, momentum },
            );
            made.push({ optimizer, list, momentum, m: new Map() });
          }
          const used = made[which % made.length]!;
          await descend(
            used.optimizer,
            used.list.map((i) => parameters[i]!),
            factor,
          );
          for (const i of used.list) {
            used.m.set(i, used.momentum * (used.m.get(i) ?? 0) + factor);
            model[i]! -= 0.1 * used.m.get(i)!;
          }
        }
        for (const [i, p] of parameters.entries())
          for (const x of await numbers(p)) expect(x).toBeCloseTo(model[i]!, 4);
        for (const { optimizer } of made) optimizer.dispose();
        for (const p of parameters) p.dispose();
      }),
      { numRuns: 40 },
    );
  });

  test("one dispatch an update, and nothing is made from the third step on", async () => {
    const [a, b] = [engine.parameter([1]), engine.parameter([2])];
    const optimizer = adam([a, b], { lr: 0.1 });
    for (let i = 0; i < 4; i++) await descend(optimizer, [a, b]);
    const { dispatches } = engine.stats().step;
    const part = sgd([b], { lr: 0.1 });
    await descend(part, [b]);
    for (let i = 0; i < 3; i++) await descend(optimizer, [a, b]);
    expect(engine.stats().step).toMatchObject({ dispatches, buffers: 0, bindGroups: 0, pipelines: 0, submits: 1 });
  });
});

describe("what cannot be learned is refused by name", () => {
  test("parameters", async () => {
    const p = engine.parameter([1]);
    const gone = engine.parameter([1]);
    gone.dispose();
    expect(() => sgd([p, p], { lr: 1 })).toThrow("sgd: parameter 1 is listed before as parameter 0.");
    expect(() => adam({ w: p, tied: p }, { lr: 1 })).toThrow(
      'adam: parameter "tied" is listed before as parameter "w"',
    );
    expect(() => adam([p, other.parameter([1])], { lr: 1 })).toThrow("adam: parameter 1 is of another engine");
    expect(() => adam([p, gone], { lr: 1 })).toThrow("adam: parameter 1, Tensor [1] f32, was disposed.");
    expect(() => adam([engine.tensor([1])], { lr: 1 })).toThrow("is no parameter");
    expect(() => adam([[1, 2]] as never, { lr: 1 })).toThrow("adam: parameter 0 is an array");
    expect(() => adam({ parameters: () => ({ p }) } as never, { lr: 1 })).toThrow("Did you mean model.parameters()?");
    for (const wrong of [p, null, undefined, "p"]) expect(() => adam(wrong as never, { lr: 1 })).toThrow(TypeError);
    expect(() => adam([], { lr: 1 })).toThrow("adam: there are no parameters");

    const q = engine.parameter([1]);
    const optimizer = sgd([p, q], { lr: 1 });
    q.dispose();
    await expect(descend(optimizer, [p])).rejects.toThrow("optimizer.update: parameter 1 was disposed");
    expect(await numbers(p)).toEqual([1]);
  });

  test("options, at construction and later", () => {
    const p = [engine.parameter([1])];
    const wrong: [() => unknown, string | RegExp][] = [
      [() => adam(p, { lr: 1, epsilon: 1 } as never), 'adam: there is no option "epsilon". Did you mean eps?'],
      [() => adam(p, { lr: 1, momentum: 0.9 } as never), 'adam: there is no option "momentum"'],
      [() => sgd(p, { lr: 1, betas: [0, 0] } as never), 'sgd: there is no option "betas"'],
      [() => rmsprop(p, { lr: 1, nesterov: true } as never), 'rmsprop: there is no option "nesterov"'],
      [() => adam(p, undefined as never), "adam: there are no options"],
      [() => adam(p, {} as never), "adam: lr is undefined"],
      [() => adam(p, { lr: Number.POSITIVE_INFINITY }), "adam: lr is Infinity"],
      [() => adam(p, { lr: 1, betas: [0.9, 1] }), "adam: betas[1] is 1"],
      [() => adam(p, { lr: 1, betas: [0.9] as never }), "adam: betas is an array, expected two numbers"],
      [() => adam(p, { lr: 1, eps: Number.NaN }), "adam: eps is NaN"],
      [() => adamw(p, { lr: 1, weightDecay: -1 }), "adamw: weightDecay is -1"],
      [() => sgd(p, { lr: 1, clipNorm: Number.NaN }), "sgd: clipNorm is NaN"],
      [() => sgd(p, { lr: 1, clipValue: "1" as never }), 'sgd: clipValue is "1"'],
      [() => sgd(p, { lr: 1, nesterov: true }), "sgd: nesterov needs a momentum"],
      [() => sgd(p, { lr: 1, nesterov: "no" as never, momentum: 0.9 }), 'sgd: nesterov is "no"'],
      [() => rmsprop(p, { lr: 1, alpha: Number.NaN }), "rmsprop: alpha is NaN"],
      [() => cosine(1e-3, 0), "cosine: steps is 0"],
      [() => cosine(1e-3, 10, Number.NaN), "cosine: minLr is NaN"],
      [() => stepped(1e-3, 0), "stepped: every is 0"],
      [() => stepped(1e-3, 5, -1), "stepped: factor is -1"],
      [() => constant(Number.NaN), "constant: lr is NaN"],
      [() => warmUp(-1, constant(1)), "warmUp: steps is -1"],
      [() => warmUp(5, 1e-3 as never), "warmUp: schedule is 0.001"],
      [() => cosine(1, 10)(Number.NaN), "cosine's schedule: step is NaN"],
    ];
    for (const [make, message] of wrong) expect(make).toThrow(message);
    const optimizer = adam(p, { lr: 1 });
    for (const lr of [Number.NaN, -1, null, "1"]) {
      expect(() => {
        optimizer.lr = lr as number;
      }).toThrow("adam: lr is");
    }
    expect(optimizer.lr).toBe(1);
    expect(() => Object.assign(optimizer, { learningRate: 2 })).toThrow(/learningRate/);
  });
});

describe("state", () => {
  test("of other parameters, of another rule, or with numbers that cannot be, is refused and changes nothing", async () => {
    const p = engine.parameter([1, 2]);
    const optimizer = adam([p], { lr: 0.1 });
    await descend(optimizer, [p]);
    const state = await optimizer.state();
    const holding = (array: Float32Array, x: number) => array.with(0, x);
    for (const wrong of [
      { steps: -1 },
      { steps: 0.5 },
      { steps: Number.NaN },
      { m: holding(state.m, Number.NaN) },
      { v: holding(state.v!, -1) },
      { v: holding(state.v!, Number.POSITIVE_INFINITY) },
      { v: undefined },
      { m: new Float32Array(3) },
      { m: [...state.m] as never },
      { rule: "adamw" as const },
      { sizes: [1, 1] },
      { sizes: 2 as never },
      { sizes: "2" as never },
      { sizes: [[2]] as never },
      { sizes: null as never },
    ])
      expect(() => optimizer.restore({ ...state, ...wrong })).toThrow("optimizer.restore: ");
    expect(() => optimizer.restore(null as never)).toThrow("optimizer.restore: this is null");
    expect(() => sgd([p], { lr: 1 }).restore({ steps: 1, m: state.m, v: state.v })).toThrow("which sgd has not");
    expect(await optimizer.state()).toEqual(state);
    optimizer.restore({ steps: state.steps, m: state.m, v: state.v });
    expect(await optimizer.state()).toEqual(state);
  });

  test("Adam counts the steps that were submitted, and each update of a step", async () => {
    const p = engine.parameter([1]);
    const optimizer = adam([p], { lr: 0.1 });
    const fails = engine.step(() => {
      optimizer.update(sum(p).backward());
      throw new Error("stopped");
    });
    await expect(fails).rejects.toThrow("stopped");
    expect((await optimizer.state()).steps).toBe(0);
    await engine.step(() => {
      optimizer.update(sum(p).backward());
      optimizer.update(sum(p).backward());
    });
    expect((await optimizer.state()).steps).toBe(2);
    expect((await numbers(p))[0]).toBeCloseTo(0.8, 5);
  });

  describe("a backward after an update in the same step", () => {
    const values = [
      ["a parameter", (p: Tensor) => p],
      ["a view of one", (p: Tensor) => reshape(p, [2, 1])],
      ["what a layer made of one", (p: Tensor) => mul(p, p)],
    ] as const;
    test.each(values)("is refused where the loss read %s before it", async (_, read) => {
      const p = engine.parameter([1, 2]);
      const optimizer = sgd([p], { lr: 1 });
      const late = engine.step(() => {
        const [first, second] = [sum(mul(p, p)), sum(mul(read(p), read(p)))];
        optimizer.update(first.backward());
        second.backward();
      });
      await expect(late).rejects.toThrow(/^backward: optimizer\.update has changed .* in this step since mul read it/);
      expect(await numbers(p)).toEqual([1, 2]);
    });

    test("is right where the loss was computed after it, or all backward() came before", async () => {
      const [p, q] = [engine.parameter([1, 2]), engine.parameter([3, 5])];
      const [first, second] = [sgd([p], { lr: 0.25 }), sgd([q], { lr: 1 })];
      await engine.step(() => {
        first.update(sum(mul(p, p)).backward());
        first.update(sum(mul(p, p)).backward());
      });
      expect(await numbers(p)).toEqual([0.25, 0.5]);
      await engine.step(() => {
        const loss = sum(mul(p, q));
        const gradients = loss.backward();
        first.update(gradients);
        second.update(gradients);
      });
      // The second learns by what the first was before.
      expect(await numbers(q)).toEqual([2.75, 4.5]);
      // One who shares nothing with the loss may learn before it is looked back at.
      await engine.step(() => {
        const loss = sum(mul(q, q));
        first.update(sum(p).backward());
        second.update(loss.backward());
      });
    });
  });

  test("what is put back comes after the steps asked for before, and is what the next ones go on from", async () => {
    const p = engine.parameter([1]);
    const optimizer = adam([p], { lr: 0.1 });
    const learn = () => engine.step(() => optimizer.update(mul(p, p).backward()));
    await learn();
    const before = await optimizer.state();
    const running = [learn(), learn()];
    const between = optimizer.state();
    optimizer.restore(before);
    const after = optimizer.state();
    running.push(learn());
    await Promise.all(running);
    expect((await between).steps).toBe(3);
    expect((await between).m).not.toEqual(before.m);
    expect(await after).toEqual(before);
    expect((await optimizer.state()).steps).toBe(2);
  });

  test("what is written last stays, whichever step was waited for between", async () => {
    const p = engine.parameter([1]);
    const step = engine.step(() => sum(p));
    p.gpu.write(p.slot, Float32Array.of(2));
    await step;
    p.gpu.write(p.slot, Float32Array.of(3));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await numbers(p)).toEqual([3]);
  });

  test("a disposed optimizer gives its memory back and says that it is gone", async () => {
    const round = async () => {
      const p = [engine.parameter(new Float32Array(5000)), engine.parameter([1])];
      const optimizer = adam(p, { lr: 0.1 });
      await descend(optimizer, p);
      optimizer.dispose();
      optimizer.dispose();
      await expect(descend(optimizer, p)).rejects.toThrow("optimizer.update: this optimizer was disposed");
      for (const x of p) x.dispose();
      return engine.stats().bytes;
    };
    for (let i = 0; i < 3; i++) await round();
    const before = await round();
    for (let i = 0; i < 5; i++) await round();
    expect((await round()) - before).toBeLessThan(6 * 4096);
  });
});

describe("numbers as PyTorch's", () => {
  test.each([0.9, 0.999, 0.9999, 0.99999, 0.9999999])(
    "the first step of Adam is lr, whatever beta2: %f",
    async (beta) => {
      const p = engine.parameter([1]);
      await descend(adam([p], { lr: 0.1, betas: [beta, beta] }), [p], 3);
      expect(Math.abs((await numbers(p))[0]! - 0.9)).toBeLessThan(1e-6);
    },
  );

  const clipped = async (gradient: number[], options: object) => {
    const p = engine.parameter(new Float32Array(gradient.length));
    const optimizer = sgd([p], { lr: 1, ...options });
    await engine.step(() => optimizer.update(sum(mul(p, engine.tensor(gradient))).backward()));
    return (await numbers(p)).map((x) => -x);
  };
  test("a norm that is NaN makes every gradient NaN; an infinite one leaves 0", async () => {
    expect(await clipped([Number.NaN, 100, 1], { clipNorm: 1 })).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect((await clipped([Number.POSITIVE_INFINITY, 100, 1], { clipNorm: 1 })).map(Math.abs)).toEqual([
      Number.NaN,
      0,
      0,
    ]);
    const found = await clipped([Number.NaN, Number.NEGATIVE_INFINITY, 5, 1], { clipValue: 2 });
    expect(found).toEqual([Number.NaN, -2, 2, 1]);
  });

  test("the norm of many equal numbers", async () => {
    const n = 100_000;
    const found = await clipped(new Array(n).fill(0.1), { clipNorm: 1 });
    expect(Math.abs(found[0]! * Math.sqrt(n) - 1)).toBeLessThan(1e-6);
  });

  test("no momentum and no decay are none, also of what is infinite", async () => {
    const p = engine.parameter([0]);
    const optimizer = sgd([p], { lr: 1 });
    for (const g of [Number.POSITIVE_INFINITY, 1])
      await engine.step(() => optimizer.update(sum(mul(p, engine.tensor([g]))).backward()));
    expect(await numbers(p)).toEqual([Number.NEGATIVE_INFINITY]);
  });
});
