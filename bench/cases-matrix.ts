import * as hg from "handgrad";
import { largest } from "handgrad/data";
import { type Case, type Cases, count, expectNear, expectSome, learned } from "./case.ts";

/* Products of matrices, convolutions, poolings. */

/** y = a · b, batches B. `b` may lie transposed. */
function matmul(engine: hg.Engine, M: number, K: number, N: number, { B = 1, transposeB = false } = {}): Case {
  const batch = B > 1 ? [B] : [];
  const a = learned(engine, [...batch, M, K], 1);
  const b = learned(engine, [...batch, ...(transposeB ? [N, K] : [K, N])], 2);
  return {
    op: "matmul",
    shape: `${B > 1 ? `${B} of ` : ""}${M}×${K}×${N}${transposeB ? ", b transposed" : ""}`,
    flops: 2 * B * M * K * N,
    bytes: 4 * B * (M * K + K * N + M * N),
    record: () => ({ y: hg.noGrad(() => hg.matmul(a.tensor, b.tensor, { transposeB })) }),
    check: ({ y }) =>
      expectSome(
        y!,
        (at) => {
          const [p, m, n] = [Math.floor(at / (M * N)), Math.floor(at / N) % M, at % N];
          let sum = 0;
          for (let k = 0; k < K; k++)
            sum += a.values[(p * M + m) * K + k]! * b.values[p * K * N + (transposeB ? n * K + k : k * N + n)]!;
          return sum;
        },
        Math.sqrt(K),
      ),
  };
}

/** A linear layer both ways: the gradients by x, w and b too. */
function linear(engine: hg.Engine, N: number, D: number, O: number): Case {
  const [x, w, b] = [learned(engine, [N, D], 1), learned(engine, [O, D], 2, 0.1), learned(engine, [O], 3)];
  const g = engine.tensor(new Float32Array(N * O).fill(1), [N, O]);
  return {
    op: "linear",
    shape: `${N}×${D}→${O}, both ways`,
    flops: 6 * N * D * O,
    bytes: 4 * 3 * (N * D + D * O + N * O),
    record() {
      const y = hg.linear(x.tensor, w.tensor, b.tensor);
      const d = y.backward(g);
      return { y, dx: d.get(x.tensor), dw: d.get(w.tensor), db: d.get(b.tensor) };
    },
    async check({ dx, dw, db }) {
      await expectSome(dx!, (at) => sumOf(O, (o) => w.values[o * D + (at % D)]!));
      await expectSome(dw!, (at) => sumOf(N, (n) => x.values[n * D + (at % D)]!));
      await expectSome(db!, () => N);
    },
  };
}

const sumOf = (n: number, term: (i: number) => number) => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += term(i);
  return sum;
};

interface Window {
  stride?: number;
  both?: boolean;
}

/** 3×3, padded by 1. */
function conv2d(engine: hg.Engine, [N, C, S, O]: readonly number[], { stride = 1, both = false }: Window = {}): Case {
  const P = Math.ceil(S! / stride);
  const x = learned(engine, [N!, C!, S!, S!], 1);
  const w = learned(engine, [O!, C!, 3, 3], 2, 0.1);
  const g = engine.tensor(new Float32Array(N! * O! * P * P).fill(1), [N!, O!, P, P]);
  const options = { padding: 1, stride };
  const at = (n: number, c: number, i: number, j: number) =>
    i < 0 || j < 0 || i >= S! || j >= S! ? 0 : x.values[((n * C! + c) * S! + i) * S! + j]!;
  const once = 2 * N! * O! * P * P * C! * 9;
  return {
    op: "conv2d",
    shape: `${N}×${C}×${S}×${S}→${O}, 3×3${stride > 1 ? `, stride ${stride}` : ""}${both ? ", both ways" : ""}`,
    flops: once * (both ? 3 : 1),
    bytes: 4 * (both ? 3 : 1) * (count([N!, C!, S!, S!]) + count([O!, C!, 9]) + count([N!, O!, P, P])),
    record() {
      if (!both) return { y: hg.noGrad(() => hg.conv2d(x.tensor, w.tensor, undefined, options)) };
      const y = hg.conv2d(x.tensor, w.tensor, undefined, options);
      const d = y.backward(g);
      return { y, dx: d.get(x.tensor), dw: d.get(w.tensor) };
    },
    async check({ y, dx, dw }) {
      await expectSome(y!, (k) => {
        const [n, o, p, q] = [Math.floor(k / (O! * P * P)), Math.floor(k / (P * P)) % O!, Math.floor(k / P) % P, k % P];
        return sumOf(C! * 9, (t) => {
          const [c, i, j] = [Math.floor(t / 9), Math.floor(t / 3) % 3, t % 3];
          return w.values[(o * C! + c) * 9 + (t % 9)]! * at(n, c, p * stride + i - 1, q * stride + j - 1);
        });
      });
      // All of dy is 1: dw sums the pixels under a tap, dx the taps over a pixel.
      if (dw)
        await expectSome(
          dw,
          (k) => {
            const [c, i, j] = [Math.floor(k / 9) % C!, Math.floor(k / 3) % 3, k % 3];
            return sumOf(N! * P * P, (t) =>
              at(Math.floor(t / (P * P)), c, (Math.floor(t / P) % P) * stride + i - 1, (t % P) * stride + j - 1),
            );
          },
          Math.sqrt(N!) * P,
        );
      if (dx && stride === 1) {
        // A pixel inside is under all nine taps.
        const [n, c, i, j] = [N! - 1, C! - 1, S! >> 1, S! >> 1];
        const found = (await dx.data())[((n * C! + c) * S! + i) * S! + j]!;
        expectNear(
          "dx in the middle",
          found,
          sumOf(O! * 9, (t) => w.values[(Math.floor(t / 9) * C! + c) * 9 + (t % 9)]!),
        );
      }
    },
  };
}

/** 2×2 windows side by side. */
function pool(engine: hg.Engine, op: "maxPool2d" | "avgPool2d", [N, C, S]: readonly number[], both: boolean): Case {
  const f = { maxPool2d: hg.maxPool2d, avgPool2d: hg.avgPool2d }[op];
  const x = learned(engine, [N!, C!, S!, S!], 1);
  const P = S! >> 1;
  const g = engine.tensor(new Float32Array(N! * C! * P * P).fill(1), [N!, C!, P, P]);
  const window = (k: number) => {
    const from = Math.floor(k / (P * P)) * S! * S! + 2 * (Math.floor(k / P) % P) * S! + 2 * (k % P);
    return [from, from + 1, from + S!, from + S! + 1].map((i) => x.values[i]!);
  };
  return {
    op,
    shape: `${N}×${C}×${S}×${S}, 2×2${both ? ", both ways" : ""}`,
    flops: 0,
    bytes: 4 * count([N!, C!, S!, S!]) * (both ? 2.5 : 1.25),
    record() {
      if (!both) return { y: hg.noGrad(() => f(x.tensor, { kernelSize: 2 })) };
      const y = f(x.tensor, { kernelSize: 2 });
      return { y, dx: y.backward(g).get(x.tensor) };
    },
    async check({ y, dx }) {
      await expectSome(y!, (k) => {
        const w = window(k);
        return op === "maxPool2d" ? largest(w) : (w[0]! + w[1]! + w[2]! + w[3]!) / 4;
      });
      if (dx) expectNear("the sum of dx", sumAll(await dx.data()), N! * C! * P * P);
    },
  };
}

const sumAll = (values: ArrayLike<number>) => sumOf(values.length, (i) => values[i]!);

export const matrixCases: Cases = (engine) => [
  ...[64, 256, 512, 1024].map((n) => () => matmul(engine, n, n, n)),
  () => matmul(engine, 512, 512, 512, { transposeB: true }),
  () => matmul(engine, 32, 1664, 128),
  () => matmul(engine, 64, 4096, 64),
  () => matmul(engine, 64, 64, 64, { B: 32 }),
  () => linear(engine, 32, 1664, 128),
  () => linear(engine, 1024, 512, 512),
  () => conv2d(engine, [32, 1, 28, 16]),
  () => conv2d(engine, [32, 16, 14, 32], { both: true }),
  () => conv2d(engine, [8, 32, 32, 64]),
  () => conv2d(engine, [8, 32, 32, 64], { both: true }),
  () => conv2d(engine, [8, 32, 32, 64], { both: true, stride: 2 }),
  () => pool(engine, "maxPool2d", [32, 16, 28], true),
  () => pool(engine, "maxPool2d", [8, 64, 64], false),
  () => pool(engine, "avgPool2d", [8, 64, 64], true),
];
