import { describe, expect, test } from "vitest";
import { cases, fromStored, readFixture, runReference, type Stored } from "./cases.ts";
import { type Array64, dot, logSoftmax, numericalGradient, policyGradient, withoutRow } from "./index.ts";
import { networkLogits } from "./network.ts";
import { batch } from "./network-inputs.ts";

/* The two oracles against each other: the plain loops here and PyTorch's fixtures. */

/** Fails with the worst element where |found − expected| > tolerance · max(1, |expected|). */
function expectClose(what: string, found: Array64, expected: Stored, tolerance: number): void {
  expect(found.shape, `${what}: shape`).toEqual(expected.shape);
  let [worst, where] = [0, 0];
  found.data.forEach((value, i) => {
    const error = Math.abs(value - expected.data[i]!) / Math.max(1, Math.abs(expected.data[i]!));
    if (!(error <= worst)) [worst, where] = [error, i];
  });
  const shown = `${what}[${where}]: ${found.data[where]}, PyTorch ${expected.data[where]}`;
  expect(worst, shown).toBeLessThanOrEqual(tolerance);
}

describe.each([...new Set(cases().map((c) => c.op))])("%s as PyTorch's", (op) => {
  test.each(cases(op))("$name", (one) => {
    const inputs = Object.fromEntries(Object.entries(one.inputs).map(([key, stored]) => [key, fromStored(stored)]));
    const found = runReference(one, inputs);
    expect(Object.keys(found)).toEqual(Object.keys(one.outputs));
    for (const [key, y] of Object.entries(found)) expectClose(key, y, one.outputs[key]!, 1e-9);

    if (/^(at zero|ties)/.test(one.name)) return; // a kink: differences give the mean of both sides
    const names = Object.keys(inputs);
    const loss = (xs: Array64[]): number => {
      const outputs = runReference(one, Object.fromEntries(xs.map((x, i) => [names[i], x])));
      return Object.entries(outputs).reduce((total, [key, y]) => total + dot(y, fromStored(one.dy[key]!)), 0);
    };
    for (const [key, gradient] of Object.entries(one.gradients)) {
      const dx = numericalGradient(loss, Object.values(inputs), names.indexOf(key));
      const looksUp = key === "w" && /^(embedding|meanEmbedding)$/.test(op);
      expectClose(`d${key}`, looksUp ? withoutRow(dx, one.options.paddingIdx) : dx, gradient, 1e-5);
    }
  });
});

describe("the reference network as PyTorch's", () => {
  test.each(["concat", "average", "weighted"] as const)("%s: logits and loss", (fusion) => {
    const { logits, losses } = readFixture("reference-network.json").fusions[fusion];
    const found = networkLogits(fusion, batch());
    expectClose("logits", found.logits, logits, 1e-9);
    expect(found.loss).toBeCloseTo(losses[0], 8);
  });
});

test("REINFORCE as PyTorch's", () => {
  const f = readFixture("reinforce.json");
  let baseline = f.baseline;
  const advantages = (f.rewards as Stored).data.map((reward) => {
    const advantage = reward - baseline;
    baseline = f.decay * baseline + (1 - f.decay) * reward;
    return advantage;
  });
  expect(baseline).toBeCloseTo(f.baselineAfter, 12);
  expectClose("advantages", { ...fromStored(f.advantages), data: Float64Array.from(advantages) }, f.advantages, 1e-9);

  const [actions, given] = [fromStored(f.actions), fromStored(f.advantages)];
  const reference = logSoftmax(fromStored(f.reference));
  const loss = ([logits]: Array64[]): number => policyGradient(logits!, actions, given, f, reference).data[0]!;
  expect(loss([fromStored(f.logits)])).toBeCloseTo(f.loss, 8);
  expectClose("dlogits", numericalGradient(loss, [fromStored(f.logits)], 0), f.dlogits, 1e-8);
});
