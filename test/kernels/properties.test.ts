import fc from "fast-check";
import { describe, test } from "vitest";
import { agreeOn } from "../agree.ts";
import { opNames } from "../cases/names.ts";
import { loadOps } from "../cases/ops.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Kernels against the float64 reference over shapes that nobody chose: odd, prime, of size 1, no multiples of any tile.
 * Gradients are compared with central differences of the reference.
 */

const engine = await useEngine();
const { byFixture } = await loadOps(opNames());

describe("kernels agree with the float64 reference", () => {
  for (const [name, op] of byFixture) {
    const { draw, runs } = op.property;
    test(name, () =>
      fc.assert(
        fc.asyncProperty(draw, (drawn) => agreeOn(engine, op, drawn)),
        { numRuns: runs },
      ),
    );
  }
});
