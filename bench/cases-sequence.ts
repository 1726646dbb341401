import * as hg from "handgrad";
import { type Case, type Cases, count, expectNear, expectSome, learned, numbers } from "./case.ts";

/* Recurrences and word vectors. */

const recurrences = { gru: hg.gru, lstm: hg.lstm, rnn: hg.rnn };
const gates = { gru: 3, lstm: 4, rnn: 1 };

/** A whole sequence both ways. The gradient by a weight is checked by moving that weight. */
function recurrence(engine: hg.Engine, op: keyof typeof recurrences, [N, T, I, H]: readonly number[]): Case {
  const G = gates[op];
  const x = learned(engine, [N!, T!, I!], 1);
  const weightHh = learned(engine, [G * H!, H!], 3, 1 / Math.sqrt(H!));
  const rest = {
    weightIh: learned(engine, [G * H!, I!], 2, 1 / Math.sqrt(I!)).tensor,
    biasIh: learned(engine, [G * H!], 4, 0.1).tensor,
    biasHh: learned(engine, [G * H!], 5, 0.1).tensor,
  };
  const last = (weight: hg.Tensor) => recurrences[op](x.tensor, { ...rest, weightHh: weight }).hidden;
  // The LSTM's state is two: h and c.
  const states = op === "lstm" ? [2, N!, H!] : [N!, H!];
  const g = engine.tensor(numbers(count(states), 6), states);
  const moved = async (h: number) => {
    const values = weightHh.values.slice();
    values[0]! += h;
    const y = await engine.step(() => hg.noGrad(() => hg.sum(hg.mul(last(engine.tensor(values, [G * H!, H!])), g))));
    const item = await y.item();
    y.dispose();
    return item;
  };
  return {
    op,
    shape: `${N}×${T}×${I}→${H}, both ways`,
    flops: 6 * N! * T! * G * H! * (I! + H!),
    bytes: 4 * 3 * (N! * T! * (I! + H!) + G * H! * (I! + H!)),
    record() {
      const y = last(weightHh.tensor);
      const d = y.backward(g);
      return { y, dx: d.get(x.tensor), dw: d.get(rest.weightIh), dwh: d.get(weightHh.tensor) };
    },
    async check({ y, dwh }) {
      for (const h of (await y!.data()).subarray(0, N! * H!))
        if (!(Math.abs(h) <= 1)) throw new Error(`a state is ${h}`);
      const h = 0.02;
      expectNear("dweightHh[0]", (await dwh!.data())[0]! / 20, ((await moved(h)) - (await moved(-h))) / (2 * h) / 20);
    },
  };
}

/** Word vectors, or their gradient. Ids repeat, as words do. */
function embedding(engine: hg.Engine, V: number, D: number, n: number, backward: boolean): Case {
  const w = learned(engine, [V, D], 1);
  const ids = Int32Array.from({ length: n }, (_, i) => (i * 7919) % Math.min(1500, V));
  const places = engine.tensor(ids, [n]);
  const g = learned(engine, [n, D], 2);
  return {
    op: backward ? "embedding.backward" : "embedding",
    shape: `${V}×${D}, ${n} ids`,
    flops: 0,
    bytes: 4 * (backward ? (V + n) * D + n : 2 * n * D + n),
    record() {
      const y = hg.embedding(places, w.tensor);
      return backward ? { dw: y.backward(g.tensor).get(w.tensor) } : { y };
    },
    async check({ y, dw }) {
      if (y) await expectSome(y, (at) => w.values[ids[Math.floor(at / D)]! * D + (at % D)]!);
      if (!dw) return;
      const d = await dw.data();
      for (const id of [0, 7, Math.min(1500, V) - 1, V - 1]) {
        let sum = 0;
        ids.forEach((other, i) => {
          if (other === id) sum += g.values[i * D + 3]!;
        });
        expectNear(`dw[${id}, 3]`, d[id * D + 3]!, sum);
      }
    },
  };
}

export const sequenceCases: Cases = (engine) => [
  () => recurrence(engine, "gru", [32, 32, 40, 64]),
  () => recurrence(engine, "gru", [32, 50, 40, 64]),
  () => recurrence(engine, "gru", [8, 100, 128, 256]),
  () => recurrence(engine, "lstm", [32, 50, 40, 64]),
  () => recurrence(engine, "rnn", [32, 50, 40, 64]),
  () => embedding(engine, 10000, 64, 3200, false),
  () => embedding(engine, 10000, 64, 3200, true),
  () => embedding(engine, 1000, 32, 512, true),
];
