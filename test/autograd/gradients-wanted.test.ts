import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { useEngine } from "../use-engine.ts";

/* A gradient that is wanted is computed, as PyTorch does, or refused by name: never left out. */

const engine = await useEngine();

const gradientOf = async (of: hg.Tensor, loss: () => hg.Tensor) =>
  [...(await (await engine.step(() => loss().backward().get(of))).data())] as number[];
const close = (found: number[], expected: number[]) =>
  expected.forEach((x, i) => {
    expect(found[i]).toBeCloseTo(x, 5);
  });

describe("targets and weights", () => {
  test.each<[string, (a: hg.Tensor, b: hg.Tensor) => hg.Tensor, number[]]>([
    ["mse", hg.mse, [2 / 3, 0, 4 / 3]],
    ["huber", hg.huber, [1 / 3, 0, 1 / 3]],
    ["binaryCrossEntropyWithLogits", hg.binaryCrossEntropyWithLogits, [-1 / 3, -2 / 3, -1]],
    ["klDivergence", hg.klDivergence, [Math.log(2) / 3, (Math.log(2) - 1) / 3, (Math.log(5) - 2) / 3]],
  ])("%s", async (_, loss, expected) => {
    const [a, b] = [engine.tensor([1, 2, 3]), engine.parameter([2, 2, 5])];
    close(await gradientOf(b, () => loss(a, b)), expected);
    close(
      await gradientOf(b, () => hg.mul(loss(a, b), 3)),
      expected.map((x) => 3 * x),
    );
  });

  test("weights of cross-entropy", async () => {
    const [x, u] = [engine.tensor([0, 0, 0, Math.log(3)], [2, 2]), engine.parameter([1, 0])];
    close(await gradientOf(u, () => hg.crossEntropy(x, [0, 1], { weights: u })), [
      Math.log(2) / 2,
      Math.log(4 / 3) / 2,
    ]);
  });
});

describe("where none is defined", () => {
  const p = () => engine.parameter([0, 1], [1, 2]);
  const cases: [string, string, (p: hg.Tensor) => hg.Tensor][] = [
    [
      "policyGradient",
      "referenceLogits",
      (p) => hg.policyGradient(engine.tensor([1, 2], [1, 2]), [0], [1], { referenceLogits: p, klCoef: 1 }),
    ],
    [
      "policyGradient",
      "advantages",
      (p) => hg.policyGradient(engine.tensor([1, 2, 3, 4], [2, 2]), [0, 1], hg.flatten(p)),
    ],
    ["feedbackLoss", "rewards", (p) => hg.feedbackLoss(engine.tensor([1, 2, 3, 4], [2, 2]), [0, 1], hg.flatten(p))],
    ["where", "condition", (p) => hg.where(p, 1, 2)],
    ["dropModalities", "present", (p) => hg.dropModalities(p, { p: 0.5 })],
    [
      "fuse",
      "present",
      (p) => {
        const x = engine.tensor([1], [1, 1]);
        return hg.fuse([x, x], "average", { present: p });
      },
    ],
  ];
  test.each(cases)("%s refuses tracked %s, takes them detached and within noGrad", async (op, what, call) => {
    const x = p();
    await expect(engine.step(() => call(x))).rejects.toThrow(`${op}: ${what} `);
    await engine.step(() => call(hg.detach(x)));
    await engine.step(() => hg.noGrad(() => call(x)));
  });

  test("an op of one's own that gives none is refused when it is asked", async () => {
    const lame = hg.customOp("lame", (_, [x]) => ({ outputs: [x!], backward: () => [undefined] }));
    const mute = hg.customOp("mute", (_, [x]) => ({ outputs: [x!] }));
    const x = p();
    await expect(engine.step(() => hg.sum(lame([x], {})[0]!).backward())).rejects.toThrow("lame: argument 1");
    await expect(engine.step(() => hg.sum(mute([x], {})[0]!).backward())).rejects.toThrow("mute: it has no gradient");
  });

  test("nothing flows through detach", async () => {
    const x = engine.parameter([3]);
    close(await gradientOf(x, () => hg.sum(hg.mul(x, hg.detach(x)))), [3]);
  });
});

describe("numbers at their edges", () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  test("small results keep their digits", async () => {
    const y = await engine.step(() => hg.softplus(engine.tensor([-20, -15])));
    const b = await engine.step(() => hg.binaryCrossEntropyWithLogits(engine.tensor([20]), [1]));
    const g = await engine.step(() => hg.gelu(engine.tensor([-5, -8])));
    const relative = async (y: hg.Tensor, to: number[]) =>
      (await y.data()).forEach((x, i) => {
        expect(Math.abs(x / to[i]! - 1)).toBeLessThan(1e-4);
      });
    await relative(y, [2.0611536e-9, 3.0590228e-7]);
    await relative(b, [2.0611536e-9]);
    await relative(g, [-5 * 2.8665157e-7, -8 * 6.2209606e-16]);
  });

  test("the layer norm of a large mean", async () => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => 1e4 + Math.sin(i * i));
    const y = await (await engine.step(() => hg.layerNorm(engine.tensor(x, [1, 4096])))).data();
    const mean = x.reduce((a, b) => a + b / 4096, 0);
    const deviation = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2 / 4096, 1e-5));
    y.forEach((v, i) => {
      expect(Math.abs(v - (x[i]! - mean) / deviation)).toBeLessThan(1e-4);
    });
  });

  test.each<[string, (x: hg.Tensor) => hg.Tensor, number[], number[]]>([
    ["relu", hg.relu, [nan, 1, -1], [1, 1, 0]],
    ["maximum", (x) => hg.maximum(x, 0), [nan, 1, -1], [1, 1, 0]],
    ["max", hg.max, [nan, 1, 2], [1, 0, 0]],
    ["huber", (x) => hg.huber(x, [0, 0], { reduction: "sum" }), [nan, inf], [nan, 1]],
    ["softmax", hg.softmax, [inf, 1], [nan, nan]],
    ["cross-entropy", (x) => hg.crossEntropy(hg.reshape(x, [1, 2]), [0]), [inf, 1], [nan, nan]],
    ["layerNorm", hg.layerNorm, [inf, 1], [nan, nan]],
    ["1 / x", (x) => hg.div(1, x), [1e25, inf], [0, 0]],
  ])("the gradient of %s", async (_, op, x, expected) => {
    const p = engine.parameter(x);
    expect((await gradientOf(p, () => hg.sum(op(p)))).map((d) => d + 0)).toEqual(expected);
  });

  test("what is not there is not read, forward and back", async () => {
    const x = engine.parameter([1, 2], [1, 2]);
    const y = engine.parameter([nan, inf], [1, 2]);
    const v = engine.parameter([0, 0]);
    for (const [fusion, expected] of [
      ["average", [1, 2]],
      ["weighted", [1, 2]],
      ["concat", [1, 2, 0, 0]],
    ] as const) {
      const weights = fusion === "weighted" ? v : undefined;
      const { out, d } = await engine.step(() => {
        const out = hg.fuse([x, y], fusion, { present: [1, 0], ...(weights && { weights }) });
        const g = hg.sum(out).backward();
        return { out, d: [x, y, ...(weights ? [v] : [])].map((p) => g.get(p)) };
      });
      expect([...(await out.data())]).toEqual(expected);
      for (const one of d) for (const n of await one.data()) expect(n).not.toBeNaN();
    }
  });

  test("uniform numbers never reach the end", async () => {
    const y = await engine.step(() => hg.uniform(engine, [4096], { low: 1, high: 1 + 2 ** -23 }));
    expect(Math.max(...(await y.data()))).toBe(1);
  });
});
