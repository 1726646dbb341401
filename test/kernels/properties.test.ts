import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../../src/index.ts";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { agree, check, numbers } from "../agree.ts";
import { expectEqual } from "../harness.ts";
import * as reference from "../reference/index.ts";
import { array } from "../reference/index.ts";

/*
 * Kernels against the float64 reference over shapes that nobody chose: odd, prime, of size 1, no multiples of any tile.
 * Gradients are compared with central differences of the reference.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ seed: 1 });
});
afterAll(() => engine.destroy());

const size = (most: number) => fc.integer({ min: 1, max: most });

const kinds = {
  add: [hg.add, reference.add],
  sub: [hg.sub, reference.sub],
  mul: [hg.mul, reference.mul],
} as const;

describe("kernels agree with the float64 reference", () => {
  test("matmul", () =>
    check(
      fc.asyncProperty(size(37), size(37), size(37), fc.boolean(), fc.boolean(), (M, K, N, transposeA, transposeB) =>
        agree(
          engine,
          [numbers(transposeA ? [K, M] : [M, K], 1), numbers(transposeB ? [N, K] : [K, N], 2)],
          (a, b) => hg.matmul(a, b, { transposeA, transposeB }),
          (a, b) => reference.matmul(a, b, { transposeA, transposeB }),
          { gradients: M * K * N < 4000 },
        ),
      ),
      25,
    ));

  test("linear with tanh", () =>
    check(
      fc.asyncProperty(size(19), size(23), size(17), (N, I, O) =>
        agree(
          engine,
          [numbers([N, I], 1), numbers([O, I], 2), numbers([O], 3)],
          (x, w, b) => hg.linear(x, w, b, { activation: "tanh" }),
          (x, w, b) => reference.linear(x, w, b, { activation: "tanh" }),
          { gradients: N * I * O < 2000 },
        ),
      ),
    ));

  test("conv2d: stride, padding, dilation, groups", () =>
    check(
      fc.asyncProperty(
        fc.record({
          N: size(3),
          C: size(3),
          O: size(3),
          H: size(9),
          W: size(11),
          kH: size(3),
          kW: size(3),
          groups: size(3),
          stride: size(3),
          dilation: size(2),
          padding: fc.nat(2),
        }),
        ({ N, C, O, H, W, kH, kW, groups, stride, dilation, padding }) => {
          const options = { stride, padding, dilation, groups };
          fc.pre(H + 2 * padding > dilation * (kH - 1) && W + 2 * padding > dilation * (kW - 1));
          return agree(
            engine,
            [numbers([N, C * groups, H, W], 1), numbers([O * groups, C, kH, kW], 2), numbers([O * groups], 3)],
            (x, w, b) => hg.conv2d(x, w, b, options),
            (x, w, b) => reference.conv2d(x, w, b, options),
            { gradients: N * C * groups * H * W * O * kH * kW < 3000 },
          );
        },
      ),
      // Each window is a kernel of its own, which compiles for a second on the software device.
      5,
    ));

  test("pooling of windows that overlap, touch or lie apart", () =>
    check(
      fc.asyncProperty(
        size(3),
        size(3),
        size(13),
        size(13),
        size(3),
        size(4),
        fc.boolean(),
        (N, C, H, W, kernel, stride, isMax) => {
          fc.pre(H >= kernel && W >= kernel);
          return agree(
            engine,
            [numbers([N, C, H, W], 1)],
            (x) => (isMax ? hg.maxPool2d : hg.avgPool2d)(x, { kernelSize: kernel, stride }),
            (x) => (isMax ? reference.maxPool2d : reference.averagePool2d)(x, { kernelSize: kernel, stride }),
          );
        },
      ),
      20,
    ));

  test("arithmetic with broadcasting", () =>
    check(
      fc.asyncProperty(
        fc.array(fc.tuple(size(5), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 4 }),
        fc.constantFrom("add", "sub", "mul"),
        (dims, kind) =>
          agree(
            engine,
            [
              numbers(
                dims.map(([n, one]) => (one ? 1 : n)),
                1,
              ),
              numbers(
                dims.map(([n, , one]) => (one ? 1 : n)),
                2,
              ),
            ],
            kinds[kind][0],
            kinds[kind][1],
          ),
      ),
      25,
    ));

  test("sum and mean over any axes", () =>
    check(
      fc.asyncProperty(
        fc.array(size(7), { minLength: 1, maxLength: 5 }),
        fc.nat(31),
        fc.boolean(),
        fc.boolean(),
        (shape, bits, keepDims, isMean) => {
          const axis = shape.map((_, i) => i).filter((i) => (bits >> i) & 1);
          return agree(
            engine,
            [numbers(shape, 1)],
            (x) => (isMean ? hg.mean : hg.sum)(x, { axis, keepDims }),
            (x) => (isMean ? reference.mean : reference.sum)(x, { axis, keepDims }),
            { gradients: reference.count(shape) < 500 },
          );
        },
      ),
      25,
    ));

  test("softmax, logSoftmax", () =>
    check(
      fc.asyncProperty(size(9), size(13), fc.boolean(), (N, A, log) =>
        agree(
          engine,
          [numbers([N, A], 1)],
          (x) => (log ? hg.logSoftmax : hg.softmax)(x),
          log ? reference.logSoftmax : reference.softmax,
        ),
      ),
    ));

  test("embedding: repeated ids, any vocabulary", () =>
    check(
      fc.asyncProperty(size(300), size(40), size(5), (n, V, D) => {
        const ids = Int32Array.from({ length: n }, (_, i) => Math.floor(Math.abs(Math.sin(i * 3.3 + V)) * V) % V);
        return agree(
          engine,
          [numbers([V, D], 1)],
          (w) => hg.embedding(ids, w),
          (w) => reference.embedding(array([n], ids), w),
          { gradients: n * V * D < 20000 },
        );
      }),
      15,
    ));

  test("gru: any sizes and lengths, both directions", () =>
    check(
      fc.asyncProperty(
        size(11),
        size(6),
        size(5),
        size(9),
        fc.boolean(),
        fc.infiniteStream(fc.nat(6)),
        (N, T, I, H, reverse, stream) => {
          const lengths = Int32Array.from([...stream.take(N)], (n) => Math.min(n, T));
          const inputs = [
            numbers([N, T, I], 1),
            numbers([3 * H, I], 2),
            numbers([3 * H, H], 3),
            numbers([3 * H], 4),
            numbers([3 * H], 5),
          ];
          return agree(
            engine,
            inputs,
            (x, weightIh, weightHh, biasIh, biasHh) =>
              hg.gru(x, { weightIh, weightHh, biasIh, biasHh }, { lengths, reverse }).output,
            (x, weightIh, weightHh, biasIh, biasHh) =>
              reference.gru({ x, weightIh, weightHh, biasIh, biasHh, lengths: array([N], lengths) }, { reverse }).y,
            { gradients: N * T * H * H < 600 },
          );
        },
      ),
      10,
    ));
});

test("padding never changes a result: what lies after an example's length is not read", () =>
  check(
    fc.asyncProperty(size(6), size(7), fc.boolean(), async (N, T, reverse) => {
      const lengths = Int32Array.from({ length: N }, (_, n) => 1 + ((n * 5) % T));
      const x = numbers([N, T, 3], 1);
      const other = x.data.map((v, i) => (Math.floor(i / 3) % T < lengths[Math.floor(i / (3 * T))]! ? v : 1e3));
      const [weightIh, weightHh] = [numbers([15, 3], 2), numbers([15, 5], 3)].map((w) =>
        engine.tensor(Array.from(w.data), w.shape),
      );
      const run = async (data: Float64Array) => {
        const { hidden } = await engine.step(() =>
          hg.gru(
            engine.tensor(Array.from(data), [N, T, 3]),
            { weightIh: weightIh!, weightHh: weightHh! },
            { lengths, reverse },
          ),
        );
        return [...(await hidden.data())];
      };
      expectEqual("hidden", await run(other), await run(x.data));
    }),
    8,
  ));
