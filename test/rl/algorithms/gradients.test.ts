import { describe, expect, test } from "vitest";
import { Random } from "../../../src/data/random.ts";
import { policyGradient } from "../../../src/index.ts";
import { softmaxOf } from "../../../src/model/index.ts";
import { Baseline, type BaselineName, baselineDefaults, baselineNames } from "../../../src/rl/algorithms/baseline.ts";
import { clippedSurrogate } from "../../../src/rl/algorithms/surrogate.ts";
import { drawAction } from "../../../src/rl/answers.ts";
import { expectClose } from "../../harness.ts";
import { useEngine } from "../../use-engine.ts";

const engine = await useEngine({ seed: 5 });

/** One example, four answers, and what each of them earns. */
const logits = [0.3, -0.8, 1.1, 0];
const earns = [1, -1, 0.2, -0.4];
const policy = softmaxOf(logits);

describe("the policy gradient", () => {
  /*
   * E[(r − b) ∇ log π(a)] = Σ_a π(a) r(a) ∇ log π(a), whatever the baseline: 10^5 answers are drawn, and the mean of the
   * estimator is compared with the sum within its standard error, which is taken from the spread of 100 shares of them.
   */
  test.each(baselineNames)(
    "of 10^5 sampled answers is the exact one within its error (%s)",
    async (baseline: BaselineName) => {
      const [N, K] = [100_000, 100];
      const random = new Random("policy gradient", baseline);
      const actions = Array.from({ length: N }, () => drawAction(policy, random));
      // Groups of four answers to one example, for the baseline that needs them.
      const judged = actions.map((action, i) => ({
        example: { id: `e${i >> 2}` },
        reward: earns[action]!,
        probabilities: policy,
      }));
      const advantages = new Baseline({ ...baselineDefaults, baseline }).advantages(judged);
      const x = engine.parameter(
        Float32Array.from({ length: 4 * N }, (_, i) => logits[i % 4]!),
        [N, 4],
      );
      const d = await engine.step(() => policyGradient(x, actions, advantages).backward().get(x));
      const rows = (await d.data()) as Float32Array;
      x.dispose();
      d.dispose();
      const share = (k: number, a: number) => {
        let sum = 0;
        for (let i = (k * N) / K; i < ((k + 1) * N) / K; i++) sum += rows[4 * i + a]!;
        return sum * K;
      };
      const value = policy.reduce((sum, p, a) => sum + p * earns[a]!, 0);
      let spread = 0;
      for (const a of [0, 1, 2, 3]) {
        const exact = -policy[a]! * (earns[a]! - value);
        const shares = Array.from({ length: K }, (_, k) => share(k, a));
        const mean = shares.reduce((s, x) => s + x, 0) / K;
        const error = Math.sqrt(shares.reduce((s, x) => s + (x - mean) ** 2, 0) / (K - 1) / K);
        spread += error;
        // 3.5 standard errors: one of 16 figures beyond it in 100 honest seeds.
        expect(Math.abs(mean - exact)).toBeLessThan(3.5 * error);
        expect(error).toBeLessThan(0.01);
      }
      expect(spread).toBeGreaterThan(0);
    },
  );

  test("the clipped surrogate and its gradient are those of the equation, on both sides of the clip", async () => {
    const rows = [0.3, -1.2, 2, 0.1, 0.5, -0.7, 1, 1, 0.2, -0.5, 0.4, 0.9];
    const actions = [2, 0, 1, 2];
    const advantages = [1, -0.5, 2, -1.5];
    const now = actions.map((a, i) => softmaxOf(rows.slice(3 * i, 3 * i + 3))[a]!);
    // Ratios of 1, 1.5 (beyond, wrong side for a loss of −0.5), 1.6 (beyond and cut) and 0.5 (beyond and cut).
    const then = now.map((p, i) => p / [1, 1.5, 1.6, 0.5][i]!);
    const loss = (x: readonly number[]) =>
      -actions.reduce((sum, a, i) => {
        const ratio = softmaxOf(x.slice(3 * i, 3 * i + 3))[a]! / then[i]!;
        const kept = Math.min(1.2, Math.max(0.8, ratio));
        return sum + Math.min(ratio * advantages[i]!, kept * advantages[i]!) / actions.length;
      }, 0);
    const expected = rows.map((_, i) => {
      const move = (h: number) => loss(rows.map((v, k) => (k === i ? v + h : v)));
      return (move(1e-5) - move(-1e-5)) / 2e-5;
    });
    const x = engine.parameter(rows, [4, 3]);
    const { y, d } = await engine.step(() => {
      const y = clippedSurrogate(engine, x, { actions, then, advantages, clip: 0.2 });
      return { y, d: y.backward().get(x) };
    });
    expectClose("the loss", [await y.item()], [loss(rows)]);
    expectClose("its gradient", await d.data(), expected);
    // What was cut has no gradient, what was not has one.
    expect(expected.slice(6, 9).every((g) => Math.abs(g) < 1e-9)).toBe(true);
    expect(expected.slice(9, 12).every((g) => Math.abs(g) < 1e-9)).toBe(true);
    expect(expected.slice(0, 3).some((g) => Math.abs(g) > 1e-2)).toBe(true);
  });
});
