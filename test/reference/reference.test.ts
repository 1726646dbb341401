import { describe, expect, test } from "vitest";
import { type Case, cases, fromStored, runReference, type Stored } from "./cases.ts";
import { type Array64, dot, numericalGradient, withoutRow } from "./index.ts";

/** Fails with the worst element where |found − expected| > tolerance · max(1, |expected|). */
function expectClose(what: string, found: Array64, expected: Stored, tolerance: number): void {
  expect(found.shape, `${what}: shape`).toEqual(expected.shape);
  let [worst, where] = [0, -1];
  found.data.forEach((value, i) => {
    const error = Math.abs(value - expected.data[i]!) / Math.max(1, Math.abs(expected.data[i]!));
    if (!(error <= worst)) [worst, where] = [error, i];
  });
  const shown = `${what}[${where}]: ${found.data[where]}, PyTorch ${expected.data[where]}`;
  expect(worst, shown).toBeLessThanOrEqual(tolerance);
}

const arrays = (stored: Case["inputs"]) =>
  Object.fromEntries(Object.entries(stored).map(([key, x]) => [key, fromStored(x)]));

/** Kinks and rounding at ±1e4 are no place for differences; a saturated unit has a slope below their noise. */
const smooth = ({ op, name }: Case) => op !== "relu" && !/1e4|far out|relu|saturated/.test(name);

describe("the float64 reference agrees with PyTorch", () => {
  for (const one of cases()) {
    test(`${one.op}: ${one.name}`, () => {
      const found = runReference(one, arrays(one.inputs));
      for (const [key, expected] of Object.entries(one.outputs)) expectClose(key, found[key]!, expected, 1e-8);
      if (!smooth(one)) return;
      // Central differences of the reference against PyTorch's gradients: the third oracle.
      const names = Object.keys(one.inputs);
      for (const [key, expected] of Object.entries(one.gradients)) {
        const loss = (inputs: Array64[]) => {
          const outputs = runReference(one, Object.fromEntries(names.map((n, i) => [n, inputs[i]!])));
          return Object.entries(one.dy).reduce((sum, [k, dy]) => sum + dot(outputs[k]!, fromStored(dy)), 0);
        };
        const values = Object.values(arrays(one.inputs));
        let dx = numericalGradient(loss, values, names.indexOf(key));
        // The padding word's row is read, but not learned.
        if (/mbedding/.test(one.op) && key === "w") dx = withoutRow(dx, one.options.paddingIdx);
        expectClose(`d${key}`, dx, expected, 1e-5);
      }
    });
  }
});
