import { describe, expect, it } from "vitest";
import { Random } from "../../src/data/random.ts";
import { policyGradient } from "../../src/index.ts";
import { Baseline, type BaselineName, baselineDefaults, baselineNames } from "../../src/rl/algorithms/baseline.ts";
import { runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Is REINFORCE's gradient, as the kernel computes it and with each baseline as the learner takes it off, the gradient of
 * the expected reward? Three examples with fixed policies π_s = softmax(z_s) and known mean rewards r_s(a), so that
 *   J = Σ_s Σ_a π_s(a) r_s(a)        ∂J/∂z_sj = π_s(j) (r_s(j) − Σ_a π_s(a) r_s(a))
 * is exact. 100,000 answers are sampled and judged +1 or −1; the mean of the kernel's rows has to lie within its standard
 * error of that.
 */
const engine = await useEngine({ seed: 5 });

const [S, A, N, GROUP] = [3, 4, 100_000, 4];
const logits = [
  [0.5, -0.3, 1.2, 0],
  [2, 0, -1, 0.4],
  [0, 0.1, -0.1, 0.2],
];
const rewards = [
  [0.8, -0.5, 0.1, -0.9],
  [0.2, 0.9, 0.6, -0.4],
  [-0.2, -0.6, 0.7, 0.3],
];
const policies = logits.map((z) => {
  const powers = z.map(Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((p) => p / sum);
});
const exact = policies.map((p, s) => {
  const value = p.reduce((sum, x, a) => sum + x * rewards[s]![a]!, 0);
  return p.map((x, j) => x * (rewards[s]![j]! - value));
});

const random = new Random("answers");
/** GROUP answers to one example, then to the next. */
const answers = Array.from({ length: N }, (_, i) => {
  const s = Math.floor(i / GROUP) % S;
  const probabilities = policies[s]!;
  let left = random.uniform();
  const action = probabilities.findIndex((p, a) => {
    left -= p;
    return left < 0 || a === A - 1;
  });
  const reward = random.uniform() < (1 + rewards[s]![action]!) / 2 ? 1 : -1;
  return { s, action, reward, probabilities, example: { id: `${Math.floor(i / GROUP)}` } };
});

/** For each example and logit: the mean of −dloss_i/dz over its answers, and its standard error, groups taken together. */
async function estimated(advantages: readonly number[]) {
  const x = engine.parameter(
    answers.flatMap(({ s }) => logits[s]!),
    [N, A],
  );
  const d = await engine.step(() => {
    const actions = answers.map(({ action }) => action);
    return policyGradient(x, actions, advantages, { reduction: "sum" }).backward().get(x);
  });
  const rows = (await d.data()) as Float32Array;
  d.dispose();
  x.dispose();
  return policies.map((_, s) =>
    Array.from({ length: A }, (_, j) => {
      const means: number[] = [];
      for (let g = 0; g < N / GROUP; g++) {
        if (g % S !== s) continue;
        let sum = 0;
        for (let i = g * GROUP; i < (g + 1) * GROUP; i++) sum -= rows[i * A + j]!;
        means.push(sum / GROUP);
      }
      const n = means.length;
      const mean = means.reduce((a, b) => a + b, 0) / n;
      const variance = means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / (n - 1);
      return { mean, error: Math.sqrt(variance / n) };
    }),
  );
}
const distances = (found: Awaited<ReturnType<typeof estimated>>) =>
  found.flatMap((row, s) => row.map(({ mean, error }, j) => Math.abs(mean - exact[s]![j]!) / error));
const rms = (numbers: readonly number[]) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
const noise = (found: Awaited<ReturnType<typeof estimated>>) => rms(found.flat().map(({ error }) => error));

const advantagesOf = (baseline: BaselineName) =>
  new Baseline({ ...baselineDefaults, baseline }).advantages(answers as Parameters<Baseline["advantages"]>[0]);

describe("the policy gradient", () => {
  it.each(baselineNames)(
    "averaged over 100,000 sampled answers is that of the expected reward (baseline: %s)",
    (name) =>
      runCase(engine, {
        name,
        async run() {
          const found = await estimated(advantagesOf(name));
          const away = distances(found);
          // Twelve figures: of standard errors, 1 on average, and hardly ever more than 3.5.
          expect(rms(away)).toBeLessThan(1.6);
          expect(Math.max(...away)).toBeLessThan(3.5);
          // Small enough to tell it from 0, and from what is biased (below).
          expect(rms(found.flat().map(({ error }) => error))).toBeLessThan(0.05 * rms(exact.flat()));
        },
      }),
  );

  it("is steadier with a baseline that knows the example", async () => {
    const without = noise(await estimated(advantagesOf("none")));
    expect(noise(await estimated(advantagesOf("leaveOneOut")))).toBeLessThan(1.2 * without);
    expect(noise(await estimated(advantagesOf("average")))).toBeLessThan(1.02 * without);
  });

  it("is found to be biased where the baseline depends on the answer", async () => {
    // The mean of a group with the answer itself in it: shrinks the gradient by 1 / GROUP.
    const advantages = answers.map(({ reward }, i) => {
      const from = i - (i % GROUP);
      return reward - answers.slice(from, from + GROUP).reduce((sum, a) => sum + a.reward, 0) / GROUP;
    });
    expect(rms(distances(await estimated(advantages)))).toBeGreaterThan(4);
  });
});
