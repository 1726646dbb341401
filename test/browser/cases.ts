import { networkCases } from "../cases/network.ts";
import { loadOps, opCases, randomCases } from "../cases/ops.ts";
import { optimizerCases } from "../cases/optimizers.ts";
import type { Case } from "../harness.ts";

/** What runs in Node and in the page, of the ops with the given names. */
export async function pageCases(names: readonly string[]): Promise<Case[]> {
  const ops = await loadOps(names);
  return [...opCases(ops), ...randomCases(ops), ...optimizerCases, ...networkCases];
}
