import { describe, expect, test } from "vitest";
import { opNames } from "../cases/names.ts";
import { fixtureCases, loadOps } from "../cases/ops.ts";
import { optimizerReferences } from "../cases/optimizers.ts";
import referenceNetwork from "../fixtures/reference-network.json" with { type: "json" };
import reinforce from "../fixtures/reinforce.json" with { type: "json" };
import { type Array64, array, dot, logSoftmax, numericalGradient, policyGradient } from "./index.ts";
import { networkLogits } from "./network.ts";
import { batch } from "./network-inputs.ts";

/* The two oracles against each other: the plain loops here and PyTorch's fixtures. */

type Packed = Pick<Array64, "shape"> & { data: number[] };
const fromStored = ({ shape, data }: Packed): Array64 => array(shape, data);

/** Fails with the worst element where |found − expected| > tolerance · max(1, |expected|). */
function expectClose(what: string, found: Array64, expected: Packed, tolerance: number): void {
  expect(found.shape, `${what}: shape`).toEqual(expected.shape);
  let [worst, where] = [0, 0];
  found.data.forEach((value, i) => {
    const error = Math.abs(value - expected.data[i]!) / Math.max(1, Math.abs(expected.data[i]!));
    if (!(error <= worst)) [worst, where] = [error, i];
  });
  const shown = `${what}[${where}]: ${found.data[where]}, PyTorch ${expected.data[where]}`;
  expect(worst, shown).toBeLessThanOrEqual(tolerance);
}

const { byFixture } = await loadOps(opNames());

describe.each([...new Set(fixtureCases.map(({ op }) => op))])("%s as PyTorch's", (name) => {
  const op = byFixture.get(name);
  const reference = op?.reference ?? optimizerReferences[name]!;
  test.each(fixtureCases.filter(({ op }) => op === name))("$name", ({ name, options, ...one }) => {
    const inputs = Object.fromEntries(Object.entries(one.inputs).map(([key, stored]) => [key, fromStored(stored)]));
    const found = reference(inputs, options);
    expect(Object.keys(found)).toEqual(Object.keys(one.outputs));
    for (const [key, y] of Object.entries(found)) expectClose(key, y, one.outputs[key]!, 1e-9);

    if (/^(at zero|ties)/.test(name)) return; // a kink: differences give the mean of both sides
    const names = Object.keys(inputs);
    const loss = (xs: Array64[]): number => {
      const outputs = reference(Object.fromEntries(xs.map((x, i) => [names[i], x])), options);
      return Object.entries(outputs).reduce((total, [key, y]) => total + dot(y, fromStored(one.dy[key]!)), 0);
    };
    for (const [key, gradient] of Object.entries(one.gradients)) {
      const d = numericalGradient(loss, Object.values(inputs), names.indexOf(key));
      expectClose(`d${key}`, op?.gradient?.(key, d, options) ?? d, gradient, 1e-5);
    }
  });
});

describe("the reference network as PyTorch's", () => {
  test.each(["concat", "average", "weighted"] as const)("%s: logits and loss", (fusion) => {
    const { logits, losses } = referenceNetwork.fusions[fusion];
    const found = networkLogits(fusion, batch());
    expectClose("logits", found.logits, logits, 1e-9);
    expect(found.loss).toBeCloseTo(losses[0]!, 8);
  });
});

test("REINFORCE as PyTorch's", () => {
  const f = reinforce;
  let baseline = f.baseline;
  const advantages = f.rewards.data.map((reward) => {
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
