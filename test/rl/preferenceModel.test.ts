import { beforeAll, describe, expect, test } from "vitest";
import { adam } from "../../src/index.ts";
import { MultimodalNet } from "../../src/model/index.ts";
import { bradleyTerry, type Compared, learnFromRewards, PreferenceModel } from "../../src/rl/index.ts";
import { expectClose, runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, examples, type Small } from "./small.ts";

const engine = await useEngine({ seed: 7 });

const member = (seed: number) => {
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 8, 8], channels: [8] },
    text: { vocabSize: 2, embeddingDim: 2 },
    audio: { features: 1, hidden: 2 },
    head: { outputs: 4, hidden: 32 },
    seed,
  });
  return { net, optimizer: adam(net.parameters(), { lr: 0.01 }) };
};

/** Which actions a person who knows the labels likes better: the label over each other one. */
const compare = (some: readonly Small[]): Compared<Small>[] =>
  some.flatMap((example) =>
    [1, 2, 3].map((k) => ({ example, preferred: example.label, rejected: (example.label + k) % 4 })),
  );

test("Bradley and Terry's loss and gradient, by hand", () =>
  runCase(engine, {
    name: "",
    async run() {
      const r = [0.5, -1, 2, 0.3, 0, -0.7];
      const [preferred, rejected] = [
        [0, 2],
        [2, 1],
      ];
      const loss = (r: readonly number[]) => {
        const margin = (n: number) => r[3 * n + preferred[n]!]! - r[3 * n + rejected[n]!]!;
        return -[0, 1].reduce((all, n) => all + Math.log(1 / (1 + Math.exp(-margin(n)))), 0) / 2;
      };
      const h = 1e-5;
      const slope = r.map((_, i) => {
        const moved = (by: number) => loss(r.map((x, j) => (i === j ? x + by : x)));
        return (moved(h) - moved(-h)) / (2 * h);
      });
      const rewards = engine.parameter(r, [2, 3]);
      const { y, d } = await engine.step(() => {
        const y = bradleyTerry(engine, rewards, preferred, rejected);
        return { y, d: y.backward().get(rewards) };
      });
      expectClose("the loss", await y.data(), [loss(r)]);
      expectClose("its gradient", await d.data(), slope);
    },
  }));

describe("an ensemble that learned from comparisons", () => {
  const [seen, unseen] = [examples.slice(0, 40), examples.slice(40)];
  let model: PreferenceModel<Small>;
  beforeAll(async () => {
    model = new PreferenceModel([member(1), member(2), member(3)], { batchOf, seed: 4 });
    await model.learn(compare(seen), { steps: 60 });
  });

  test("likes the right action of examples that nobody compared, and its rewards are centered", async () => {
    const { mean, deviation } = await model.rewards(unseen);
    const right = unseen.filter(({ label }, n) => mean[n]!.indexOf(Math.max(...mean[n]!)) === label).length;
    expect(right / unseen.length).toBeGreaterThan(0.9);
    for (const row of mean) expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4);
    expect(Math.max(...deviation.flat())).toBeGreaterThan(0);
  });

  test("teaches a policy that nobody judged", async () => {
    const { net, optimizer } = member(9);
    const accuracy = async () => {
      const logits = await engine.step(() => net.forward(batchOf(unseen)));
      const numbers = await logits.data();
      const best = (row: ArrayLike<number>) => Array.from(row).indexOf(Math.max(...Array.from(row)));
      return unseen.filter(({ label }, n) => best(numbers.subarray(4 * n, 4 * n + 4)) === label).length / unseen.length;
    };
    expect(await accuracy()).toBeLessThan(0.6);
    for (let i = 0; i < 60; i++) await learnFromRewards(net, optimizer, { model, examples: unseen, toBatch: batchOf });
    expect(await accuracy()).toBeGreaterThan(0.9);
  }, 120_000);

  test("a reference holds the policy back by klCoef", async () => {
    const lossOf = (klCoef: number) => {
      const { net, optimizer } = member(9);
      return learnFromRewards(net, optimizer, {
        model,
        examples: unseen,
        toBatch: batchOf,
        reference: member(3).net,
        klCoef,
      });
    };
    expect(await lossOf(1)).toBeGreaterThan(await lossOf(0));
  });

  test("nothing compared, nothing learned; no members, no model", async () => {
    expect(await model.learn([])).toBeUndefined();
    expect(() => new PreferenceModel<Small>([], { batchOf })).toThrow(/no members/);
    expect(() => new PreferenceModel<Small>([member(1)], { batchOf, heldBack: 1 })).toThrow(/heldBack is 1/);
  });
});
