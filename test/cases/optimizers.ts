import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import type { Arrays, Options } from "../descriptor/index.ts";
import { type Case, expectClose, expectEqual } from "../harness.ts";
import * as reference from "../reference/index.ts";
import { type Array64, array, map } from "../reference/index.ts";
import { fixtureCases } from "./ops.ts";

/* Optimizers against PyTorch's parameters after each of ten steps. */

const floats = ({ data }: Array64) => Float32Array.from(data);

export const optimizerCases: Case[] = fixtureCases
  .filter(({ op, options }) => ["sgd", "adam", "adamW", "rmsprop"].includes(op) && !("dampening" in options))
  .map(({ op, name, options, inputs, outputs }) => ({
    name: `${op}: ${name}`,
    async run(engine) {
      const { eps, ...rest } = options;
      const make = { sgd: hg.sgd, adam: hg.adam, adamW: hg.adamw, rmsprop: hg.rmsprop }[op as "sgd"];
      const w = engine.parameter(inputs.w!.data, inputs.w!.shape);
      // A second parameter behind the first, without gradients, that must not change.
      const other = engine.parameter([1, 2, 3], [3]);
      const optimizer = make([w, other], { ...rest, ...(eps === undefined ? {} : { eps: eps }) });
      const size = inputs.w!.data.length;
      for (let step = 0; step < 10; step++) {
        const g = engine.tensor(inputs.gradients!.data.slice(step * size, (step + 1) * size), [size]);
        await engine.step(() => {
          optimizer.update(hg.sum(hg.mul(w, g)).backward());
        });
        expectClose(
          `step ${step + 1}`,
          await w.data(),
          outputs.trajectory!.data.slice(step * size, (step + 1) * size),
          1e-5,
        );
      }
      expectEqual("the parameter without gradients", [...(await other.data())], [1, 2, 3]);
      optimizer.dispose();
    },
  }));

export const clippingCases: Case[] = fixtureCases
  .filter(({ op }) => op === "clipGradientNorm")
  .map(({ op, name, options, inputs, outputs }) => ({
    name: `${op}: ${name}`,
    async run(engine) {
      const parameters = Object.values(inputs).map(({ data, shape }) =>
        engine.parameter(
          data.map(() => 0),
          shape,
        ),
      );
      const gradients = Object.values(inputs).map(({ data, shape }) => engine.tensor(data, shape));
      // From zeros a step of rate 1 goes to the clipped gradients' negatives.
      const optimizer = hg.sgd(parameters, { lr: 1, clipNorm: options.maxNorm as number });
      await engine.step(() => {
        const loss = parameters.map((p, i) => hg.sum(hg.mul(p, gradients[i]!))).reduce((a, b) => hg.add(a, b));
        optimizer.update(loss.backward());
      });
      for (const [i, key] of Object.keys(inputs).entries())
        expectClose(
          key,
          (await parameters[i]!.data()).map((x) => -x),
          outputs[key]!.data,
        );
    },
  }));

/** More numbers than a workgroup sums. */
export const longClippingCases: Case[] = [
  {
    name: "clipGradientNorm: long",
    async run(engine) {
      const shapes = [[20_001], [3, 5_000]];
      const gradients = shapes.map((shape, i) => numbers(shape, i));
      const norm = Math.sqrt(gradients.reduce((sum, { data }) => sum + data.reduce((s, x) => s + x * x, 0), 0));
      const parameters = shapes.map((shape) => engine.parameter(floats(reference.array(shape)), shape));
      const optimizer = hg.sgd(parameters, { lr: 1, clipNorm: 2 });
      await engine.step(() => {
        const parts = parameters.map((p, i) => hg.sum(hg.mul(p, engine.tensor(floats(gradients[i]!), shapes[i]!))));
        optimizer.update(parts.reduce((a, b) => hg.add(a, b)).backward());
      });
      for (const [i, p] of parameters.entries())
        expectClose(`parameter ${i}`, await p.data(), map(gradients[i]!, (g) => (-2 * g) / norm).data);
    },
  },
];

/** Every step of an optimizer: w after each of the gradients [steps, n]. */
function trajectory(step: reference.Step, { w, gradients }: Arrays): Arrays {
  const path: Array64[] = [];
  for (let t = 0; t < gradients!.shape[0]!; t++)
    path.push(step(path.at(-1) ?? w!, array(w!.shape, reference.row(gradients!, t))));
  return {
    trajectory: array(
      gradients!.shape,
      path.flatMap((p) => [...p.data]),
    ),
  };
}

/** What the float64 reference gives for the inputs and options of a fixture's case, by output name. */
export const optimizerReferences: Record<string, (x: Arrays, options: Options) => Arrays> = {
  sgd: (x, o) => trajectory(reference.sgd(o), x),
  adam: (x, o) => trajectory(reference.adam(o), x),
  rmsprop: (x, o) => trajectory(reference.rmsprop(o), x),
  adamW: (x, o) => trajectory(reference.adamW(o), x),
  clipGradientNorm: (x, { maxNorm }) => {
    const { gradients, norm } = reference.clipGradientNorm(Object.values(x), maxNorm);
    return { ...Object.fromEntries(gradients.map((g, n) => [`g${n}`, g])), norm: reference.scalar(norm) };
  },
};
