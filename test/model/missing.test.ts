import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { MultimodalNet } from "../../src/model/index.ts";
import { useEngine } from "../use-engine.ts";

/* What an example lacks may hold anything: it is not read, forward or back. */

const engine = await useEngine();

const present = [1, 0, 0, 1];
/** Two examples: the first has a picture, the second sound; `missing` stands where they have none. */
const batch = (missing: number) => ({
  image: Float32Array.from({ length: 128 }, (_, i) => (i < 64 ? Math.sin(i) : missing)),
  audio: Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? missing : Math.cos(i))),
  frames: [2, 2],
  present,
});

describe.each(["concat", "average", "weighted", "gated", "lowRank"] as const)("by %s", (fusion) => {
  const make = () =>
    new MultimodalNet(engine, {
      image: { shape: [1, 8, 8], channels: [4] },
      audio: { features: 3, hidden: 4 },
      fusion: { kind: fusion },
      head: { outputs: 3 },
    });
  test("NaN in a missing modality changes no result and no gradient", async () => {
    const net = make();
    const found = [];
    for (const missing of [0, NaN]) {
      const step = await engine.step(() => {
        const logits = net.forward(batch(missing), { training: true });
        const all = hg.sum(logits).backward();
        return {
          logits,
          ...Object.fromEntries(Object.entries(net.parameters()).map(([name, p]) => [name, all.get(p)])),
        };
      });
      const numbers: Record<string, number[]> = {};
      for (const [name, t] of Object.entries(step)) numbers[name] = [...(await t.data())];
      found.push(numbers);
    }
    expect(Object.values(found[0]!).flat().every(Number.isFinite)).toBe(true);
    expect(found[1]).toEqual(found[0]);
  });
});

test.each([
  ["rnn", hg.rnn, 1],
  ["gru", hg.gru, 3],
  ["lstm", hg.lstm, 4],
] as const)("NaN behind the end of a sequence reaches no gradient of %s", async (_, cell, G) => {
  const gates = (shape: number[]) => engine.parameter(new Float32Array(G).fill(0.5), shape);
  const w = { weightIh: gates([G, 1]), weightHh: gates([G, 1]), biasIh: gates([G]), biasHh: gates([G]) };
  const x = engine.parameter([1, NaN, 1, 2], [2, 2, 1]);
  for (const reverse of [false, true]) {
    const found = await engine.step(() => {
      const all = hg.sum(cell(x, w, { lengths: [1, 2], reverse }).output).backward();
      return Object.values({ x, ...w }).map((p) => all.get(p));
    });
    for (const d of found) expect((await d.data()).every(Number.isFinite)).toBe(true);
  }
});
