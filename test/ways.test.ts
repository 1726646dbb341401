import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine, type Engine } from "../src/node.ts";
import { networkCases } from "./cases/network.ts";
import { opCases } from "./cases/ops.ts";
import { runCase } from "./harness.ts";

/* Every way of doing what can be done in several ways, against PyTorch; only the defaults run in the other tests. */

const families: Record<string, { ways: readonly string[]; cases: RegExp }> = {
  matmul: {
    ways: ["registers8", "registers4", "shared64", "shared32", "splitRegisters", "splitShared"],
    cases: /^(matmul|linear|gru|lstm|rnn)/,
  },
};

for (const [family, { ways, cases }] of Object.entries(families)) {
  describe.each(ways)(`${family}: %s`, (way) => {
    let engine: Engine;
    const taken = new Set<string>();
    beforeAll(async () => {
      engine = await createEngine({ seed: 1 });
      engine.tuning.import({ v: 1, adapter: engine.adapter, ways: { [family]: way } });
      const get = engine.tuning.get.bind(engine.tuning);
      engine.tuning.get = (name, key) => {
        if (name === family) taken.add(key);
        return get(name, key);
      };
    });
    afterAll(() => engine.destroy());

    const chosen = opCases.filter(({ name }) => cases.test(name));
    test("is tried on some cases", () => expect(chosen.length).toBeGreaterThan(3));
    for (const one of [...chosen, ...networkCases.slice(0, 1)]) test(one.name, () => runCase(engine, one));
    test("was asked for", () => expect(taken.size).toBeGreaterThan(1));
  });
}
