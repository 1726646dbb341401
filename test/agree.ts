import type { Engine, Tensor } from "../src/index.ts";
import * as hg from "../src/index.ts";
import type { Drawn, Op } from "./descriptor/index.ts";
import { expectClose, expectEqual, withErrorScopes } from "./harness.ts";
import { type Array64, array, count, dot, map, numericalGradient } from "./reference/index.ts";

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

type Inputs = Record<string, Array64>;
const floats = ({ data }: Array64) => Float32Array.from(data);

/**
 * The values against the float64 reference, and the gradient along one direction of all inputs together: for inputs so large
 * that central differences of each number would take for ever.
 */
export async function agreeAlong(
  engine: Engine,
  inputs: Inputs,
  op: (x: Record<string, Tensor>) => Record<string, Tensor>,
  expected: (x: Inputs) => Inputs,
): Promise<void> {
  const y = expected(inputs);
  const names = Object.keys(inputs);
  const direction = Object.fromEntries(names.map((name, i) => [name, numbers(inputs[name]!.shape, 31 + i)]));
  const dy = Object.fromEntries(Object.entries(y).map(([name, { shape }], i) => [name, numbers(shape, 99 + i)]));
  const along = (e: number) => {
    const moved = names.map((name) => [name, map(inputs[name]!, (x, i) => x + e * direction[name]!.data[i]!)] as const);
    return Object.entries(expected(Object.fromEntries(moved))).reduce((s, [n, v]) => s + dot(v, dy[n]!), 0);
  };
  const tensors = Object.fromEntries(
    names.map((name) => [name, engine.parameter(floats(inputs[name]!), inputs[name]!.shape)]),
  );
  const { values, gradients } = await engine.step(() => {
    const values = op(tensors);
    const total = Object.entries(values)
      .map(([name, value]) => hg.sum(hg.mul(value, engine.tensor(floats(dy[name]!), dy[name]!.shape))))
      .reduce((a, b) => hg.add(a, b));
    const all = total.backward();
    return { values, gradients: Object.fromEntries(names.map((name) => [name, all.get(tensors[name]!)])) };
  });
  for (const [name, { shape, data }] of Object.entries(y)) {
    expectEqual(`the shape of ${name}`, values[name]!.shape, shape);
    expectClose(name, await values[name]!.data(), data);
  }
  let slope = 0;
  for (const name of names) slope += dot(array(inputs[name]!.shape, await gradients[name]!.data()), direction[name]!);
  expectClose("the slope", [slope], [(along(1e-4) - along(-1e-4)) / 2e-4], 1e-3);
}

/** What is drawn, on an engine: its inputs as parameters, and what no gradient is taken of. */
export function tensorsOf(engine: Engine, { inputs, given = {} }: Drawn) {
  const parameters = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, engine.parameter(Array.from(x.data), x.shape)]),
  );
  // Ops take arrays of the host where they take tensors that have no gradient.
  const others = Object.fromEntries(
    Object.entries(given).map(([name, { as, data, shape }]) => [
      name,
      as === "tensor" ? engine.tensor(data, shape) : (data as never as Tensor),
    ]),
  );
  return { parameters, others };
}

/** Runs an op on the GPU and in the reference, and compares its values, and the gradients of its inputs. */
export async function agreeOn(
  engine: Engine,
  op: Pick<Op, "call" | "reference" | "gradient">,
  { inputs, given = {}, options = {}, gradients = true }: Drawn,
): Promise<void> {
  const names = Object.keys(inputs);
  const constants = Object.fromEntries(
    Object.entries(given).map(([name, { shape, data }]) => [name, array(shape, data)]),
  );
  const run = (arrays: readonly Array64[]) =>
    op.reference({ ...constants, ...Object.fromEntries(names.map((name, i) => [name, arrays[i]!])) }, options);
  const y = run(Object.values(inputs));
  const dy = Object.fromEntries(Object.entries(y).map(([name, { shape }], i) => [name, numbers(shape, 99 + i)]));
  await withErrorScopes(engine, async () => {
    const { parameters, others } = tensorsOf(engine, { inputs, given });
    const { found, grads } = await engine.step(() => {
      const found = op.call({ ...parameters, ...others }, options);
      const [[name, value], ...rest] = Object.entries(found) as [[string, Tensor], ...[string, Tensor][]];
      if (value.dtype !== "f32") return { found, grads: {} };
      const start = (name: string) => engine.tensor(floats(dy[name]!), dy[name]!.shape);
      const all =
        rest.length === 0
          ? value.backward(start(name))
          : Object.entries(found)
              .map(([name, value]) => hg.sum(hg.mul(value, start(name))))
              .reduce((a, b) => hg.add(a, b))
              .backward();
      return { found, grads: Object.fromEntries(names.map((name) => [name, all.get(parameters[name]!)])) };
    });
    expectEqual("the outputs", Object.keys(found), Object.keys(y));
    for (const [name, { shape, data }] of Object.entries(y)) {
      expectEqual(`the shape of ${name}`, found[name]!.shape, shape);
      expectClose(name, await found[name]!.data(), data);
    }
    const loss = (arrays: Array64[]) =>
      Object.entries(run(arrays)).reduce((total, [name, value]) => total + dot(value, dy[name]!), 0);
    for (const [i, name] of names.entries()) {
      if (!gradients || !grads[name]) continue;
      const d = numericalGradient(loss, Object.values(inputs), i);
      expectClose(`d${name}`, await grads[name].data(), (op.gradient?.(name, d, options) ?? d).data, 2e-4);
    }
    for (const t of [...Object.values(parameters), ...Object.values(found), ...Object.values(grads)]) t.dispose();
  });
}
