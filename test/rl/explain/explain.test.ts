import { describe, expect, it } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { noGrad, softmax } from "../../../src/index.ts";
import { type Batch, type MultimodalConfig, MultimodalNet } from "../../../src/model/index.ts";
import { repeated } from "../../../src/rl/explain/example.ts";
import { integratedGradients, modalityShares, shapleyValues, wordShares } from "../../../src/rl/index.ts";
import { runCase } from "../../harness.ts";
import { useEngine } from "../../use-engine.ts";

const engine = await useEngine({ seed: 5 });

/** Weights far from zero, so that all modalities matter. */
function net(changes: Partial<MultimodalConfig> = {}): MultimodalNet {
  const network = new MultimodalNet(engine, {
    image: { shape: [1, 8, 8], channels: [4] },
    text: { vocabSize: 20, embeddingDim: 6 },
    audio: { features: 4, hidden: 6 },
    fusion: { kind: "concat", dim: 8 },
    head: { outputs: 3, hidden: 12 },
    seed: 4,
    ...changes,
  });
  const random = new Random("weights");
  for (const p of Object.values(network.parameters())) {
    const n = p.shape.reduce((a, b) => a * b, 1);
    p.gpu.write(
      p.slot,
      Float32Array.from({ length: n }, () => 0.4 * random.normal()),
    );
  }
  return network;
}
function batchOf(N: number, L: number, padding = 0): Batch {
  const random = new Random("batch", N, L);
  const numbers = (n: number) => Float32Array.from({ length: n }, () => random.uniform());
  const words = Int32Array.from({ length: N * L }, (_, i) => (i % L >= L - padding ? 0 : 1 + random.integer(19)));
  return { image: numbers(N * 64), words, audio: numbers(N * 5 * 4), frames: new Int32Array(N).fill(5) };
}
async function probabilities(network: MultimodalNet, batch: Batch): Promise<Float32Array> {
  const p = await engine.step(() => noGrad(() => softmax(network.forward(batch))));
  return (await p.data()) as Float32Array;
}
const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);

describe("shapleyValues", () => {
  it("are what each adds, averaged over all orders", () => {
    const random = new Random("game");
    const v = Array.from({ length: 16 }, () => random.normal());
    const orders = (left: number[]): number[][] =>
      left.length === 0 ? [[]] : left.flatMap((i) => orders(left.filter((j) => j !== i)).map((rest) => [i, ...rest]));
    const expected = [0, 0, 0, 0];
    for (const order of orders([0, 1, 2, 3])) {
      let S = 0;
      for (const i of order) {
        expected[i]! += (v[S | (1 << i)]! - v[S]!) / 24;
        S |= 1 << i;
      }
    }
    shapleyValues(v).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 12);
    });
    expect(sum(shapleyValues(v))).toBeCloseTo(v[15]! - v[0]!, 12);
    expect(shapleyValues([7])).toEqual([]);
    expect(() => shapleyValues([1, 2, 3])).toThrow(/3 numbers, expected 2ⁿ/);
  });
});

describe("modalityShares", () => {
  it.each(["concat", "average", "weighted", "gated", "lowRank"] as const)(
    "share out the probability, exactly, whatever the fusion (%s)",
    (fusion) =>
      runCase(engine, {
        name: fusion,
        async run() {
          const network = net({ fusion: { kind: fusion, dim: 8 } });
          const batch = { ...batchOf(3, 4), present: Float32Array.of(1, 1, 1, 1, 0, 1, 0, 0, 0) };
          const actions = [0, 2, 1];
          const p = await probabilities(network, batch);
          const found = await modalityShares(network, batch, actions);
          found.forEach(({ shares, none, all }, n) => {
            expect(all).toBeCloseTo(p[n * 3 + actions[n]!]!, 5);
            expect(sum(Object.values(shares))).toBeCloseTo(all - none, 6);
          });
          // The first has all, and each of them matters; what is not there adds nothing.
          for (const share of Object.values(found[0]!.shares)) expect(Math.abs(share)).toBeGreaterThan(1e-5);
          expect(found[1]!.shares.text).toBe(0);
          expect(found[2]!.shares).toEqual({ image: 0, text: 0, audio: 0 });
          // One subset by hand: what the network says of picture and sound alone.
          const [only] = await modalityShares(
            network,
            { ...batch, present: Float32Array.of(1, 0, 1, 1, 0, 1, 0, 0, 0) },
            actions,
          );
          const there = await probabilities(network, { ...batch, present: Float32Array.of(1, 0, 1, 1, 0, 1, 0, 0, 0) });
          expect(only!.all).toBeCloseTo(there[0]!, 5);
        },
      }),
  );

  it("of a network without sound give it nothing", async () => {
    const network = net({ audio: undefined });
    const { image, words } = batchOf(1, 4);
    const [found] = await modalityShares(network, { image, words }, [1]);
    expect(found!.shares.audio).toBe(0);
    expect(sum(Object.values(found!.shares))).toBeCloseTo(found!.all - found!.none, 6);
  });
});

describe("wordShares", () => {
  it("add up to what all words change, exactly for a short text; padding adds nothing", async () => {
    const network = net();
    const batch = batchOf(1, 5, 2);
    const shares = await wordShares(network, batch, 1);
    const [all, none] = await Promise.all(
      [batch, { ...batch, words: new Int32Array(5) }].map(async (b) => (await probabilities(network, b))[1]!),
    );
    expect(shares.length).toBe(5);
    expect(shares.slice(3)).toEqual([0, 0]);
    expect(sum(shares)).toBeCloseTo(all! - none!, 5);
    // The same word twice, and the mean of word vectors does not know their order.
    const twice = { ...batch, words: Int32Array.of(7, 3, 7, 0, 0) };
    const [a, , b] = await wordShares(network, twice, 1);
    expect(a).toBeCloseTo(b!, 5);
  });

  it("of a long text are near the exact ones, and add up all the same", async () => {
    const network = net();
    const batch = batchOf(1, 10, 0);
    const shares = await wordShares(network, batch, 0, 3);
    const [all, none] = await Promise.all(
      [batch, { ...batch, words: new Int32Array(10) }].map(async (b) => (await probabilities(network, b))[0]!),
    );
    expect(sum(shares)).toBeCloseTo(all! - none!, 5);
    expect(await wordShares(network, batch, 0, 3)).toEqual(shares);
    const subsets = 2 ** 10;
    const ids = batch.words as Int32Array;
    const texts = Int32Array.from({ length: subsets * 10 }, (_, i) => (((i / 10) >> (i % 10)) & 1 ? ids[i % 10]! : 0));
    const p = await probabilities(network, { ...repeated(batch, subsets), words: texts });
    const exact = shapleyValues(Array.from({ length: subsets }, (_, S) => p[S * 3]!));
    const largest = Math.max(...exact.map(Math.abs));
    exact.forEach((value, i) => {
      expect(Math.abs(shares[i]! - value)).toBeLessThan(0.1 * largest);
    });
  });
});

describe("integratedGradients", () => {
  it("add up to how far the probability is from that of the baseline", () =>
    runCase(engine, {
      name: "completeness",
      async run() {
        const network = net();
        const batch = batchOf(1, 4);
        const found = await integratedGradients(network, batch, 2, { steps: 64 });
        const p = await probabilities(network, batch);
        const nothing = { ...batch, image: new Float32Array(64), audio: new Float32Array(20) };
        expect(found.to).toBeCloseTo(p[2]!, 5);
        expect(found.from).toBeCloseTo((await probabilities(network, nothing))[2]!, 5);
        const total = sum(found.image!) + sum(found.audio!);
        expect(Math.abs(found.to - found.from)).toBeGreaterThan(0.01);
        expect(Math.abs(total - (found.to - found.from))).toBeLessThan(0.03 * Math.abs(found.to - found.from) + 1e-3);
        expect(found.frames!.length).toBe(5);
        expect(sum(found.frames!)).toBeCloseTo(sum(found.audio!), 5);
      },
    }));

  it("give nothing to what is as in the baseline, or what the network does not hear", async () => {
    const network = net();
    const batch = { ...batchOf(1, 4), frames: Int32Array.of(3) };
    const image = Float32Array.from(batch.image as Float32Array, (x, i) => (i < 32 ? 0 : x));
    const found = await integratedGradients(network, { ...batch, image }, 0, { steps: 8 });
    expect(found.image!.subarray(0, 32).every((x) => x === 0)).toBe(true);
    expect(found.image!.subarray(32).some((x) => x !== 0)).toBe(true);
    // Frames after the end of the sound.
    expect([...found.frames!.subarray(3)]).toEqual([0, 0]);
    const same = { image: batch.image as Float32Array, audio: batch.audio as Float32Array };
    const none = await integratedGradients(network, batch, 0, { steps: 8, baseline: same });
    expect(none.image!.every((x) => x === 0)).toBe(true);
    expect(none.from).toBe(none.to);
  });

  it("refuse a baseline of another size", async () => {
    const wrong = integratedGradients(net(), batchOf(1, 4), 0, { baseline: { image: new Float32Array(3) } });
    await expect(wrong).rejects.toThrow(/baseline's image holds 3 numbers, not 64/);
  });
});
