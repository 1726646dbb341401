import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../src/index.ts";
import { createEngine } from "../src/node.ts";
import { networkCases } from "./cases/network.ts";
import { opCases, optimiserCases } from "./cases/ops.ts";
import { runCase } from "./harness.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ seed: 1 });
});
afterAll(() => engine.destroy());

describe.each([
  ["ops as PyTorch's", opCases],
  ["optimisers as PyTorch's", optimiserCases],
  ["the reference network", networkCases],
])("%s", (_, cases) => {
  for (const one of cases) test(one.name, () => runCase(engine, one));
});
