import type { Engine, RecurrentWeights, Tensor } from "../../src/index.ts";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Case, expectClose, expectEqual } from "../harness.ts";
import * as reference from "../reference/index.ts";
import { type Array64, map } from "../reference/index.ts";

/*
 * Cases so long that the loops of every way go round several times, by several threads and workgroups. The value against the
 * float64 reference; the gradient along one direction of all inputs together, as one for each number would take for ever.
 */

type Inputs = Record<string, Array64>;
const floats = ({ data }: Array64) => Float32Array.from(data);

async function agreeAlong(
  engine: Engine,
  inputs: Inputs,
  op: (x: Record<string, Tensor>) => Record<string, Tensor>,
  expected: (x: Inputs) => Inputs,
): Promise<void> {
  const y = expected(inputs);
  const names = Object.keys(inputs);
  const direction = Object.fromEntries(names.map((name, i) => [name, numbers(inputs[name]!.shape, 31 + i)]));
  const dy = Object.fromEntries(Object.entries(y).map(([name, { shape }], i) => [name, numbers(shape, 99 + i)]));
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
  const along = (e: number) => {
    const moved = names.map((name) => [name, map(inputs[name]!, (x, i) => x + e * direction[name]!.data[i]!)] as const);
    return Object.entries(expected(Object.fromEntries(moved))).reduce((s, [n, v]) => s + dot(v.data, dy[n]!.data), 0);
  };
  const tensors = Object.fromEntries(
    names.map((name) => [name, engine.parameter(floats(inputs[name]!), inputs[name]!.shape)]),
  );
  const { values, gradients } = await engine.step(() => {
    const values = op(tensors);
    const total = Object.entries(values)
      .map(([name, value]) => hg.sum(hg.mul(value, engine.tensor(floats(dy[name]!), dy[name]!.shape))))
      .reduce((a, b) => hg.add(a, b));
    const all = total.backward();
    return { values, gradients: Object.fromEntries(names.map((name) => [name, all.get(tensors[name]!)])) };
  });
  for (const [name, { shape, data }] of Object.entries(y)) {
    expectEqual(`the shape of ${name}`, values[name]!.shape, shape);
    expectClose(name, await values[name]!.data(), data);
  }
  let slope = 0;
  for (const name of names) slope += dot(await gradients[name]!.data(), direction[name]!.data);
  expectClose("the slope", [slope], [(along(1e-4) - along(-1e-4)) / 2e-4], 1e-3);
}

const both = { sum: [hg.sum, reference.sum], mean: [hg.mean, reference.mean] } as const;
const sums: Case[] = (
  [
    ["sum", [3, 70_001], 1],
    ["sum", [70_001, 3], 0],
    ["mean", [2, 9_001, 2], 1],
  ] as const
).map(([op, shape, axis]) => ({
  name: `${op}: long, ${shape} over axis ${axis}`,
  run: (engine) =>
    agreeAlong(
      engine,
      { x: numbers(shape, 1) },
      ({ x }) => ({ y: both[op][0](x!, { axis }) }),
      ({ x }) => ({ y: both[op][1](x!, { axis }) }),
    ),
}));

const D = 333;
const rows: Case[] = [
  {
    name: "softmax: long",
    run: (engine) =>
      agreeAlong(
        engine,
        { x: numbers([2, D], 1) },
        ({ x }) => ({ y: hg.softmax(x!), log: hg.logSoftmax(x!) }),
        ({ x }) => ({ y: reference.softmax(x!), log: reference.logSoftmax(x!) }),
      ),
  },
  {
    name: "softmax: NaN far back in a row",
    async run(engine) {
      const x = floats(numbers([2, D], 1));
      x[D - 1] = Number.NaN;
      const y = await engine.step(() => hg.softmax(engine.tensor(x, [2, D])));
      const [first, second] = [(await y.data()).slice(0, D), (await y.data()).slice(D)];
      expectEqual(
        "how many are NaN",
        [first, second].map((row) => row.filter(Number.isNaN).length),
        [D, 0],
      );
    },
  },
  {
    name: "crossEntropy: long, smoothing",
    run: (engine) =>
      agreeAlong(
        engine,
        { x: numbers([3, D], 1) },
        ({ x }) => ({ loss: hg.crossEntropy(x!, [7, D - 1, 0], { reduction: "none", labelSmoothing: 0.1 }) }),
        ({ x }) => ({
          loss: reference.crossEntropy(x!, reference.array([3], [7, D - 1, 0]), undefined, {
            reduction: "none",
            labelSmoothing: 0.1,
          }),
        }),
      ),
  },
  {
    name: "layerNorm: long",
    run: (engine) =>
      agreeAlong(
        engine,
        { x: numbers([2, D], 1), w: numbers([D], 2), b: numbers([D], 3) },
        ({ x, w, b }) => ({ y: hg.layerNorm(x!, w, b) }),
        ({ x, w, b }) => ({ y: reference.layerNorm(x!, w, b, {}) }),
      ),
  },
  {
    name: "clipGradientNorm: long",
    async run(engine) {
      const shapes = [[20_001], [3, 5_000]];
      const gradients = shapes.map((shape, i) => numbers(shape, i));
      const norm = Math.sqrt(gradients.reduce((sum, { data }) => sum + data.reduce((s, x) => s + x * x, 0), 0));
      const parameters = shapes.map((shape) => engine.parameter(floats(reference.array(shape)), shape));
      const optimizer = hg.sgd(parameters, { lr: 1, clipNorm: 2 });
      await engine.step(() => {
        const parts = parameters.map((p, i) => hg.sum(hg.mul(p, engine.tensor(floats(gradients[i]!), shapes[i]!))));
        optimizer.update(parts.reduce((a, b) => hg.add(a, b)).backward());
      });
      for (const [i, p] of parameters.entries())
        expectClose(`parameter ${i}`, await p.data(), map(gradients[i]!, (g) => (-2 * g) / norm).data);
    },
  },
];

const gatesOf = { gru: 3, gruBefore: 3, lstm: 4, rnn: 1, relu: 1 } as const;
const calls = {
  gru: hg.gru,
  gruBefore: (...[x, w, o]: Parameters<typeof hg.gru>) => hg.gru(x, w, { ...o, resetAfter: false }),
  lstm: hg.lstm,
  rnn: hg.rnn,
  relu: (...[x, w, o]: Parameters<typeof hg.rnn>) => hg.rnn(x, w, { ...o, nonlinearity: "relu" }),
};

/** More examples than a workgroup takes; more hidden units than it has threads; h0 and no biases. */
const recurrences: Case[] = (
  [
    ["gru", 17, 3, 8],
    ["gru", 3, 2, 260],
    ["gruBefore", 17, 3, 8],
    ["lstm", 17, 3, 8],
    ["lstm", 9, 2, 133],
    ["rnn", 17, 3, 8],
    ["rnn", 3, 2, 260],
    ["relu", 17, 3, 8],
  ] as const
).map(([cell, N, T, H]) => ({
  name: `${cell === "relu" ? "rnn" : cell}: ${cell}, ${N} examples, ${H} units, h0, no bias`,
  run: (engine) => {
    const G = gatesOf[cell] * H;
    const small = (shape: number[], seed: number) => map(numbers(shape, seed), (x) => x / Math.sqrt(shape.at(-1)!));
    const lengths = Array.from({ length: N }, (_, n) => (n + 1) % (T + 1));
    const none = reference.array([G]);
    return agreeAlong(
      engine,
      {
        ...{ x: numbers([N, T, 3], 1), weightIh: small([G, 3], 2), weightHh: small([G, H], 3) },
        h0: numbers(cell === "lstm" ? [2, N, H] : [N, H], 4),
      },
      ({ x, h0, ...weights }) => {
        const { output, hidden } = calls[cell](x!, weights as unknown as RecurrentWeights, {
          h0,
          lengths,
          reverse: true,
        });
        return { y: output, hidden };
      },
      ({ x, h0, weightIh, weightHh }) => ({
        ...reference.layered(
          cell,
          x!,
          [{ weightIh: weightIh!, weightHh: weightHh!, biasIh: none, biasHh: none }],
          { reverse: true },
          reference.array([N], lengths),
          h0,
        ),
      }),
    );
  },
}));

export const longCases: Case[] = [...sums, ...rows, ...recurrences];
