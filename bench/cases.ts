import * as hg from "../src/index.ts";
import { MultimodalNet } from "../src/model/index.ts";
import { randomBatch } from "./batch.ts";

/*
 * What is measured: kernels at sizes that matter, and a whole training step. Every case says what it costs in arithmetic
 * and knows a number that must come out, so that nothing wrong is timed.
 */

export interface Case {
  op: string;
  shape: string;
  /** Multiplications and additions of one run; 0 where they do not say much. */
  flops: number;
  /** What a run records. */
  record: () => hg.Tensor | { [name: string]: hg.Tensor };
  /** Throws where the result of a run is wrong. */
  check: (result: hg.Tensor | { [name: string]: hg.Tensor }) => Promise<void>;
}

/** Numbers in [-1, 1) that depend on the place alone. */
const numbers = (n: number, seed: number) =>
  Float32Array.from({ length: n }, (_, i) => (((i + 1) * 7919 + seed * 104729) % 2003) / 1001.5 - 1);

function expectNear(what: string, found: number, expected: number, scale: number): void {
  if (!(Math.abs(found - expected) <= 1e-3 * Math.max(1, scale)))
    throw new Error(`${what} is ${found}, expected ${expected}`);
}

function matmul(engine: hg.Engine, size: number): Case {
  const [a, b] = [numbers(size * size, 1), numbers(size * size, 2)];
  const [A, B] = [engine.parameter(a, [size, size]), engine.parameter(b, [size, size])];
  return {
    op: "matmul",
    shape: `${size}×${size}×${size}`,
    flops: 2 * size ** 3,
    record: () => hg.noGrad(() => hg.matmul(A, B)),
    async check(result) {
      const c = await (result as hg.Tensor).data();
      for (const [m, n] of [
        [0, 0],
        [size - 1, size >> 1],
        [size >> 1, size - 1],
      ] as const) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += a[m * size + k]! * b[k * size + n]!;
        expectNear(`c[${m}, ${n}]`, c[m * size + n]!, sum, Math.sqrt(size));
      }
    },
  };
}

/** Forward and backward; the gradient of a sum by a weight is checked by moving that weight. */
function bothWays(
  op: string,
  shape: string,
  flops: number,
  weight: hg.Tensor,
  loss: () => hg.Tensor,
  move: (h: number) => Promise<number>,
): Case {
  return {
    op,
    shape,
    flops,
    record: () => {
      const y = loss();
      return { y, d: y.backward().get(weight) };
    },
    async check(result) {
      const { d } = result as { d: hg.Tensor };
      const h = 0.05;
      const slope = ((await move(h)) - (await move(-h))) / (2 * h);
      const found = (await d.data())[0]!;
      if (!(Math.abs(found - slope) <= 0.02 * Math.max(1, Math.abs(slope))))
        throw new Error(`${op}: the gradient is ${found}, moving the weight gives ${slope}`);
    },
  };
}

async function itemOf(engine: hg.Engine, fn: () => hg.Tensor): Promise<number> {
  const y = await engine.step(() => hg.noGrad(fn));
  const value = await y.item();
  y.dispose();
  return value;
}

function conv2d(engine: hg.Engine): Case {
  const [N, C, S, O] = [8, 32, 32, 64];
  const x = engine.parameter(numbers(N * C * S * S, 1), [N, C, S, S]);
  const values = numbers(O * C * 9, 2);
  const w = engine.parameter(values, [O, C, 3, 3]);
  const loss = (w: hg.Tensor) => hg.mean(hg.tanh(hg.conv2d(x, w, undefined, { padding: 1 })));
  const flops = 3 * 2 * N * O * S * S * C * 9;
  return bothWays(
    "conv2d",
    "8×32×32×32→64, 3×3, both ways",
    flops,
    w,
    () => hg.mul(loss(w), 1000),
    (h) => {
      const moved = values.slice();
      moved[0]! += h;
      return itemOf(engine, () => hg.mul(loss(engine.tensor(moved, w.shape)), 1000));
    },
  );
}

function gru(engine: hg.Engine): Case {
  const [N, T, I, H] = [32, 50, 40, 64];
  const x = engine.parameter(numbers(N * T * I, 1), [N, T, I]);
  const values = numbers(3 * H * H, 3).map((v) => v / 8);
  const weightHh = engine.parameter(values, [3 * H, H]);
  const rest = {
    weightIh: engine.parameter(
      numbers(3 * H * I, 2).map((v) => v / 8),
      [3 * H, I],
    ),
    biasIh: engine.parameter(numbers(3 * H, 4), [3 * H]),
    biasHh: engine.parameter(numbers(3 * H, 5), [3 * H]),
  };
  const loss = (weightHh: hg.Tensor) => hg.mul(hg.mean(hg.gru(x, { ...rest, weightHh }).output), 1000);
  const flops = 3 * 2 * N * T * 3 * H * (I + H);
  return bothWays(
    "gru",
    "32×50×40→64, both ways",
    flops,
    weightHh,
    () => loss(weightHh),
    (h) => {
      const moved = values.slice();
      moved[0]! += h;
      return itemOf(engine, () => loss(engine.tensor(moved, weightHh.shape)));
    },
  );
}

function embeddingGradient(engine: hg.Engine): Case {
  const [V, D, n] = [10000, 64, 3200];
  const w = engine.parameter(numbers(V * D, 1), [V, D]);
  const ids = Int32Array.from({ length: n }, (_, i) => (i * 7919) % 1500);
  const places = engine.tensor(ids, [n]);
  return {
    op: "embedding.backward",
    shape: "10000×64, 3200 ids",
    flops: 0,
    record: () => hg.sum(hg.embedding(places, w)).backward().get(w),
    async check(result) {
      const d = await (result as hg.Tensor).data();
      for (const id of [0, 7, 1499, 1500])
        expectNear(`d[${id}]`, d[id * D + 3]!, ids.filter((other) => other === id).length, 1);
    },
  };
}

function trainStep(engine: hg.Engine): Case {
  const net = new MultimodalNet(engine, {
    image: [1, 28, 28],
    vocabulary: 1000,
    audio: 40,
    classes: 10,
    fusion: "concat",
    seed: 1,
  });
  const optimiser = hg.adam(net.parameters(), { lr: 1e-3 });
  const batch = randomBatch(32, 16, 32, 1000, 40);
  let first: number | undefined;
  return {
    op: "train_step",
    shape: "batch 32, 28×28 image, 16 words of 1000, 32×40 audio",
    flops: 0,
    record: () => {
      const loss = hg.crossEntropy(net.forward(batch, { training: true }), batch.label);
      optimiser.update(loss.backward());
      return loss;
    },
    // It begins near log 10, the loss of not knowing, and learns the one batch.
    async check(result) {
      const loss = await (result as hg.Tensor).item();
      if (first === undefined) {
        first = loss;
        if (!(Math.abs(loss - Math.log(10)) < 0.7)) throw new Error(`the first loss is ${loss}`);
      } else if (!(loss < first)) throw new Error(`the loss went from ${first} to ${loss}`);
    },
  };
}

export const casesOf = (engine: hg.Engine): (() => Case)[] => [
  ...[64, 256, 512, 1024].map((size) => () => matmul(engine, size)),
  () => conv2d(engine),
  () => gru(engine),
  () => embeddingGradient(engine),
  () => trainStep(engine),
];
