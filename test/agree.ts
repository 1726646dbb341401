import fc from "fast-check";
import type { Engine, Tensor } from "../src/index.ts";
import { expectClose, expectEqual, runCase } from "./harness.ts";
import { type Array64, array, count, numericalGradients } from "./reference/index.ts";

/* Kernels against the float64 reference; gradients against central differences of the reference. */

/** Numbers that depend on the seed and the place alone, so that a counterexample is short to read. */
export const numbers = (shape: readonly number[], seed: number): Array64 =>
  array(
    shape,
    Float32Array.from(
      { length: count(shape) },
      (_, i) => Math.sin(seed * 7.13 + i * 12.9898) + 0.1 * Math.cos(i * 3.7),
    ),
  );

/** Runs `op` on the GPU and in the reference, and compares the value and the gradients of all inputs. */
export async function agree(
  engine: Engine,
  inputs: readonly Array64[],
  op: (...x: Tensor[]) => Tensor,
  expected: (...x: Array64[]) => Array64,
  { gradients = true }: { gradients?: boolean } = {},
): Promise<void> {
  const y = expected(...inputs);
  const dy = numbers(y.shape, 99);
  await runCase(engine, {
    name: "",
    async run() {
      const tensors = inputs.map((x) => engine.parameter(Array.from(x.data), x.shape));
      const found = await engine.step(() => {
        const value = op(...tensors);
        const all = value.backward(engine.tensor(Array.from(dy.data), dy.shape));
        return { value, grads: tensors.map((t) => all.get(t)) };
      });
      expectEqual("the shape", found.value.shape, y.shape);
      expectClose("the value", await found.value.data(), y.data);
      if (gradients) {
        const numeric = numericalGradients((xs) => expected(...xs), inputs, dy);
        for (const [i, d] of found.grads.entries())
          expectClose(`the gradient of input ${i}`, await d.data(), numeric[i]!.data, 2e-4);
      }
      for (const t of [...tensors, found.value, ...found.grads]) t.dispose();
    },
  });
}

export const check = (property: fc.IAsyncProperty<never> | fc.IAsyncProperty<unknown>, numRuns = 12) =>
  fc.assert(property as fc.IAsyncProperty<unknown>, { numRuns, seed: 20240607 });
