import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { variants as known } from "../../src/kernels/variants.ts";
import { createEngine } from "../../src/node.ts";
import { opNames } from "../cases/names.ts";
import { loadOps } from "../cases/ops.ts";
import { variantCases } from "../cases/variants.ts";
import { useEngine } from "../use-engine.ts";

/* What chooses among variants: measured, shipped, refused. */

const engine = await useEngine();
const variants = variantCases(await loadOps(opNames()));

describe("tuning", () => {
  const inputs = () => {
    const noise = (n: number, k: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.3 + k));
    const w = engine.parameter(noise(4 * 3 * 9, 2), [4, 3, 3, 3]);
    return {
      x: engine.tensor(noise(2 * 3 * 8 * 8, 1), [2, 3, 8, 8]),
      w,
      // At a rate of 0 nothing changes, so that steps can be compared.
      optimizer: hg.sgd([w], { lr: 0, clipNorm: 1 }),
      ids: engine.tensor([2, 0, 2], [3], "i32"),
      table: engine.parameter(noise(4 * 2, 6), [4, 2]),
      sequence: engine.tensor(noise(2 * 3 * 5, 3), [2, 3, 5]),
      weightsOf: Object.fromEntries(
        [1, 3, 4].map((gates) => [
          gates,
          {
            weightIh: engine.parameter(noise(4 * gates * 5, 4), [4 * gates, 5]),
            weightHh: engine.parameter(noise(4 * gates * 4, 5), [4 * gates, 4]),
          },
        ]),
      ),
    };
  };
  const record = ({ x, w, optimizer, ids, table, sequence, weightsOf }: ReturnType<typeof inputs>) => {
    const image = hg.mean(
      hg.conv2d(hg.tanh(hg.conv2d(x, w)), hg.slice(w, { axis: 1, start: 0, end: 1 }), undefined, { groups: 4 }),
    );
    const pooled = hg.mean(hg.maxPool2d(hg.conv2d(x, w), { kernelSize: 2 }));
    const sounds = [
      hg.gru(sequence, weightsOf[3]!),
      hg.gru(sequence, weightsOf[3]!, { resetAfter: false }),
      hg.lstm(sequence, weightsOf[4]!),
      hg.rnn(sequence, weightsOf[1]!),
      hg.rnn(sequence, weightsOf[1]!, { nonlinearity: "relu" }),
    ].map(({ output }) => hg.mean(output));
    const loss = hg.add(
      [image, pooled, ...sounds].reduce((a, b) => hg.add(a, b)),
      hg.crossEntropy(hg.softmax(hg.embedding(ids, hg.layerNorm(table))), [1, 0, 1]),
    );
    const gradients = loss.backward();
    optimizer.update(gradients);
    return { loss, dw: gradients.get(w) };
  };

  test("no variant is left untried by variants.test.ts", async () => {
    const given = inputs();
    const found = new Map<string, string[]>();
    await engine.step(() => {
      const result = record(given);
      for (const { key, variants } of engine.gpu.recording!.choices)
        found.set(key.split(" ")[0]!, Object.keys(variants).sort());
      return result;
    });
    for (const [family, names] of found) {
      const here = variants.filter(({ kernels }) => kernels.includes(family)).map(({ variant }) => variant);
      expect([...new Set(here)].sort(), family).toEqual(names);
      expect([...known.get(family)!].sort(), family).toEqual(names);
    }
    const listed = new Set(variants.flatMap(({ kernels }) => kernels));
    expect([...found.keys()].sort()).toEqual([...listed].sort());
    expect([...found.keys()].sort()).toEqual([...known.keys()].sort());
  });

  test("measures what it meets, once, changes nothing but speed, and ships", async () => {
    const given = inputs();
    const before = await engine.step(() => record(given));
    const tuned = await engine.tune(() => record(given));
    expect(await tuned.loss.item()).toBeCloseTo(await before.loss.item(), 5);
    const result = engine.tuning.export();
    expect(Object.keys(result.variants).some((key) => key.startsWith("conv2d "))).toBe(true);
    const { pipelines } = engine.stats().total;
    await engine.tune(() => record(given));
    expect(engine.stats().total.pipelines, "nothing is measured twice").toBe(pipelines);

    const other = await createEngine({ seed: 1, tuning: JSON.parse(JSON.stringify(result)) });
    expect(other.tuning.export()).toEqual(result);
    other.destroy();
    // The same variants, the same bits.
    const again = await engine.step(() => record(given));
    expect(await again.dw.data()).toEqual(await tuned.dw.data());
  });

  test("a step that is tuned is a step: it learns once", async () => {
    const w = engine.parameter([1, 2, 3, 4], [2, 2]);
    const optimizer = hg.sgd([w], { lr: 0.5 });
    await engine.tune(() => {
      const loss = hg.sum(hg.matmul(engine.tensor([1, 1], [1, 2]), w));
      optimizer.update(loss.backward());
      return loss;
    });
    expect([...(await w.data())]).toEqual([0.5, 1.5, 2.5, 3.5]);
  });

  test("refuses what is not a result, and another adapter's", () => {
    expect(() => engine.tuning.import({} as never)).toThrow(/not a result of tuning\.export/);
    expect(() => engine.tuning.import({ v: 2, adapter: "another", variants: {} })).toThrow(/measured on "another"/);
    const { adapter } = engine;
    engine.tuning.import({ v: 2, adapter, variants: { sum: "serial" } });
    for (const variant of ["tall", "alone", "lanes64", "toString", ""])
      expect(() => engine.tuning.import({ v: 2, adapter, variants: { sum: "workgroup", matmul: variant } })).toThrow(
        `tuning.import: the variant for matmul is "${variant}", expected one of registers8, `,
      );
    for (const family of ["nothing", "matmull", "toString", ""])
      expect(() => engine.tuning.import({ v: 2, adapter, variants: { [family]: "serial" } })).toThrow(
        `tuning.import: a kernel is "${family}", expected one of matmul, `,
      );
    expect(engine.tuning.export().variants.sum).toBe("serial");
  });
});
