import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Random } from "../../src/data/index.ts";
import * as hg from "../../src/index.ts";
import { opNames } from "../cases/names.ts";
import { networkCases } from "../cases/network.ts";
import { loadOps } from "../cases/ops.ts";
import { variantCases } from "../cases/variants.ts";
import { useEngine } from "../use-engine.ts";

/* Every variant of what can be done by several variants, against PyTorch; the other tests run the software device's own. */

const engine = await useEngine();
const variants = variantCases(await loadOps(opNames()));

/** From here on the kernels are done by the variant. */
const choose = (kernels: readonly string[], variant: string) =>
  engine.tuning.import({
    v: 2,
    adapter: engine.adapter,
    variants: Object.fromEntries(kernels.map((kernel) => [kernel, variant])),
  });

describe.each(variants)("$kernels by $variant", ({ kernels, variant, cases }) => {
  const asked = new Set<string>();
  beforeAll(() => {
    choose(kernels, variant);
    const get = engine.tuning.get.bind(engine.tuning);
    vi.spyOn(engine.tuning, "get").mockImplementation((family, key) => {
      asked.add(family);
      return get(family, key);
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    engine.tuning.clear();
  });

  for (const one of cases) test(one.name, () => one.run(engine));
  test("was taken in several cases", () => {
    expect(cases.length).toBeGreaterThan(2);
    expect([...asked]).toEqual(expect.arrayContaining([...kernels]));
  });
});

test.each(["linkedList", "radixSort64", "radixSort128"])(
  "the embedding's gradient by %s is that of its ids, whatever memory held",
  async (variant) => {
    choose(["embedding.backward"], variant);
    const [V, D, n] = [50, 4, 40];
    const w = engine.parameter(new Float32Array(V * D), [V, D]);
    const random = new Random("embedding", variant);
    for (let turn = 0; turn < 20; turn++) {
      const ids = Int32Array.from({ length: n }, () => random.integer(turn % 2 === 0 ? V : 5));
      const dy = Float32Array.from({ length: n * D }, () => random.integer(10));
      const dw = await engine.step(() => {
        const places = engine.tensor(ids, [n], "i32");
        return hg
          .embedding(places, w)
          .backward(engine.tensor(dy, [n, D]))
          .get(w);
      });
      const expected = new Float32Array(V * D);
      dy.forEach((x, i) => {
        expected[ids[Math.floor(i / D)]! * D + (i % D)]! += x;
      });
      expect(await dw.data()).toEqual(expected);
      dw.dispose();
    }
    engine.tuning.clear();
  },
);

describe("the reference network in the default variants of a graphics card", () => {
  const { kind } = engine.tuning;
  beforeAll(() => void Object.defineProperty(engine.tuning, "kind", { value: "discrete" }));
  afterAll(() => void Object.defineProperty(engine.tuning, "kind", { value: kind }));
  for (const one of networkCases) test(one.name, () => one.run(engine), 120_000);
});
