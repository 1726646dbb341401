import * as hg from "../../src/index.ts";
import type { Op, OpFile, Options, RandomOp, Tensors } from "../descriptor/index.ts";
import drawn from "../fixtures/drawn.json" with { type: "json" };
import fixture from "../fixtures/ops.json" with { type: "json" };
import wide from "../fixtures/wide.json" with { type: "json" };
import { type Case, expectClose, expectEqual } from "../harness.ts";

/* Every op against PyTorch's values and gradients. */

/** An array as the fixtures store it. */
interface Stored {
  shape: number[];
  data: number[];
  dtype: "f32" | "i32";
}

/** A case of the fixtures: gradients are those of Σ dy · y over all outputs. */
export interface FixtureCase {
  op: string;
  name: string;
  options: Options;
  inputs: Record<string, Stored>;
  outputs: Record<string, Stored>;
  dy: Record<string, Stored>;
  gradients: Record<string, Stored>;
}

export const fixtureCases = [fixture, wide, drawn].flatMap((file) => file.cases as unknown as FixtureCase[]);

/** Those that `optimizers.ts` runs. */
const optimizers = ["sgd", "adam", "rmsprop", "adamW", "clipGradientNorm"];

/** The files of test/ops. */
export interface Ops {
  /** By the names of their cases in the fixtures. */
  readonly byFixture: ReadonlyMap<string, Op>;
  /** By the names of their files: the forms of each. */
  readonly byName: ReadonlyMap<string, readonly Op[]>;
  /** Those that draw at random. */
  readonly random: ReadonlyMap<string, RandomOp>;
}

/** Reads the files of test/ops with the given names: `opNames()` of `names.ts`. */
export async function loadOps(names: readonly string[]): Promise<Ops> {
  const byFixture = new Map<string, Op>();
  const byName = new Map<string, readonly Op[]>();
  const random = new Map<string, RandomOp>();
  for (const name of names) {
    const { default: file } = (await import(`../ops/${name}.ts`)) as { default: OpFile };
    if ("keeps" in file) {
      random.set(name, file);
      continue;
    }
    const forms = "call" in file ? [file] : file;
    byName.set(name, forms);
    for (const op of forms) byFixture.set(op.fixture ?? name, op);
  }
  return { byFixture, byName, random };
}

/** A case of an op's fixture, on an engine: values, gradients, and the same bits once more. */
const caseOf = (op: Op, { op: fixtureName, name, options, inputs, outputs, dy, gradients }: FixtureCase): Case => ({
  name: `${fixtureName}: ${name}`,
  async run(engine) {
    const tensors: Tensors = {};
    for (const [key, { data, shape, dtype }] of Object.entries(inputs)) {
      const learned = Object.hasOwn(gradients, key);
      tensors[key] = learned ? engine.parameter(data, shape) : engine.tensor(data, shape, dtype);
    }
    const compute = async () => {
      const result = await engine.step(() => {
        const found = op.call(tensors, options);
        // Σ dy · y over all outputs is what the fixture differentiates.
        if (Object.keys(gradients).length === 0 || Object.values(found).every((t) => t.dtype !== "f32"))
          return { found, grads: {} };
        const total = Object.entries(found)
          .map(([key, value]) => hg.sum(hg.mul(value, engine.tensor(dy[key]!.data, dy[key]!.shape))))
          .reduce((a, b) => hg.add(a, b));
        const all = total.backward();
        const grads = Object.fromEntries(Object.keys(gradients).map((key) => [key, all.get(tensors[key]!)]));
        return { found, grads };
      });
      const read = async (set: Tensors) =>
        Promise.all(Object.entries(set).map(async ([key, t]) => [key, t.shape, await t.data()] as const));
      return { found: await read(result.found), grads: await read(result.grads) };
    };
    const first = await compute();
    expectEqual("the outputs", Object.keys(Object.fromEntries(first.found)), Object.keys(outputs));
    for (const [key, shape, data] of first.found) {
      expectEqual(`the shape of ${key}`, shape, outputs[key]!.shape);
      expectClose(key, data, outputs[key]!.data);
    }
    for (const [key, shape, data] of first.grads) {
      expectEqual(`the shape of d${key}`, shape, gradients[key]!.shape);
      expectClose(`d${key}`, data, gradients[key]!.data);
    }
    expectEqual("a second run", JSON.stringify(await compute()), JSON.stringify(first));
  },
});

/** All cases of the fixtures, in their order. */
export const opCases = ({ byFixture }: Ops): Case[] =>
  fixtureCases
    .filter(({ op }) => !optimizers.includes(op))
    .map((one) => {
      const op = byFixture.get(one.op);
      if (!op) throw new Error(`no file of test/ops has the fixture "${one.op}"`);
      return caseOf(op, one);
    });

/** What ops that draw at random must keep. */
export const randomCases = ({ random }: Ops): Case[] => [...random.values()].flatMap(({ keeps }) => keeps);

/** Cases for variants: those of `long`. */
export const longCases = ({ byFixture }: Ops): Case[] => [...byFixture.values()].flatMap(({ long }) => long ?? []);
