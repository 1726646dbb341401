import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine, Tensor } from "../../src/index.ts";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { agree, check, numbers } from "../agree.ts";
import * as reference from "../reference/index.ts";
import { type Array64, array } from "../reference/index.ts";

/* As properties.test.ts, for the ops that the reference network does without. */

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ seed: 1 });
});
afterAll(() => engine.destroy());

const size = (most: number) => fc.integer({ min: 1, max: most });
const anyShape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
const positive = (x: Array64): Array64 => reference.map(x, (v) => Math.abs(v) + 0.25);
/** Away from 0, where some functions have a kink. */
const bent = (x: Array64): Array64 => reference.map(x, (v) => v + (v < 0 ? -0.05 : 0.05));
/** All different, so that the largest is one. */
const distinct = (shape: readonly number[]): Array64 => {
  const n = reference.count(shape);
  return array(
    shape,
    Array.from({ length: n }, (_, i) => ((i * 7919) % n) / 8 + i / (16 * n)),
  );
};

type Unary = [(x: Tensor) => Tensor, (x: Array64) => Array64, (x: Array64) => Array64];
const unary: Record<string, Unary> = {
  relu: [hg.relu, reference.relu, bent],
  tanh: [hg.tanh, reference.tanh, bent],
  sigmoid: [hg.sigmoid, reference.sigmoid, bent],
  neg: [hg.neg, reference.neg, bent],
  exp: [hg.exp, reference.exp, bent],
  log: [hg.log, reference.log, positive],
  sqrt: [hg.sqrt, reference.sqrt, positive],
  abs: [hg.abs, reference.abs, bent],
  gelu: [hg.gelu, reference.gelu, bent],
  silu: [hg.silu, reference.silu, bent],
  softplus: [hg.softplus, reference.softplus, bent],
  leakyRelu: [
    (x) => hg.leakyRelu(x, { negativeSlope: 0.3 }),
    (x) => reference.leakyRelu(x, { negativeSlope: 0.3 }),
    bent,
  ],
  clamp: [
    (x) => hg.clamp(x, { min: -0.51, max: 0.52 }),
    (x) => reference.clamp(x, { min: -0.51, max: 0.52 }),
    (x) => reference.map(x, (v) => Math.round(v * 10) / 10),
  ],
};

describe("number by number", () => {
  for (const [name, [op, expected, prepare]] of Object.entries(unary))
    test(name, () =>
      check(
        fc.asyncProperty(anyShape, (shape) => agree(engine, [prepare(numbers(shape, 3))], op, expected)),
        6,
      ),
    );

  test("div, pow, maximum, minimum", () => {
    const ops = [
      [hg.div, reference.div],
      [hg.pow, reference.pow],
      [hg.maximum, reference.maximum],
      [hg.minimum, reference.minimum],
    ] as const;
    return check(
      fc.asyncProperty(anyShape, fc.nat(15), fc.constantFrom(...ops), (shape, bits, [op, expected]) => {
        const other = shape.map((n, i) => ((bits >> i) & 1 ? 1 : n));
        return agree(engine, [positive(numbers(shape, 1)), positive(numbers(other, 2))], op, expected);
      }),
      20,
    );
  });

  test("where", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(15), fc.nat(15), (shape, p, q) => {
        const repeat = (bits: number) => shape.map((n, i) => ((bits >> i) & 1 ? 1 : n));
        const condition = Int32Array.from({ length: reference.count(shape) }, (_, i) => (i * 5) % 3);
        return agree(
          engine,
          [numbers(repeat(p), 1), numbers(repeat(q), 2)],
          (a, b) => hg.where(engine.tensor(condition, shape), a, b),
          (a, b) => reference.where(array(shape, condition), a, b),
        );
      }),
    ));
});

describe("matrices and signals", () => {
  test("matmul over vectors and broadcast batches", () =>
    check(
      fc.asyncProperty(size(3), size(3), size(5), size(6), size(7), fc.nat(7), (P, Q, M, K, N, kind) => {
        const [a, b] = (
          [
            [[K], [K]],
            [[K], [P, K, N]],
            [[P, M, K], [K]],
            [
              [P, 1, M, K],
              [Q, K, N],
            ],
            [
              [P, Q, M, K],
              [K, N],
            ],
            [
              [M, K],
              [P, K, N],
            ],
            [
              [P, M, K],
              [P, K, N],
            ],
            [
              [1, M, K],
              [P, K, N],
            ],
          ] as const
        )[kind]!;
        return agree(
          engine,
          [numbers(a, 1), numbers(b, 2)],
          (a, b) => hg.matmul(a, b),
          (a, b) => reference.matmulAny(a, b),
        );
      }),
      20,
    ));

  test("conv1d and globalAvgPool2d", () =>
    check(
      fc.asyncProperty(size(2), size(3), size(9), size(3), size(2), fc.nat(2), async (N, C, L, stride, k, padding) => {
        fc.pre(L + 2 * padding >= k);
        const options = { stride, padding };
        await agree(
          engine,
          [numbers([N, C, L], 1), numbers([2, C, k], 2), numbers([2], 3)],
          (x, w, b) => hg.conv1d(x, w, b, options),
          (x, w, b) => reference.conv1d(x, w, b, options),
        );
        await agree(engine, [numbers([N, C, L, k], 4)], hg.globalAvgPool2d, reference.globalAvgPool2d);
      }),
      5,
    ));

  test("lstm, rnn and gru: layers, directions, lengths", () => {
    const cells = [
      ["lstm", 4, hg.lstm, {}],
      ["rnn", 1, hg.rnn, {}],
      ["gru", 3, hg.gru, {}],
      ["gruBefore", 3, hg.gru, { resetAfter: false }],
    ] as const;
    return check(
      fc.asyncProperty(
        fc.constantFrom(...cells),
        size(5),
        size(3),
        size(3),
        size(3),
        size(2),
        fc.boolean(),
        ([cell, G, op, more], N, T, I, H, layers, bidirectional) => {
          const directions = bidirectional ? 2 : 1;
          const lengths = Int32Array.from({ length: N }, (_, n) => (n * 3) % (T + 1));
          const weights = Array.from({ length: layers * directions }, (_, k) => [
            numbers([G * H, k < directions ? I : H * directions], 10 * k + 2),
            numbers([G * H, H], 10 * k + 3),
            numbers([G * H], 10 * k + 4),
            numbers([G * H], 10 * k + 5),
          ]).flat();
          const sets = <T>(list: T[]) =>
            Array.from({ length: layers * directions }, (_, k) => {
              const [weightIh, weightHh, biasIh, biasHh] = list.slice(4 * k, 4 * k + 4) as [T, T, T, T];
              return { weightIh, weightHh, biasIh, biasHh };
            });
          const L = layers * directions;
          const state = [...(L > 1 ? [L] : []), ...(cell === "lstm" ? [2] : []), N, H];
          return agree(
            engine,
            [numbers([N, T, I], 1), numbers(state, 99), ...weights],
            (x, h0, ...w) => {
              const { output, hidden } = op(x, sets(w), { numLayers: layers, bidirectional, lengths, h0, ...more });
              return hg.concat([hg.flatten(output), hg.flatten(hidden)]);
            },
            (x, h0, ...w) => {
              const { y, hidden } = reference.layered(cell, x, sets(w), { bidirectional }, array([N], lengths), h0);
              return reference.concat([reference.flatten(y), reference.flatten(hidden)]);
            },
          );
        },
      ),
      16,
    );
  });
});

describe("shapes", () => {
  test("permute and transpose", () =>
    check(
      fc.asyncProperty(anyShape, fc.infiniteStream(fc.nat(99)), async (shape, stream) => {
        const keys = [...stream.take(shape.length)];
        const axes = shape.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.permute(x, axes),
          (x) => reference.permute(x, { axes }),
        );
        const [a, b] = [keys[0]! % shape.length, -1];
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.transpose(x, a, b),
          (x) => reference.transpose(x, { a, b }),
        );
      }),
    ));

  test("slice and split", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(3), fc.integer(), fc.integer(), size(3), async (shape, where, p, q, step) => {
        const axis = where % shape.length;
        const n = shape[axis]!;
        const options = { axis, start: p % (n + 1), end: q % (n + 2), step };
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.slice(x, options),
          (x) => reference.slice(x, options),
        );
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.split(x, step, { axis }).at(-1)!,
          (x) => reference.split(x, { size: step, axis }).at(-1)!,
        );
      }),
      20,
    ));

  test("concat, stack, reshape and flatten", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(3), async (shape, where) => {
        const axis = where % shape.length;
        const xs = [numbers(shape, 1), numbers(shape, 2), numbers(shape, 3)];
        await agree(
          engine,
          xs,
          (...t) => hg.concat(t, { axis }),
          (...t) => reference.concat(t, { axis }),
        );
        await agree(
          engine,
          xs,
          (...t) => hg.stack(t, { axis }),
          (...t) => reference.stack(t, { axis }),
        );
        const flat = [reference.count(shape)];
        await agree(
          engine,
          [xs[1]!],
          (x) => hg.reshape(x, flat),
          (x) => reference.reshape(x, { shape: flat }),
        );
        await agree(
          engine,
          [xs[2]!],
          (x) => hg.flatten(x),
          (x) => reference.flatten(x),
        );
      }),
    ));

  test("expand and pad", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(15), fc.array(fc.nat(3), { maxLength: 8 }), async (shape, bits, around) => {
        const small = shape.map((n, i) => ((bits >> i) & 1 ? 1 : n));
        await agree(
          engine,
          [numbers(small, 1)],
          (x) => hg.expand(x, shape),
          (x) => reference.expand(x, { shape }),
        );
        const padding = around.slice(0, Math.floor(Math.min(around.length, 2 * shape.length) / 2) * 2);
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.pad(x, padding, { value: 2 }),
          (x) => reference.pad(x, { padding, value: 2 }),
        );
      }),
    ));

  test("gather and indexSelect", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(3), size(6), async (shape, where, picked) => {
        const axis = where % shape.length;
        const places = (n: number) => Int32Array.from({ length: n }, (_, i) => (i * 7 + n) % shape[axis]!);
        const whole = shape.with(axis, picked);
        const index = places(reference.count(whole));
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.gather(x, engine.tensor(index, whole), { axis }),
          (x) => reference.gather(x, array(whole, index), { axis }),
        );
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.indexSelect(x, places(picked), { axis }),
          (x) => reference.indexSelect(x, array([picked], places(picked)), { axis }),
        );
      }),
    ));
});

describe("reductions and norms", () => {
  test("max, min, argmax, variance, logSumExp", () =>
    check(
      fc.asyncProperty(anyShape, fc.nat(15), fc.boolean(), async (shape, bits, keepDims) => {
        const axis = shape.map((_, i) => i).filter((i) => (bits >> i) & 1);
        const options = { axis, keepDims };
        await agree(
          engine,
          [distinct(shape)],
          (x) => hg.max(x, options),
          (x) => reference.max(x, options),
        );
        await agree(
          engine,
          [distinct(shape)],
          (x) => hg.min(x, options),
          (x) => reference.min(x, options),
        );
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.variance(x, { ...options, correction: 0 }),
          (x) => reference.variance(x, { ...options, correction: 0 }),
        );
        await agree(
          engine,
          [numbers(shape, 1)],
          (x) => hg.logSumExp(x, options),
          (x) => reference.logSumExpOver(x, options),
        );
        const one = { axis: bits % shape.length, keepDims };
        const found = await engine.step(() => hg.argmax(engine.tensor(Array.from(distinct(shape).data), shape), one));
        const expected = reference.argmax(distinct(shape), one);
        if (String(await found.data()) !== String(Array.from(expected.data))) throw new Error(`argmax of [${shape}]`);
      }),
    ));

  test("layerNorm and batchNorm2d", () =>
    check(
      fc.asyncProperty(size(3), size(3), size(4), size(70), async (N, C, H, W) => {
        fc.pre(N * H * W > 1 && W > 1);
        await agree(
          engine,
          [numbers([N, W], 1), numbers([W], 2), numbers([W], 3)],
          (x, w, b) => hg.layerNorm(x, w, b),
          (x, w, b) => reference.layerNorm(x, w, b),
        );
        const shape = [N, C, H, Math.min(W, 5)];
        await agree(
          engine,
          [numbers(shape, 1), numbers([C], 2), numbers([C], 3)],
          (x, w, b) => hg.batchNorm2d(x, w, b, { training: true }),
          (x, w, b) => reference.batchNorm2d(x, w, b, { training: true }),
        );
      }),
    ));

  test("fuse: concatenation, average, weighted sum, of what is present", () =>
    check(
      fc.asyncProperty(size(5), size(7), fc.nat(255), async (N, D, bits) => {
        const xs = [numbers([N, D], 1), numbers([N, D], 2), numbers([N, D], 3)];
        const present = Float32Array.from({ length: 3 * N }, (_, i) => (bits >> (i % 8)) & 1);
        const mask = array([N, 3], present);
        await agree(
          engine,
          xs,
          (...t) => hg.fuse(t, "concat", { present }),
          (...t) => reference.concatFusion(t, mask),
        );
        await agree(
          engine,
          xs,
          (...t) => hg.fuse(t, "average", { present }),
          (...t) => reference.averageFusion(t, mask),
        );
        await agree(
          engine,
          [...xs, numbers([3], 4)],
          (a, b, c, weights) => hg.fuse([a, b, c], "weighted", { present, weights }),
          (a, b, c, weights) => reference.weightedFusion([a, b, c], weights, mask),
        );
      }),
      6,
    ));

  test("maskedMean", () =>
    check(
      fc.asyncProperty(size(5), size(6), size(7), (N, L, D) => {
        const words = Int32Array.from({ length: N * L }, (_, i) => (i * 5) % 3);
        return agree(
          engine,
          [numbers([N, L, D], 1)],
          (x) => hg.maskedMean(x, engine.tensor(words, [N, L]), { paddingIdx: 0 }),
          (x) => reference.maskedMean(x, array([N, L], words), { paddingIdx: 0 }),
        );
      }),
    ));
});

describe("losses", () => {
  test("of numbers: mse, huber, binaryCrossEntropyWithLogits, klDivergence", () =>
    check(
      fc.asyncProperty(anyShape, async (shape) => {
        const x = numbers(shape, 1);
        const target = reference.map(numbers(shape, 2), (v) => Math.fround(Math.abs(v) / 2 + 0.01));
        const t = Float32Array.from(target.data);
        const pairs = [
          [(x: Tensor) => hg.mse(x, t), (x: Array64) => reference.mse(x, target)],
          [(x: Tensor) => hg.huber(x, t, { delta: 0.4 }), (x: Array64) => reference.huber(x, target, { delta: 0.4 })],
          [(x: Tensor) => hg.binaryCrossEntropyWithLogits(x, t), (x: Array64) => reference.bceWithLogits(x, target)],
          [(x: Tensor) => hg.klDivergence(x, t), (x: Array64) => reference.klDivergence(x, target)],
        ] as const;
        for (const [op, expected] of pairs) await agree(engine, [x], op, expected);
      }),
    ));

  test("of classes: crossEntropy, feedbackLoss, policyGradient", () =>
    check(
      fc.asyncProperty(size(7), size(9), fc.double({ min: 0, max: 1, noNaN: true }), async (N, A, smoothing) => {
        fc.pre(A > 1);
        const labels = Int32Array.from({ length: N }, (_, n) => (n * 5) % A);
        const given = Float32Array.from(numbers([N], 7).data);
        const [chosen, each] = [array([N], labels), array([N], given)];
        const labelSmoothing = Math.fround(smoothing);
        await agree(
          engine,
          [numbers([N, A], 1)],
          (x) => hg.crossEntropy(x, labels, { weights: given, labelSmoothing }),
          (x) => reference.crossEntropy(x, chosen, each, { labelSmoothing }),
        );
        await agree(
          engine,
          [numbers([N, A], 1)],
          (x) => hg.feedbackLoss(x, labels, given),
          (x) => reference.feedbackLoss(x, chosen, each),
        );
        const reference64 = reference.logSoftmax(numbers([N, A], 5));
        const options = { entropyCoef: 0.1, klCoef: 0.2 };
        await agree(
          engine,
          [numbers([N, A], 1)],
          (x) =>
            hg.policyGradient(x, labels, given, { ...options, referenceLogits: Float32Array.from(reference64.data) }),
          (x) => reference.policyGradient(x, chosen, each, options, reference64),
        );
      }),
    ));
});
