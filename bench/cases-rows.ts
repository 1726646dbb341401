import * as hg from "handgrad";
import { type Case, type Cases, expectNear, expectSome, learned, type Results } from "./case.ts";

/* What passes over memory once: number by number, sums, rows, shapes, optimizers. What counts is GB/s. */

const MILLION = 1 << 20;

function elementwise(
  engine: hg.Engine,
  op: string,
  own: (x: hg.Tensor) => hg.Tensor,
  f: (x: number) => number,
  both: boolean,
): Case {
  const x = learned(engine, [MILLION], 1);
  return {
    op,
    shape: `${MILLION}${both ? ", both ways" : ""}`,
    flops: 0,
    bytes: 4 * MILLION * (both ? 5 : 2),
    record() {
      if (!both) return { y: hg.noGrad(() => own(x.tensor)) };
      const y = own(x.tensor);
      return { y, dx: y.backward(x.tensor).get(x.tensor) };
    },
    async check({ y, dx }) {
      await expectSome(y!, (at) => f(x.values[at]!));
      const h = 1e-4;
      const slope = (v: number) => (f(v + h) - f(v - h)) / (2 * h);
      if (dx) await expectSome(dx, (at) => x.values[at]! * slope(x.values[at]!));
    },
  };
}

function forward(
  op: string,
  shape: string,
  numbersMoved: number,
  record: () => hg.Tensor,
  check: (y: hg.Tensor) => Promise<void>,
): Case {
  return {
    op,
    shape,
    flops: 0,
    bytes: 4 * numbersMoved,
    record: () => ({ y: hg.noGrad(record) }),
    check: ({ y }: Results) => check(y!),
  };
}

function add(engine: hg.Engine): Case {
  const [a, b] = [learned(engine, [1024, 1024], 1), learned(engine, [1024], 2)];
  return forward(
    "add",
    "1024×1024 + 1024",
    2 * MILLION,
    () => hg.add(a.tensor, b.tensor),
    (y) => expectSome(y, (at) => a.values[at]! + b.values[at % 1024]!),
  );
}

function sum(engine: hg.Engine, axis: 0 | 1 | undefined): Case {
  const x = learned(engine, [1024, 1024], 1);
  const term = (at: number, i: number) => (axis === 0 ? i * 1024 + at : axis === 1 ? at * 1024 + i : i);
  return forward(
    "sum",
    `1024×1024${axis === undefined ? "" : `, axis ${axis}`}`,
    MILLION,
    () => (axis === undefined ? hg.sum(x.tensor) : hg.sum(x.tensor, { axis })),
    (y) =>
      expectSome(
        y,
        (at) => {
          let total = 0;
          for (let i = 0; i < (axis === undefined ? MILLION : 1024); i++) total += x.values[term(at, i)]!;
          return total;
        },
        axis === undefined ? 500 : 20,
      ),
  );
}

/** Softmax of row r at column c, by hand. */
function shareOf(values: Float32Array, D: number, at: number): number {
  const row = values.subarray(Math.floor(at / D) * D, Math.floor(at / D) * D + D);
  let total = 0;
  for (const v of row) total += Math.exp(v);
  return Math.exp(values[at]!) / total;
}

function softmax(engine: hg.Engine, N: number, D: number): Case {
  const x = learned(engine, [N, D], 1, 3);
  return forward(
    "softmax",
    `${N}×${D}`,
    2 * N * D,
    () => hg.softmax(x.tensor),
    (y) => expectSome(y, (at) => shareOf(x.values, D, at), 0),
  );
}

function crossEntropy(engine: hg.Engine, N: number, A: number): Case {
  const x = learned(engine, [N, A], 1, 3);
  const labels = Int32Array.from({ length: N }, (_, i) => (i * 31) % A);
  const label = engine.tensor(labels, [N]);
  return {
    op: "crossEntropy",
    shape: `${N}×${A}, both ways`,
    flops: 0,
    bytes: 4 * 2 * N * A,
    record() {
      const loss = hg.crossEntropy(x.tensor, label);
      return { loss, dx: loss.backward().get(x.tensor) };
    },
    async check({ loss, dx }) {
      let mean = 0;
      for (let n = 0; n < N; n++) mean -= Math.log(shareOf(x.values, A, n * A + labels[n]!)) / N;
      expectNear("the loss", await loss!.item(), mean);
      const d = await dx!.data();
      expectNear("dx[0, 0] · N", d[0]! * N, shareOf(x.values, A, 0) - 1);
    },
  };
}

function layerNorm(engine: hg.Engine, N: number, D: number): Case {
  const x = learned(engine, [N, D], 1);
  const [w, b] = [engine.parameter(new Float32Array(D).fill(1)), engine.parameter(new Float32Array(D))];
  return {
    op: "layerNorm",
    shape: `${N}×${D}, both ways`,
    flops: 0,
    bytes: 4 * 5 * N * D,
    record() {
      const y = hg.layerNorm(x.tensor, w, b);
      const d = y.backward(x.tensor);
      return { y, dx: d.get(x.tensor), dw: d.get(w) };
    },
    check: ({ y }) =>
      expectSome(y!, (at) => {
        const row = x.values.subarray(Math.floor(at / D) * D, Math.floor(at / D) * D + D);
        const mean = row.reduce((s, v) => s + v, 0) / D;
        const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / D;
        return (x.values[at]! - mean) / Math.sqrt(variance + 1e-5);
      }),
  };
}

function transpose(engine: hg.Engine): Case {
  const x = learned(engine, [1024, 1024], 1);
  return forward(
    "transpose",
    "1024×1024",
    2 * MILLION,
    () => hg.transpose(x.tensor, 0, 1),
    (y) => expectSome(y, (at) => x.values[(at % 1024) * 1024 + Math.floor(at / 1024)]!),
  );
}

function concat(engine: hg.Engine): Case {
  const parts = [1, 2, 3].map((seed) => learned(engine, [1024, 256], seed));
  return forward(
    "concat",
    "3 of 1024×256",
    2 * 3 * 1024 * 256,
    () =>
      hg.concat(
        parts.map(({ tensor }) => tensor),
        { axis: 1 },
      ),
    (y) => expectSome(y, (at) => parts[Math.floor((at % 768) / 256)]!.values[Math.floor(at / 768) * 256 + (at % 256)]!),
  );
}

function dropout(engine: hg.Engine): Case {
  const x = engine.parameter(new Float32Array(MILLION).fill(1));
  return forward(
    "dropout",
    `${MILLION}, p 0.5`,
    2 * MILLION,
    () => hg.dropout(x, { p: 0.5 }),
    async (y) => {
      const kept = (await y.data()).filter((v) => v === 2).length;
      expectNear("the share kept", kept / MILLION, 0.5, 10);
    },
  );
}

function adam(engine: hg.Engine, n: number): Case {
  const p = learned(engine, [n], 1);
  const g = engine.tensor(new Float32Array(n).fill(1), [n]);
  const optimizer = hg.adam({ p: p.tensor }, { lr: 1e-3 });
  let steps = 0;
  return {
    op: "adam",
    shape: `${n} parameters`,
    flops: 0,
    bytes: 4 * 7 * n,
    alone: true,
    record() {
      steps += 1;
      const loss = hg.sum(hg.mul(p.tensor, g));
      optimizer.update(loss.backward());
      return { loss };
    },
    // With a gradient that is always 1, Adam goes down by its rate at each step.
    check: async () => {
      const now = await p.tensor.data();
      for (const at of [0, n >> 1, n - 1]) expectNear(`p[${at}]`, now[at]!, p.values[at]! - 1e-3 * steps);
    },
  };
}

const gelu = (x: number) => {
  // Abramowitz and Stegun 7.1.26, right to 1.5e-7.
  const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
  const poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return 0.5 * x * (1 + Math.sign(x) * (1 - poly * Math.exp(-(x * x) / 2)));
};

export const rowCases: Cases = (engine) => [
  () => elementwise(engine, "relu", hg.relu, (x) => Math.max(0, x), false),
  () => elementwise(engine, "exp", hg.exp, Math.exp, false),
  () => elementwise(engine, "tanh", hg.tanh, Math.tanh, true),
  () => elementwise(engine, "gelu", hg.gelu, gelu, true),
  () => add(engine),
  () => sum(engine, undefined),
  () => sum(engine, 0),
  () => sum(engine, 1),
  () => softmax(engine, 1024, 1000),
  () => crossEntropy(engine, 32, 10),
  () => crossEntropy(engine, 1024, 1000),
  () => layerNorm(engine, 1024, 512),
  () => transpose(engine),
  () => concat(engine),
  () => dropout(engine),
  () => adam(engine, 1 << 18),
];
